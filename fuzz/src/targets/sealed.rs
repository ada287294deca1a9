//! Signed and encrypted messages: CMS, OpenPGP with its armour, and blocks in the text of a mail; with keys that open the seeds.
//!
//! No passwords: a bent count of rounds would make a case that is only slow.

use std::sync::OnceLock;

use embley_formats::opened::Opened;
use embley_formats::smime::keys::{self, SecretKey, Secrets};
use embley_formats::smime::{self, open_mail};

use super::archive::{Taken, check_members, limits};
use super::ensure;
use crate::target::{Target, WORKER_STACK};

const HOLDS: &str =
    "members stay within the limits; the same twice; what gives nothing says why; nothing is opened without a key";

pub(super) const CMS: Target = Target {
    stack_bytes: WORKER_STACK,
    max_bytes: 16 << 10,
    words: &[
        // Types of content: data, signed, enveloped, encrypted, auth-enveloped, compressed.
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01",
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03",
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06",
        b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17",
        b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09",
        // RSA, OAEP, agreement on a curve; AES in both modes, 3DES, RC2.
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07",
        b"\x06\x06\x2b\x81\x04\x01\x0b\x01",
        b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x02",
        b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2e",
        b"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x07",
        b"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x02",
        b"\x30\x80",
        b"\xa0\x80",
        b"\x24\x80",
        b"\0\0",
        b"\xa1\x03",
        b"\xa3\x03",
        b"\x84\xff\xff\xff\xff",
        b"\x31\0",
        b"-----BEGIN CMS-----\n",
        b"-----END CMS-----\n",
    ],
    samples: &[
        ("crates/formats/tests/smime/samples", ".der"),
        ("crates/formats/tests/smime/samples", ".ber"),
        ("crates/formats/tests/smime/samples", ".b64"),
        ("crates/formats/tests/smime/samples", ".p7b"),
        ("crates/formats/tests/smime/samples", ".p7s"),
    ],
    ..Target::new("cms", HOLDS, |bytes| whole(bytes, &cms_keys()))
};

pub(super) const OPENPGP: Target = Target {
    stack_bytes: WORKER_STACK,
    max_bytes: 16 << 10,
    words: &[
        b"-----BEGIN PGP MESSAGE-----\n",
        b"-----END PGP MESSAGE-----\n",
        b"-----BEGIN PGP SIGNED MESSAGE-----\n",
        b"Version: 1\n\n",
        b"\n=twTO\n",
        b"\xef\xbb\xbf",
        // Session key, one for a password, compressed, encrypted, marker, literal, protected, AEAD; a length in parts, one of four octets, one without end.
        b"\xc1\x0d\x03",
        b"\xc3\x0d\x04",
        b"\xc8\x03\x01",
        b"\xc9\xff",
        b"\xca\x03PGP",
        b"\xcb\x0bb\0\0\0\0\0",
        b"\xd2\xe9\x01",
        b"\xd4\x20\x01",
        b"\xe1",
        b"\xff\xff\xff\xff\xff",
        b"\x85\x01\x0c\x03",
        b"\xa3",
        b"=E4",
        b"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"\n",
        b"> ",
    ],
    made: || {
        vec![
            b"-----BEGIN PGP MESSAGE-----\n\nwcDMAw==\n=twTO\n-----END PGP MESSAGE-----\n".to_vec(),
            b"Subject: one\n\nwords\n-----BEGIN PGP MESSAGE-----\nVersion: 1\n\nhF4D\n".to_vec(),
        ]
    },
    samples: &[
        ("crates/formats/tests/smime/samples", ".pgp"),
        ("crates/formats/tests/smime/samples", ".gpg"),
        ("crates/formats/tests/smime/samples", ".asc"),
        ("crates/formats/tests/smime/samples", ".eml"),
    ],
    ..Target::new("openpgp", HOLDS, |bytes| {
        whole(bytes, &pgp_keys())?;
        in_a_mail(bytes, &pgp_keys())
    })
};

