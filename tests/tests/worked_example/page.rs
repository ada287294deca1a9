//! The page of figures.

use embley_corpus::example::{Label, TemplateChoice};

use crate::indicators::{RULES, Run, Set, place};
use crate::score::Tally;

const HEAD: &str = "# How well the indicators do\n\n\
    Made by `tests/tests/worked_example`: `EMBLEY_SLOW=1 EMBLEY_WRITE_PAGES=1 cargo test -p embley-tests --test worked_example`. The test makes the worked\n\
    example ([example.md](example.md)), takes its mail in by custodian and its records, runs `embley indicators`, and holds what is raised against `truth.json`.\n\n\
    ## How it is counted\n\n\
    - *Raised* is an indicator that is not set aside as explained. It is *about* an entry of the truth when it is of its rule and of its case (if the entry has\n\
    \x20 one) and names one of its records or messages, or, where the entry has neither, one of its people.\n\
    - A planted fault is *found* when at least one raised indicator is about it. It counts once, however many there are: recall is found / planted.\n\
    - Every raised indicator that is about no planted fault is *wrong*, each by itself: about a look-alike, in a clean case, or about something else in a case\n\
    \x20 that has a fault. Precision is found / (found + wrong). Saying one thing twice does not raise it.\n\
    - *Set aside*: look-alikes of which the program says that something on record explains them (`--explained` shows it). Of the rest nothing was raised at all.\n\
    - Set one are the ordinary wordings, held to recall 1.0 and precision 0.9 by rule and in all. Set two says the same in other words (formal, chatty, clipped;\n\
    \x20 denials, suppositions, quotations), and the patterns were not written from it (two for restrictions came after its first\n\
    \x20 figures and changed none): its figures are told as they are, and a floor keeps them from falling.\n";

/// The whole page.
pub(crate) fn page(one: &Set, two: &Set) -> String {
    let mut page = HEAD.to_owned();
    for (set, title) in [(one, "Set one"), (two, "Set two")] {
        page.push_str(&format!("\n## {title}, {} seeds\n\n", set.runs.len()));
        page.push_str(
            "| rule | planted | found | look-alikes | of them raised | set aside | raised in all | wrong | recall | precision |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for rule in RULES {
            if set.rules.iter().any(|one| one == rule) {
                let tally = set.scores.rules.get(rule).cloned().unwrap_or_default();
                page.push_str(&row(rule, &tally));
            } else {
                page.push_str(&format!("| {rule} | not there | | | | | | | | |\n"));
            }
        }
        page.push_str(&row("all", &set.scores.all(|_| true)));
    }
    page.push_str(
        "\n## By kind\n\nFor planted faults how many were found, for look-alikes how many were raised, of how many.\n\n\
         | rule | kind | | set one | set two |\n| --- | --- | --- | --- | --- |\n",
    );
    let mut kinds: Vec<_> = one.scores.variants.keys().chain(two.scores.variants.keys()).collect();
    kinds.sort_by_key(|(rule, label, variant)| (place(rule), *label, variant.clone()));
    kinds.dedup();
    for kind in kinds {
        let count = |set: &Set| match set.scores.variants.get(kind) {
            Some([entries, raised]) => format!("{raised} of {entries}"),
            None => "-".to_owned(),
        };
        let (rule, label, variant) = kind;
        let label = match label {
            Label::Planted => "planted",
            Label::LookAlike => "look-alike",
        };
        page.push_str(&format!(
            "| {rule} | {variant} | {label} | {} | {} |\n",
            count(one),
            count(two)
        ));
    }
    page.push_str(
        "\n## By seed\n\n| set | seed | planted | found | look-alikes | of them raised | wrong |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for set in [one, two] {
        for run in &set.runs {
            page.push_str(&run_row(set.choice, run));
        }
    }
    page
}

fn row(name: &str, tally: &Tally) -> String {
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {:.2} | {:.2} |\n",
        tally.planted,
        tally.found,
        tally.look_alikes,
        tally.taken_in,
        tally.set_aside,
        tally.raised,
        tally.wrong(),
        tally.recall(),
        tally.precision()
    )
}

/// The line of one run.
pub(crate) fn run_row(choice: TemplateChoice, run: &Run) -> String {
    let name = match choice {
        TemplateChoice::One => "one",
        TemplateChoice::Two => "two",
        TemplateChoice::Both => "both",
    };
    let tally = &run.tally;
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} |\n",
        run.seed,
        tally.planted,
        tally.found,
        tally.look_alikes,
        tally.taken_in,
        tally.wrong()
    )
}
