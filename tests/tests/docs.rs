//! Documentation that follows the code: links lead somewhere, generated pages are fresh.

use std::path::{Path, PathBuf};

use embley_model::defect::DefectCode;
use embley_model::role::{Role, Task, may};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `docs/exceptions.md` as the table of codes says it.
fn exceptions_page() -> String {
    let mut page = String::from(
        "# Exceptions and defects\n\nMade from `crates/model/src/defect.rs`; a test holds them together. A code never changes its meaning.\n\n\
         | code | phase | class | meaning |\n| --- | --- | --- | --- |\n",
    );
    for code in DefectCode::ALL {
        let phase = serde_json::to_value(code.phase()).expect("a word");
        let class = serde_json::to_value(code.class()).expect("a word");
        let (phase, class) = (phase.as_str().unwrap_or(""), class.as_str().unwrap_or(""));
        page.push_str(&format!(
            "| `{}` | {phase} | {class} | {} |\n",
            code.text(),
            code.means()
        ));
    }
    page
}

#[test]
fn the_page_of_exceptions_is_what_the_code_says() {
    let path = root().join("docs/exceptions.md");
    assert_eq!(
        read(&path),
        exceptions_page(),
        "make docs/exceptions.md again: its text is the right side of this difference"
    );
}

/// The table of roles as the code says it.
fn roles_table() -> String {
    let mut table = String::from("| role | tasks |\n| --- | --- |\n");
    for role in Role::ALL {
        let tasks = Task::ALL.into_iter().filter(|task| may(&[role], *task));
        let tasks: Vec<String> = tasks.map(|task| format!("`{}`", task.word())).collect();
        table.push_str(&format!("| `{role}` | {} |\n", tasks.join(", ")));
    }
    table.push_str("\n| task | who does it may |\n| --- | --- |\n");
    for task in Task::ALL {
        table.push_str(&format!("| `{}` | {} |\n", task.word(), task.means()));
    }
    table
}

#[test]
fn the_page_of_roles_is_what_the_code_says() {
    let page = read(&root().join("docs/roles.md"));
    let table = page.split("<!-- roles -->\n").nth(1).unwrap_or("");
    let table = table.split("<!-- /roles -->").next().unwrap_or("");
    assert_eq!(table, roles_table(), "make the table in docs/roles.md again");
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut pages = vec![
        root().join("README.md"),
        root().join("ARCHITECTURE.md"),
        root().join("CHANGELOG.md"),
    ];
    for folder in ["docs", "benches", "config"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder of pages") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|end| end == "md") {
                pages.push(path);
            }
        }
    }
    let mut links = 0;
    for page in &pages {
        let text = read(page);
        for piece in text.split("](").skip(1) {
            let target = piece.split(')').next().unwrap_or("");
            let target = target.split('#').next().unwrap_or("");
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links += 1;
            let path = page.parent().expect("a page lies in a folder").join(target);
            assert!(
                path.exists(),
                "{} links to {target}, which is not there",
                page.display()
            );
        }
    }
    assert!(links > 5, "only {links} links were seen");
}

#[test]
fn the_page_of_exit_codes_names_every_code_of_the_program() {
    let code = read(&root().join("crates/cli/src/exit.rs"));
    let page = read(&root().join("docs/exit-codes.md"));
    let mut seen = 0;
    for line in code.lines().filter(|line| line.starts_with("pub(crate) const ")) {
        let number = line.rsplit("= ").next().unwrap_or("").trim_end_matches(';');
        seen += 1;
        assert!(
            page.contains(&format!("| {number} |")),
            "docs/exit-codes.md does not name {number}"
        );
    }
    assert_eq!(seen, 9);
}
