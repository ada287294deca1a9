//! What stands around hits (`--context`), and equal families as one (`--fold email`), over mail that went through the pipeline.

use embley_casework::hits::CaseHits;
use embley_search::{Facet, Hit, Level, Scope, SearchOptions, Searcher, Sort};
use serde_json::{Value, json};

use crate::folder::Folder;

const THREAD: &str = "From a@x Sun Mar 10 12:00:00 2019
From: Ann <a@force.example>
To: b@force.example
Date: Sun, 10 Mar 2019 12:00:00 +0000
Subject: CM/1/19
Message-ID: <one@force.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

see attached
--b
Content-Type: text/plain; name=notes.txt
Content-Disposition: attachment; filename=notes.txt

notes on the quokka
--b--

From b@x Mon Mar 11 12:00:00 2019
From: b@force.example
To: a@force.example
Date: Mon, 11 Mar 2019 12:00:00 +0000
Subject: Re: something else
Message-ID: <two@force.example>
In-Reply-To: <one@force.example>

thanks for CM/1/19

From b@x Tue Mar 12 12:00:00 2019
From: b@force.example
To: a@force.example
Date: Tue, 12 Mar 2019 12:00:00 +0000
Subject: Re: CM/1/19
Message-ID: <three@force.example>
References: <one@force.example>

and again

";

const RECORDS: &str = r#"{"record_type":"case","source_system":"tribune","record_id":"C-1","case_ref":"CM/1/19","case_type":"conduct_matter"}
{"record_type":"decision","source_system":"tribune","record_id":"D-1","case_ref":"CM/1/19","decision_type":"recording","decided_at":"2019-03-01"}
{"record_type":"decision","source_system":"tribune","record_id":"D-2","case_ref":"CM/1/19","decision_type":"severity_assessment","decided_at":"2019-03-08"}
{"record_type":"decision","source_system":"tribune","record_id":"D-3","case_ref":"CM/1/19","decision_type":"case_to_answer","decided_at":"2019-03-14"}
"#;

fn hits(searcher: &Searcher, query: &str, options: SearchOptions<'_>) -> Vec<Hit> {
    let plan = searcher.plan(query).expect("the query is right");
    let answer = searcher.run(&plan, options).expect("the query runs");
    let hits = answer.hits().expect("the hits begin");
    hits.map(|hit| hit.expect("the hit is read")).collect()
}

fn context(searcher: &Searcher, query: &str) -> Value {
    let links = CaseHits::new(searcher).with_context();
    let options = SearchOptions {
        links: Some(&links),
        ..SearchOptions::default()
    };
    let found = hits(searcher, query, options);
    assert_eq!(found.len(), 1, "{query}");
    serde_json::to_value(&found[0]).expect("plain data")["context"].clone()
}

