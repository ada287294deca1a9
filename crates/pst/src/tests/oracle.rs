//! The writer of these tests writes what an independent reader reads, so that reader and writer are not wrong together.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::whole::{ALL, store_of};

fn subjects(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            subjects(&path, found);
            continue;
        }
        let bytes = fs::read(&path).expect("reads");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        found.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix("Subject: ").map(str::to_owned)),
        );
    }
}

#[test]
fn an_independent_reader_finds_the_messages_of_every_layout() {
    if Command::new("readpst").arg("-V").output().is_err() {
        std::io::stderr()
            .write_all(b"not run: readpst is not installed\n")
            .expect("stderr");
        return;
    }
    for (number, (version, crypt)) in ALL.into_iter().enumerate() {
        let place = std::env::temp_dir().join(format!("embley-pst-oracle-{}-{number}", std::process::id()));
        fs::create_dir(&place).expect("a folder");
        let input = place.join("made.pst");
        let mut file = fs::File::create_new(&input).expect("a file");
        file.write_all(&store_of(version, crypt, 5).bytes).expect("writes");
        let run = Command::new("readpst")
            .args(["-S", "-D", "-j", "0", "-q", "-o"])
            .arg(&place)
            .arg(&input)
            .output();
        assert!(run.expect("runs").status.success());
        let mut found = Vec::new();
        for entry in fs::read_dir(&place).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                subjects(&path, &mut found);
            }
        }
        found.sort();
        // Five that are listed and one that is in the tree only.
        let expected: Vec<String> = (0..6).map(|at| format!("Re: subject {at}")).collect();
        assert_eq!(found, expected, "{version:?} {crypt:?}");
        #[expect(clippy::disallowed_methods, reason = "a folder of this test")]
        fs::remove_dir_all(&place).expect("goes");
    }
}