fn cms_keys() -> Vec<SecretKey> {
    static KEYS: OnceLock<Vec<SecretKey>> = OnceLock::new();
    let files: [&[u8]; 2] = [
        include_bytes!("../../../crates/formats/tests/smime/samples/sealed/p256.pem"),
        include_bytes!("../../../crates/formats/tests/smime/samples/sealed/rsa.pem"),
    ];
    KEYS.get_or_init(|| read(&files)).clone()
}

fn pgp_keys() -> Vec<SecretKey> {
    static KEYS: OnceLock<Vec<SecretKey>> = OnceLock::new();
    let files: [&[u8]; 1] = [include_bytes!(
        "../../../crates/formats/tests/smime/samples/sealed/carol.asc"
    )];
    KEYS.get_or_init(|| read(&files)).clone()
}

/// Keys of the seeds. A file that cannot be read shows as seeds that stay closed, which the test of the targets sees.
fn read(files: &[&[u8]]) -> Vec<SecretKey> {
    files
        .iter()
        .flat_map(|bytes| keys::read(bytes, &[]).unwrap_or_default())
        .collect()
}

fn run(bytes: &[u8], keys: &[SecretKey], is_mail: bool, refuse_at: Option<usize>) -> (Taken, std::io::Result<Opened>) {
    let secrets = Secrets { passwords: &[], keys };
    let mut taken = Taken {
        refuse_at,
        ..Taken::default()
    };
    let opened = if is_mail {
        open_mail(bytes, &secrets, &limits(), &mut taken)
    } else {
        smime::open(bytes, &secrets, &limits(), &mut taken)
    };
    (taken, opened)
}

fn whole(bytes: &[u8], keys: &[SecretKey]) -> Result<(), String> {
    // Of the probe: whatever it says, it ends.
    let _ = smime::kind_of(bytes);
    check(bytes, keys, false)
}

fn in_a_mail(bytes: &[u8], keys: &[SecretKey]) -> Result<(), String> {
    check(bytes, keys, true)?;
    let mail = [
        b"Subject: sealed\nContent-Type: text/plain\n\nbefore\n",
        bytes,
        b"\nbehind\n",
    ]
    .concat();
    check(&mail, keys, true)
}

fn check(bytes: &[u8], keys: &[SecretKey], is_mail: bool) -> Result<(), String> {
    let (taken, opened) = run(bytes, keys, is_mail, None);
    let opened = opened.map_err(|error| format!("an error that nobody returned: {error}"))?;
    check_members(&taken.list, &limits())?;
    let (again, other) = run(bytes, keys, is_mail, None);
    ensure(
        again.list == taken.list && other.is_ok_and(|other| other == opened),
        || "something else the second time".to_owned(),
    )?;
    if !is_mail {
        let is_silent = taken.list.is_empty() && opened.text.is_empty();
        ensure(
            !is_silent || opened.searchability.is_some() || !opened.defects.is_empty(),
            || "nothing comes of it, and it does not say why".to_owned(),
        )?;
    }
    if !taken.list.is_empty() {
        let (before, refused) = run(bytes, keys, is_mail, Some(0));
        ensure(refused.is_err() && before.list.is_empty(), || {
            "goes on although a member was refused".to_owned()
        })?;
    }
    let (_, closed) = run(bytes, &[], is_mail, None);
    let closed = closed.map_err(|error| format!("an error that nobody returned: {error}"))?;
    ensure(closed.key_used.is_none() && closed.password_used.is_none(), || {
        "opened with a key that was not given".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::root;

    #[test]
    fn the_seeds_are_opened_by_the_keys_of_the_targets() {
        let sealed = root().join("crates/formats/tests/smime/samples/sealed");
        let check = |name: &str, keys: Vec<SecretKey>| {
            let bytes = std::fs::read(sealed.join(name)).expect("a sample");
            let (taken, opened) = run(&bytes, &keys, false, None);
            let opened = opened.expect("nobody refuses");
            assert!(opened.key_used.is_some() && taken.list.len() == 1, "{name}: {opened:?}");
        };
        check("p256.der", cms_keys());
        check("rsa-oaep.der", cms_keys());
        check("carol.pgp", pgp_keys());
    }
}
