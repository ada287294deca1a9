//! Time stamps with `openssl ts` as the authority, whose certificates are made here.

use std::path::Path;
use std::process::Command;

use embley_tests::{Site, files};

const SETTINGS: &str = "\
[tsa]\ndefault_tsa = one\n[one]\nserial = SERIAL\ncrypto_device = builtin\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n\
digests = sha256\naccuracy = secs:1\nordering = yes\ntsa_name = yes\ness_cert_id_chain = no\ness_cert_id_alg = sha256\n\
[req]\ndistinguished_name = name\n[name]\n[ca]\nbasicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign\n\
[stamp]\nbasicConstraints = CA:false\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = critical,timeStamping\n";

fn openssl(folder: &Path, words: &str) -> String {
    let ran = Command::new("openssl")
        .args(words.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl is installed (Debian package openssl)");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(ran.status.success(), "openssl {words}: {said}");
    said
}

/// An authority: its root's certificate is `ca.pem`.
fn authority(folder: &Path) {
    files::write(
        &folder.join("tsa.cnf"),
        SETTINGS.replace("SERIAL", &folder.join("serial").display().to_string()),
    );
    files::write(&folder.join("serial"), "01\n");
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Root -days 30 -config tsa.cnf -extensions ca",
    );
    openssl(
        folder,
        "req -new -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=Stamps -config tsa.cnf",
    );
    openssl(
        folder,
        "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 30 -out tsa.pem -extfile tsa.cnf -extensions stamp",
    );
}

#[test]
fn a_checkpoint_is_stamped_by_openssl_and_verified_by_it() {
    let site = Site::new();
    let folder = site.path("authority");
    authority(&folder);
    let shown = |name: &str| folder.join(name).display().to_string();
    let key = shown("key.pem");
    site.ok(&["audit", "checkpoint", "--key", &key, "--tsq", &shown("one.tsq")])
        .says(&["--tsr"]);
    let query = openssl(&folder, "ts -query -in one.tsq -text");
    assert!(
        query.contains("Hash Algorithm: sha256") && query.contains("Certificate required: yes"),
        "{query}"
    );
    assert!(query.contains("Nonce: 0x"), "{query}");
    openssl(
        &folder,
        "ts -reply -config tsa.cnf -queryfile one.tsq -signer tsa.pem -inkey tsa.key -chain ca.pem -out one.tsr",
    );
    // Nothing but the one it is about takes it.
    let other = Site::new();
    other.ok(&["audit", "checkpoint", "--key", &key]);
    other
        .run(&["audit", "checkpoint", "--tsr", &shown("one.tsr")])
        .expect(2)
        .says(&["about no checkpoint of this log"]);
    site.run(&["audit", "checkpoint", "--tsr", &shown("one.tsq")])
        .expect(2)
        .says(&["not a time-stamp response"]);
    let ran = site.ok(&["audit", "checkpoint", "--tsr", &shown("one.tsr")]);
    // The command that it names holds as it stands.
    let line = ran
        .stderr
        .lines()
        .find_map(|line| line.split("says: openssl ").nth(1))
        .expect("a command");
    let said = openssl(&folder, &line.replace("AUTHORITY.pem", "ca.pem"));
    assert!(said.contains("Verification: OK"), "{said}");
    let report = site.ok(&["audit", "verify", "--format", "json"]).json();
    let stamped = report["checkpoints"][0]["stamped"][0].as_str().expect("a time");
    assert!(stamped.starts_with("20") && stamped.ends_with('Z'), "{report}");
    // A request is never written over; a token that is changed or gone is named.
    site.run(&["audit", "checkpoint", "--key", &key, "--tsq", &shown("one.tsq")])
        .expect(2)
        .says(&["never written over"]);
    let kept = files::entries(&site.case().join("audit/checkpoints"));
    let token = kept
        .iter()
        .find(|path| path.extension().is_some_and(|end| end == "tsr"))
        .expect("a token");
    let whole = files::read(token);
    files::flip(token, whole.len() / 2);
    let report = site.run(&["audit", "verify", "--format", "json"]).expect(1).json();
    assert_eq!(report["findings"][0]["what"], "edited", "{report}");
    files::remove(token);
    let report = site.run(&["audit", "verify", "--format", "json"]).expect(1).json();
    assert_eq!(report["findings"][0]["what"], "removed", "{report}");
    files::write(token, whole);
    site.ok(&["audit", "verify"]);
}
