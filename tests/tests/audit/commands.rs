//! Every command of the program's own list, one after the other, on one case.

use std::collections::BTreeMap;

use embley_tests::{Program, Site, files, made};
use serde_json::Value;

/// What a command that opens no case leaves.
const NONE: &[&str] = &["bench", "demo", "doctor", "help", "init", "user roles", "verify-export"];

/// What the program's help says of a command.
fn help(path: &[String]) -> String {
    let mut args = path.to_vec();
    args.push("--help".to_owned());
    Program::new(&args).run().expect(0).text().to_owned()
}

/// The commands below another, as its help lists them.
fn listed(text: &str) -> Vec<String> {
    let Some(list) = text.split("\nCommands:\n").nth(1) else {
        return Vec::new();
    };
    let lines = list.lines().take_while(|line| !line.is_empty());
    // Descriptions that are too long go on further in.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// All commands without further ones below them.
fn all_commands() -> Vec<String> {
    let mut open = vec![Vec::new()];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        let text = help(&path);
        let below = listed(&text);
        // Some do something by themselves and have further ones below them.
        let is_one = below.is_empty() || text.contains(" [COMMAND]");
        if is_one && !path.is_empty() {
            found.push(path.join(" "));
        }
        for name in below {
            let mut inner = path.clone();
            inner.push(name);
            open.push(inner);
        }
    }
    found.sort();
    found
}

/// How each command is run here: what is typed behind its name.
fn typed(site: &Site) -> BTreeMap<&'static str, Vec<String>> {
    let path = |name: &str| site.path(name).display().to_string();
    let lines: Vec<(&str, Vec<String>)> = [
        ("audit checkpoint", vec!["--key", "KEY"]),
        ("audit list", vec![]),
        ("audit prove", vec!["0"]),
        ("audit verify", vec![]),
        ("batch checkout", vec!["1"]),
        (
            "batch create",
            vec!["first", "--query", "*", "--size", "2", "--form", "relevance"],
        ),
        ("batch done", vec!["1"]),
        ("batch list", vec![]),
        ("batch release", vec!["1"]),
        ("batch reopen", vec!["1", "--note", "x"]),
        ("batch second", vec!["first", "--all"]),
        ("batch show", vec!["1"]),
        ("certificate", vec!["xqword1", "--out", "OUT", "--key", "KEY"]),
        ("coding compare", vec!["--form", "relevance"]),
        ("coding forms", vec![]),
        ("coding list", vec![]),
        (
            "coding set",
            vec![
                "1",
                "--form",
                "relevance",
                "--answer",
                "relevance=relevant",
                "--answer",
                "privilege=no",
            ],
        ),
        ("dip-sample", vec!["--size", "1", "--seed", "s"]),
        ("disclosure clear", vec!["1"]),
        ("disclosure describe", vec!["1", "a message"]),
        ("disclosure history", vec![]),
        ("disclosure list", vec![]),
        ("disclosure set", vec!["unused", "1"]),
        ("exceptions", vec![]),
        ("exhibit add", vec!["JS/1", "1"]),
        ("exhibit continuity", vec!["JS/1"]),
        ("exhibit file", vec!["JS/1", "1"]),
        ("exhibit history", vec!["JS/1"]),
        ("exhibit label", vec!["JS/1"]),
        ("exhibit link", vec!["JS/1", "C/1"]),
        ("exhibit list", vec![]),
        ("exhibit remove", vec!["JS/1", "1"]),
        ("exhibit show", vec!["JS/1"]),
        ("exhibit unlink", vec!["JS/1", "C/1"]),
        (
            "export",
            vec!["--query", "*", "--as", "csv", "--out", "EXPORT", "--key", "KEY"],
        ),
        ("history", vec![]),
        ("indicators", vec![]),
        ("indicators phrases", vec![]),
        ("indicators conclude", vec!["abc", "--as", "other", "--text", "x"]),
        ("indicators export", vec!["--draft"]),
        ("indicators runs", vec![]),
        ("ingest", vec!["MAIL", "--progress", "none"]),
        ("journal", vec![]),
        ("note add", vec!["1", "--text", "read"]),
        ("note edit", vec!["1", "--text", "read again"]),
        ("note list", vec![]),
        ("note withdraw", vec!["1"]),
        ("people alias", vec!["x", "y@z.example", "--reason", "x"]),
        ("people list", vec![]),
        ("privilege list", vec![]),
        ("privilege mark", vec!["legal", "1"]),
        ("privilege unmark", vec!["legal", "1"]),
        ("privilege add-terms", vec!["rota"]),
        ("privilege end-term", vec!["rota", "--reason", "x"]),
        ("privilege history", vec![]),
        ("privilege release", vec!["1", "--by", "x", "--reason", "x"]),
        ("privilege screen", vec![]),
        ("privilege terms", vec![]),
        ("records import", vec!["NONE"]),
        ("reindex", vec!["--progress", "none"]),
        ("replay", vec!["OUT"]),
        ("review clear", vec!["1"]),
        ("review list", vec![]),
        ("review set", vec!["relevant", "1"]),
        ("runs list", vec![]),
        ("runs show", vec!["run:0001"]),
        ("sample", vec!["*", "--size", "1", "--seed", "s"]),
        ("saved add", vec!["one", "xqword1"]),
        ("saved change", vec!["one", "xqword2"]),
        ("saved list", vec![]),
        ("saved remove", vec!["one"]),
        ("saved run", vec!["one"]),
        ("saved show", vec!["one"]),
        ("schedule list", vec![]),
        ("schedule mg12", vec![]),
        ("schedule mg6c", vec![]),
        ("schedule mg6d", vec![]),
        ("schedule mg6e", vec![]),
        ("search", vec!["xqword1"]),
        ("show", vec!["1"]),
        ("status", vec![]),
        ("tag add", vec!["a", "1"]),
        ("tag colour", vec!["a", "green"]),
        ("tag history", vec![]),
        ("tag list", vec![]),
        ("tag remove", vec!["a", "1"]),
        ("tag set", vec!["outcome", "--tag", "a"]),
        ("tag undo", vec!["1"]),
        ("terms", vec!["TERMS"]),
        ("timeline", vec!["C/1"]),
        ("user add", vec!["tester", "--role", "administrator"]),
        ("user disable", vec!["nobody"]),
        ("user list", vec![]),
        ("user role", vec!["nobody", "reader"]),
        ("verify", vec![]),
    ]
    .map(|(name, args)| {
        let args = args.into_iter().map(|arg| match arg {
            "KEY" => path("key.pem"),
            "OUT" => path("out.json"),
            "EXPORT" => path("export"),
            "MAIL" => path("mail"),
            "NONE" => path("none.jsonl"),
            "TERMS" => path("terms.txt"),
            other => other.to_owned(),
        });
        (name, args.collect())
    })
    .into();
    lines.into_iter().collect()
}