#[test]
fn a_hit_comes_with_the_decisions_beside_it_its_family_and_what_it_answers() {
    let folder = Folder::new();
    folder.ingest("a.mbox", THREAD);
    folder.import("records.jsonl", RECORDS);
    let searcher = folder.searcher();
    let numbers = |value: &Value| -> Vec<u64> {
        let all = value.as_array().expect("a list").iter();
        all.map(|one| one["item_no"].as_u64().expect("a number")).collect()
    };

    let first = context(&searcher, "subject:CM/1/19 NOT subject:re type:email");
    assert_eq!(first["decision_before"]["id"], "dec:tribune/D-2");
    assert_eq!(first["decision_before"]["days"], 2);
    assert_eq!(first["decision_before"]["decision_type"], "severity_assessment");
    assert_eq!(first["decision_before"]["relation"], "names-case");
    assert_eq!(first["decision_after"]["id"], "dec:tribune/D-3");
    assert_eq!(first["decision_after"]["days"], -4);
    assert_eq!(first["answers"], Value::Null);
    assert_eq!(first["answers_reason"], "none");
    assert_eq!(numbers(&first["answered_by"]), [3, 4]);
    assert_eq!(first["thread_messages"], 3);
    assert_eq!(
        (&first["family_count"], numbers(&first["family"])),
        (&json!(1), vec![2])
    );

    let attachment = context(&searcher, "quokka");
    assert_eq!(numbers(&attachment["family"]), [1], "the message is of its family");
    assert_eq!(
        numbers(&attachment["answered_by"]),
        [3, 4],
        "a part stands where its message does"
    );

    let answer = context(&searcher, "thanks");
    assert_eq!(answer["answers"]["item_no"], 1);
    assert_eq!(answer["answers_reason"], "in-reply-to");
    assert_eq!(answer["answered_by_count"], 0);
    assert_eq!(answer["family_count"], 0);

    let record = context(&searcher, "type:case");
    assert_eq!(
        (&record["thread_messages"], &record["answers_reason"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(
        record["decision_before"],
        Value::Null,
        "a record without a date is before nothing"
    );
    let plain = hits(&searcher, "quokka", SearchOptions::default());
    assert!(plain[0].context.is_none());
}

/// The same mail by two ways, and one that differs in a word.
fn copies() -> [String; 3] {
    let mail = |way: &str, word: &str| {
        format!(
            "From x@y Sat Mar  9 12:00:00 2019\nReceived: by {way}\nFrom: x@force.example\nTo: b@force.example\nDate: Sat, 9 Mar 2019 12:00:00 +0000\n\
             Subject: lunch\nMessage-ID: <{way}@force.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
             {word} we said\n--b\nContent-Type: text/plain; name=plan.txt\nContent-Disposition: attachment; filename=plan.txt\n\nthe plan\n--b--\n\n"
        )
    };
    [mail("one", "as"), mail("two", "as"), mail("three", "what")]
}

#[test]
fn equal_families_count_as_one_and_the_lowest_item_names_the_others() {
    let folder = Folder::new();
    let [one, two, other] = copies();
    folder.ingest_of("Lee", "a.mbox", &one);
    folder.ingest_of("Ray", "b.mbox", &format!("{two}{other}"));
    let searcher = folder.searcher();
    let fold = SearchOptions {
        fold: true,
        ..SearchOptions::default()
    };
    let shown = |query: &str, options: SearchOptions<'_>| -> Vec<(u32, Vec<u32>)> {
        let found = hits(&searcher, query, options).into_iter();
        found
            .map(|hit| {
                let joined = hit.joined.expect("it says which").into_iter().map(|one| one.item_no);
                (hit.item_no, joined.collect())
            })
            .collect()
    };
    let all = [(1, vec![3]), (2, vec![4]), (5, vec![]), (6, vec![])];
    for sort in [Sort::Date, Sort::Item, Sort::Relevance] {
        let options = SearchOptions { sort, ..fold };
        let mut found = shown("lunch OR plan", options);
        if sort == Sort::Relevance {
            found.sort_unstable();
        }
        assert_eq!(found, all, "{sort:?}");
    }
    assert_eq!(
        shown("custodian:Ray lunch", fold),
        [(3, vec![]), (5, vec![])],
        "the lowest that was found"
    );
    let page = SearchOptions {
        offset: 1,
        limit: Some(2),
        ..fold
    };
    assert_eq!(shown("lunch OR plan", page), all[1..3]);

    let plan = searcher.plan("lunch OR plan").expect("the query is right");
    let families = plan.clone().at(Level::Family);
    for (plan, scope, count, items) in [
        (&plan, Scope::Global, 4, 6),
        (&plan, Scope::Custodian, 6, 6),
        (&plan, Scope::Instance, 6, 6),
        (&families, Scope::Global, 2, 3),
        (&families, Scope::Custodian, 3, 3),
    ] {
        let options = SearchOptions {
            scope,
            facets: &[Facet::Custodian, Facet::Type],
            limit: Some(0),
            ..fold
        };
        let answer = searcher.run(plan, options).expect("the query runs");
        let summary = answer.summary();
        assert_eq!(
            (summary.count, summary.items, summary.fold),
            (count, items, Some("email")),
            "{scope:?}"
        );
        let counts = |at: usize| -> Vec<(Option<&str>, u64)> {
            let values = summary.facets[at].values.iter();
            values.map(|one| (one.value.as_deref(), one.count)).collect()
        };
        if plan.level == Level::Item {
            assert_eq!(
                counts(0),
                [(Some("Ray"), 4), (Some("Lee"), 2)],
                "a hit counts with all who hold one of it"
            );
            assert_eq!(counts(1), [(Some("attachment"), 2), (Some("email"), 2)]);
        } else {
            assert_eq!(counts(0), [(Some("Ray"), 2), (Some("Lee"), 1)]);
        }
    }
}
