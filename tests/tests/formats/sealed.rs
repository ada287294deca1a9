//! Encrypted mail: not searchable and counted as long as its key is missing, found by its words once the key is given, at once or later.

use std::path::PathBuf;

use embley_tests::{Site, files};

use crate::evidence::{check_deep, places};

const PASSPHRASE: &str = "correct-horse";

/// A file of the samples of `embley-formats`.
fn sample(name: &str) -> PathBuf {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/formats/tests/smime/samples/sealed"
    );
    PathBuf::from(folder).join(name)
}

/// A mailbox of an S/MIME mail, a PGP/MIME mail, one with a block in its text, and one that is open.
fn mailbox(site: &Site) -> PathBuf {
    let folder = site.path("made");
    let mut mailbox = Vec::new();
    for name in ["smime.eml", "pgp-mime.eml", "inline.eml"] {
        mailbox.extend_from_slice(b"From dave@sealed.example Tue Mar  3 10:00:00 2020\n");
        mailbox.extend_from_slice(&files::read(&sample(name)));
        mailbox.push(b'\n');
    }
    mailbox.extend_from_slice(
        b"From dave@sealed.example Tue Mar  3 10:00:00 2020\nSubject: open\n\nnothing to hide, xqopen\n",
    );
    files::write(&folder.join("sealed.mbox"), mailbox);
    folder
}

const HIDDEN: [&str; 4] = ["xqsmime", "xqpgpmime", "xqpgplist", "xqinline"];

/// How many items are encrypted, by the answer of `status`.
fn encrypted(site: &Site) -> u64 {
    let run = site.last_run();
    let totals = run["not_searchable"].as_object();
    let totals = totals.unwrap_or_else(|| panic!("no such counts: {run}"));
    totals.get("encrypted").and_then(serde_json::Value::as_u64).unwrap_or(0)
}

fn passphrases(site: &Site) -> PathBuf {
    let path = site.path("passwords.txt");
    files::write(&path, format!("guess\n{PASSPHRASE}\n"));
    path
}

#[test]
fn encrypted_mail_is_counted_until_its_keys_are_given_and_then_found() {
    let source = Site::bare();
    let folder = mailbox(&source);
    let site = Site::new();
    let ran = site.ingest(&[&folder]);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    for word in HIDDEN {
        assert_eq!(site.count(word), 0, "{word} is encrypted");
    }
    assert_eq!((site.count("xqopen"), site.count("xqhello")), (1, 1));
    // Three mails, the part of the first, and the second part of the second.
    assert_eq!(encrypted(&site), 5);
    assert_eq!(site.count("defect:MAIL-ENCRYPTED"), 5);

    // A key that is none of theirs: as before, and the attempt is on record.
    let other = sample("dave.gpg");
    site.ok(&[
        "exceptions".as_ref(),
        "--retry".as_ref(),
        "--keys".as_ref(),
        other.as_os_str(),
    ]);
    assert_eq!(encrypted(&site), 5);
    let listed = site.ok(&["exceptions", "--all", "--format", "jsonl"]);
    assert!(listed.text().contains("tried in vain: 1 keys"), "{}", listed.text());

    // Theirs: two forms of keys, one of them locked.
    let (carol, erin, pem) = (sample("carol.asc"), sample("erin-locked.asc"), sample("rsa.pem"));
    let passwords = passphrases(&source);
    site.ok(&[
        "exceptions".as_ref(),
        "--retry".as_ref(),
        "--keys".as_ref(),
        pem.as_os_str(),
        "--keys".as_ref(),
        carol.as_os_str(),
        "--keys".as_ref(),
        erin.as_os_str(),
        "--passwords".as_ref(),
        passwords.as_os_str(),
    ]);
    for word in HIDDEN {
        assert_eq!(site.count(word), 1, "{word} was opened");
    }
    assert_eq!(encrypted(&site), 0);
    assert_eq!(site.count("defect:MAIL-ENCRYPTED"), 0);
    assert_eq!(site.count("defect:MAIL-DECRYPTED"), 5);
    assert_eq!((site.count("xqopen"), site.count("xqhello")), (1, 1));
    assert_eq!(site.count("has:encrypted"), 3, "that it was encrypted stays on record");
    let hit = &site.hits("xqsmime")[0];
    let path = places(&site, hit["item_no"].as_u64().expect("a number"))[0].0.clone();
    assert!(path.starts_with("made/sealed.mbox/#0/1 smime.p7m"), "{path}");
    let hit = &site.hits("xqinline")[0];
    let path = places(&site, hit["item_no"].as_u64().expect("a number"))[0].0.clone();
    assert!(path.starts_with("made/sealed.mbox/#2/"), "{path}");
    let listed = site.ok(&["exceptions", "--all", "--format", "jsonl"]);
    assert!(listed.text().contains("CN=Carol Recipient"), "{}", listed.text());
    assert_eq!(site.last_run()["balanced"], true);
    check_deep(&site);
    // What was derived can be made again and comes to the same.
    let before = site.answers();
    site.ok(&["reindex", "--progress", "none"]);
    assert_eq!(site.answers(), before);
    no_secrets(&site);
}

