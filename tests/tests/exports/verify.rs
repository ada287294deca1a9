//! `verify-export`: an unchanged folder is the same, every change is named; the manifest is readable without this program.

use std::process::Command;

use embley_tests::{Program, files};
use serde_json::Value;

use super::scene::{self, exported, listing, verified};

fn differences(value: &Value) -> Vec<(String, String)> {
    let all = value["differences"].as_array().expect("a list");
    let word = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    all.iter().map(|one| (word(one, "kind"), word(one, "path"))).collect()
}

#[test]
fn a_production_is_checked_without_its_case_and_each_difference_is_named() {
    let site = scene::scene();
    let (ran, out) = scene::export(&site, "out", &["--query", "*", "--as", "dat"]);
    let made = ran.expect(0).json();
    let made = &made["exports"][0];
    let (digest, key) = (
        made["digest"].as_str().expect("a digest"),
        made["key_id"].as_str().expect("an id"),
    );
    files::remove(site.case());
    let ran = verified(&out, &["--key-id", key, "--digest", digest])
        .expect(0)
        .says(&["same", "which you named"]);
    let value = ran.json();
    assert_eq!(
        (&value["same"], &value["digest"], &value["signature"]["trusted"]),
        (&true.into(), &digest.into(), &true.into())
    );
    assert_eq!(value["export"]["counts"]["items"], 9);
    // The list of files is one that coreutils check.
    let checked = Command::new("sha256sum")
        .args(["--check", "--quiet", "--strict", "manifest.sha256"])
        .current_dir(&out)
        .status();
    assert!(checked.expect("sha256sum runs").success());

    let names = listing(&out);
    let native = names.iter().find(|name| name.contains("NATIVES")).expect("an original");
    let body = names.iter().find(|name| name.contains("TEXT")).expect("a text");
    let copy = |name: &str| {
        let other = site.path(name);
        files::copy_folder(&out, &other);
        other
    };
    let changed = copy("changed");
    files::flip(&changed.join(native), 3);
    let removed = copy("removed");
    files::remove(&removed.join(body));
    let added = copy("added");
    files::write(&added.join("VOL01/NATIVES/extra.eml"), "x");
    let linked = copy("linked");
    files::remove(&linked.join(body));
    std::os::unix::fs::symlink(out.join(body), linked.join(body)).expect("a link");
    // What lies behind a link is not in the folder, whatever its bytes are.
    let led_away = copy("led-away");
    files::copy_folder(&led_away.join("VOL01"), &site.path("elsewhere"));
    files::remove(&led_away.join("VOL01"));
    std::os::unix::fs::symlink(site.path("elsewhere"), led_away.join("VOL01")).expect("a link");
    let ran = verified(&led_away, &[]).expect(1);
    let found = differences(&ran.json());
    let behind = names.iter().filter(|name| name.starts_with("VOL01/")).count();
    assert_eq!(
        found.iter().filter(|one| one.0 == "missing").count(),
        behind,
        "{found:?}"
    );
    assert!(found.contains(&("added".to_owned(), "VOL01".to_owned())), "{found:?}");
    // Nobody reads what differs: the code says it all the same.
    let folder = changed.to_string_lossy().into_owned();
    Program::new(&["verify-export", &folder, "--format", "json"])
        .run_unread()
        .expect(1);
    for (folder, expected) in [
        (&changed, vec![("changed", native.as_str())]),
        (&removed, vec![("missing", body.as_str())]),
        (&added, vec![("added", "VOL01/NATIVES/extra.eml")]),
        (&linked, vec![("missing", body.as_str()), ("added", body.as_str())]),
    ] {
        let ran = verified(folder, &[]).expect(1).says(&["NOT the same"]);
        let found = differences(&ran.json());
        let expected: Vec<(String, String)> = expected
            .into_iter()
            .map(|(kind, path)| (kind.to_owned(), path.to_owned()))
            .collect();
        assert_eq!(found, expected);
    }
    verified(&out, &["--digest", &"0".repeat(64)])
        .expect(1)
        .says(&["not the one you named"]);
    verified(&out, &["--key-id", "00"]).expect(1);
}

#[test]
fn a_manifest_that_was_written_again_does_not_have_the_signature() {
    let site = scene::scene();
    let out = exported(&site, "out", &["--query", "*", "--as", "csv"]);
    let list = out.join("items.csv");
    files::append(&list, b"forged\r\n");
    let hash = |path: &std::path::Path| {
        use sha2::{Digest, Sha256};
        Sha256::digest(files::read(path))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let manifest = out.join("manifest.sha256");
    let text = String::from_utf8(files::read(&manifest)).expect("text");
    let forged: String = text
        .lines()
        .map(|line| {
            if line.ends_with("  items.csv") {
                format!("{}  items.csv\n", hash(&list))
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    files::write(&manifest, forged);
    let found = differences(&verified(&out, &[]).expect(1).json());
    assert_eq!(
        found.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(),
        ["signature", "counts"],
        "{found:?}"
    );
    // With a manifest that leads elsewhere, nothing elsewhere is opened.
    let line = format!("{}  ../case/case.toml\n", "0".repeat(64));
    files::write(&manifest, line);
    let found = differences(&verified(&out, &[]).expect(1).json());
    assert!(found.iter().all(|(_, path)| !path.contains("case.toml")), "{found:?}");
    assert!(
        found.contains(&("form".to_owned(), "manifest.sha256".to_owned())),
        "{found:?}"
    );
    verified(&site.path("nowhere"), &[]).expect(4);
    verified(site.root(), &[])
        .expect(1)
        .says(&["the signature does not hold"]);
}