/// What is typed for a command that is not in the table: words for what it must be given, as its usage line names them.
fn guessed(command: &str) -> Vec<String> {
    let path: Vec<String> = command.split(' ').map(str::to_owned).collect();
    let text = help(&path);
    let usage = text
        .lines()
        .find(|line| line.starts_with("Usage: "))
        .unwrap_or_default();
    let mut words = Vec::new();
    let mut optional = 0_i32;
    for word in usage.split_whitespace().skip(1) {
        optional += i32::try_from(word.matches('[').count()).unwrap_or(0);
        let needed = optional == 0;
        optional -= i32::try_from(word.matches(']').count()).unwrap_or(0);
        if needed && word.starts_with("--") {
            words.push(word.to_owned());
        } else if needed && word.starts_with('<') && word.ends_with('>') {
            words.push("1".to_owned());
        }
    }
    words
}

#[test]
fn every_command_that_opens_a_case_leaves_its_intent_and_its_outcome() {
    let site = Site::new();
    for number in 1..4 {
        files::write(
            &site.path(&format!("mail/{number}.eml")),
            made::message(number, &format!("xqword{number}")),
        );
    }
    files::write(&site.path("terms.txt"), "xqword1\nxqword2\n");
    site.ingest(&[site.path("mail")]).expect(0);
    let typed = typed(&site);
    let all = all_commands();
    assert!(all.len() > 40, "only {} commands are listed: {all:?}", all.len());
    let mut seen = 0;
    for command in all.iter().filter(|command| !NONE.contains(&command.as_str())) {
        let mut args: Vec<String> = command.split(' ').map(str::to_owned).collect();
        args.extend(typed.get(command.as_str()).cloned().unwrap_or_else(|| guessed(command)));
        let before = entries(&site).len();
        let ran = site.run(&args);
        let new = entries(&site).split_off(before);
        let events: Vec<&Value> = new.iter().map(|entry| &entry["event"]).collect();
        let (first, last) = match events.as_slice() {
            [first, .., last] => (first, last),
            _ => panic!(
                "`embley {}` left {new:?}: {ran:?}\nsay in tests/audit/commands.rs how it is run",
                args.join(" ")
            ),
        };
        assert_eq!(
            (&first["kind"], &first["command"]),
            (&"intent".into(), &command.as_str().into()),
            "{ran:?}"
        );
        assert_eq!(
            (&last["kind"], &last["command"]),
            (&"outcome".into(), &command.as_str().into()),
            "{ran:?}"
        );
        assert_eq!(last["of"], new[0]["seq"]);
        assert_eq!(last["code"].as_i64(), ran.code.map(i64::from), "{ran:?}");
        let shown = last["result"]["shown_bytes"].as_u64().unwrap_or(0);
        assert_eq!(shown, ran.stdout.len() as u64, "{command}");
        assert_eq!(new[0]["who"], "tester");
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
    // The first entries say how it began; the whole log holds.
    let whole = entries(&site);
    assert_eq!(whole[0]["event"]["kind"], "begin");
    assert_eq!(
        (&whole[1]["event"]["command"], &whole[1]["event"]["of"]),
        (&"init".into(), &Value::Null)
    );
    let report = site.ok(&["audit", "verify", "--format", "json"]).json();
    assert_eq!(report["sound"], true);
    assert_eq!(report["unfinished"].as_array().map(Vec::len), Some(0), "{report}");
}

/// All entries of a case's log.
pub(crate) fn entries(site: &Site) -> Vec<Value> {
    let text = String::from_utf8(files::read(&site.case().join("audit/log.jsonl"))).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("an entry"))
        .collect()
}