#[test]
fn keys_given_at_once_open_at_once() {
    let source = Site::bare();
    let folder = mailbox(&source);
    let site = Site::new();
    let passwords = passphrases(&source);
    let mut args = vec![
        folder.into_os_string(),
        "--passwords".into(),
        passwords.into_os_string(),
    ];
    for name in ["rsa.p12", "carol.asc", "erin-locked.asc"] {
        args.extend(["--keys".into(), sample(name).into_os_string()]);
    }
    site.ingest(&args).expect(0);
    for word in HIDDEN {
        assert_eq!(site.count(word), 1, "{word} was opened");
    }
    assert_eq!(encrypted(&site), 0);
    let again = site.ingest(&args).expect(0);
    assert_eq!(site.count("defect:MAIL-DECRYPTED"), 5, "{again:?}");
    check_deep(&site);
    no_secrets(&site);
}

#[test]
fn what_a_key_opened_is_known_at_a_place_found_later_without_the_key() {
    let source = Site::bare();
    let mail = source.path("mail");
    for name in ["smime.eml", "inline.eml"] {
        files::write(&mail.join("ann").join(name), files::read(&sample(name)));
    }
    let site = Site::new();
    let mut args = vec![
        mail.clone().into_os_string(),
        "--custodian-from-path".into(),
        "1".into(),
    ];
    let without = args.clone();
    let passwords = passphrases(&source);
    args.extend(["--passwords".into(), passwords.into_os_string()]);
    for name in ["rsa.pem", "carol.asc", "erin-locked.asc"] {
        args.extend(["--keys".into(), sample(name).into_os_string()]);
    }
    site.ingest(&args).expect(0);
    let words = ["xqsmime", "xqinline"];
    for word in words {
        assert_eq!(site.count(word), 1, "{word} was opened");
    }
    for name in ["smime.eml", "inline.eml"] {
        files::write(&mail.join("ben").join(name), files::read(&sample(name)));
    }
    let ran = site.ingest(&without);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    assert_eq!(site.last_run()["balanced"], true);
    for word in words {
        let hit = &site.hits(word)[0];
        let found = places(&site, hit["item_no"].as_u64().expect("a number"));
        let [(first, _), (second, status)] = &found[..] else {
            panic!("{word}: {found:?}");
        };
        assert_eq!(
            (second, status.as_str()),
            (&first.replace("mail/ann/", "mail/ben/"), "duplicate"),
            "{word}"
        );
        assert_eq!(site.count(&format!("{word} AND custodian:ben")), 1, "{word}");
    }
    assert_eq!(encrypted(&site), 0);
    // A third run finds nothing new.
    site.ingest(&without);
    let hit = &site.hits("xqsmime")[0];
    assert_eq!(places(&site, hit["item_no"].as_u64().expect("a number")).len(), 2);
    check_deep(&site);
    no_secrets(&site);
}

#[test]
fn a_file_of_keys_that_cannot_be_read_is_named() {
    let source = Site::bare();
    let folder = mailbox(&source);
    let site = Site::new();
    for name in ["erin-locked.asc", "rsa-aes256.der", "missing.pem"] {
        let key = sample(name);
        let ran = site.ingest(&[folder.as_os_str(), "--keys".as_ref(), key.as_os_str()]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(name), "{ran:?}");
    }
}

/// Neither a passphrase nor a private key is anywhere in the case.
fn no_secrets(site: &Site) {
    let pem = String::from_utf8(files::read(&sample("rsa.pem"))).expect("ASCII");
    let line = pem.lines().nth(5).expect("a line of the key").as_bytes().to_vec();
    for path in files::all_files(site.case()) {
        let bytes = files::read(&path);
        for secret in [PASSPHRASE.as_bytes(), &line] {
            let found = bytes.windows(secret.len()).any(|piece| piece == secret);
            assert!(!found, "{} holds a secret", path.display());
        }
    }
}
