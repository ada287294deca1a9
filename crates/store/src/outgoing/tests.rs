//! Folders that leave a case: whole or not there.

use super::*;

fn site() -> (tempfile::TempDir, PrivateKey) {
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("case");
    fs::create_dir(&case).expect("a case folder");
    let (key, _) = PrivateKey::read_or_make(&folder.path().join("keys/key.pem"), &case).expect("a key");
    (folder, key)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_has_its_name_only_when_it_is_whole() {
    let (folder, key) = site();
    let target = folder.path().join("out");
    let mut out = Outgoing::begin(&target, Some(&folder.path().join("case"))).expect("begun");
    out.put("a/b.txt", b"text").expect("written");
    let lost = out.create("lost.txt").expect("made");
    out.discard(lost).expect("removed");
    assert!(!target.exists());
    let again = Outgoing::begin(&target, None).expect_err("held");
    assert!(matches!(again, OutgoingError::InUse { .. }), "{again}");
    let sealed = out.seal(&key).expect("sealed");
    assert_eq!((sealed.files, sealed.bytes), (1, 4));
    assert_eq!(names(&target), ["a", MANIFEST, SIGNATURE]);
    let manifest = fs::read(target.join(MANIFEST)).expect("a manifest");
    assert_eq!(
        String::from_utf8_lossy(&manifest),
        "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1  a/b.txt\n"
    );
    let signature: ManifestSignature =
        serde_json::from_slice(&fs::read(target.join(SIGNATURE)).expect("a signature")).expect("JSON");
    assert_eq!(sealed.digest, hex_encode(&Sha256::digest(&manifest)));
    assert!(signature.holds(&sealed.digest, &key.public()));
    assert!(!signature.holds("", &key.public()));
    assert_eq!(names(folder.path()), ["case", "keys", "out"]);
}

#[test]
fn what_was_given_up_is_gone_and_what_was_left_is_said() {
    let (folder, key) = site();
    let target = folder.path().join("out");
    let mut out = Outgoing::begin(&target, None).expect("begun");
    out.put("a.txt", b"text").expect("written");
    drop(out);
    assert_eq!(names(folder.path()), ["case", "keys"]);
    let left = folder.path().join(".out.unfinished");
    fs::create_dir(&left).expect("a folder");
    new_file(&left.join(UNFINISHED)).expect("a mark");
    let out = Outgoing::begin(&target, None).expect("begun again");
    assert!(out.found_unfinished());
    out.seal(&key).expect("sealed");
    fs::create_dir(&left).expect("a folder");
    new_file(&left.join("mine.txt")).expect("a file of somebody");
    let error = Outgoing::begin(&folder.path().join("out"), None).expect_err("taken");
    assert!(matches!(error, OutgoingError::Taken { .. }), "{error}");
    fs::remove_dir_all(&target).expect("removed");
    let error = Outgoing::begin(&target, None).expect_err("foreign");
    assert!(matches!(error, OutgoingError::Foreign { .. }), "{error}");
    assert!(left.join("mine.txt").exists());
}

#[test]
fn places_in_the_case_and_names_that_lead_elsewhere_are_refused() {
    let (folder, _key) = site();
    let case = folder.path().join("case");
    for inside in [case.join("out"), folder.path().join("case/../case/out")] {
        let error = Outgoing::begin(&inside, Some(&case)).expect_err("refused");
        assert!(matches!(error, OutgoingError::InsideCase { .. }), "{error}");
    }
    let mut out = Outgoing::begin(&folder.path().join("out"), Some(&case)).expect("begun");
    for name in ["", "../x", "a//b", "/x", "a/..", "a\\b", "a\nb", MANIFEST, "."] {
        assert!(out.create(name).is_err(), "{name:?}");
    }
}
