//! The README's first hour, typed as it stands into a shell, over made mail.

use std::process::Command;

use embley_tests::made;
use embley_tests::program::binary;
use embley_tests::site::Site;

/// A case record of the reference that the README names.
const RECORD: &str = r#"{"record_type":"case","source_system":"sample","record_id":"C-17","case_ref":"CM/2019/17","case_type":"conduct_matter","opened_at":"2019-03-04T09:00:00+00:00"}
"#;

/// The `sh` block below "A first hour".
fn first_hour() -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("README.md");
    let section = readme.split("## A first hour").nth(1).expect("the section");
    let block = section.split("```sh").nth(1).expect("a block of commands");
    block.split("```").next().expect("its end").to_owned()
}

#[test]
fn every_command_of_the_first_hour_works_as_it_stands() {
    let site = Site::bare();
    made::corpus(&site.path("made"), 300, 5);
    embley_tests::files::rename(&site.path("made").join("mail"), &site.path("mail"));
    embley_tests::files::write(&site.path("cases.jsonl"), RECORD);
    // Building is what the test has done; 1 is a search without hits, 3 a run with exceptions.
    let mut script = String::new();
    let mut commands = 0;
    for line in first_hour()
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("cargo build"))
    {
        commands += usize::from(line.starts_with("embley "));
        script.push_str(&format!(
            "{line}\ncode=$?\ncase $code in 0|1|3) ;; *) echo 'the README line that failed' $code >&2; exit 99 ;; esac\n"
        ));
    }
    assert!(commands > 18, "only {commands} commands were found in the README");
    let folder = binary().parent().expect("the binary lies in a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let ran = Command::new("sh")
        .args(["-x", "-c", &script])
        .current_dir(site.root())
        .env("HOME", site.root())
        .env("PATH", path)
        .env_remove("EMBLEY_CASE")
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("all sums close") && said.contains("0 findings"), "{said}");
}
