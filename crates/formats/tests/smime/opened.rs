//! Encrypted messages with keys and passwords: each algorithm, the wrong key, none, two, locked ones, and damage.

use std::collections::BTreeSet;

use embley_formats::opened::OpenLimits;
use embley_formats::smime::keys::{self, KeyFileError, SecretKey, Secrets};
use embley_formats::smime::{MAIL, open_mail, takes_keys};
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;

use crate::hostile::Random;
use crate::{Kept, opened, opened_with, sample};

pub(crate) const PASSWORD: &str = "correct-horse";

fn sealed(name: &str) -> Vec<u8> {
    sample(&format!("sealed/{name}"))
}

fn passwords() -> Vec<String> {
    vec!["guess".to_owned(), PASSWORD.to_owned()]
}

pub(crate) fn keys_of(names: &[&str]) -> Vec<SecretKey> {
    let read = |name: &&str| keys::read(&sealed(name), &passwords()).expect("a file of keys");
    names.iter().flat_map(read).collect()
}

/// Every sample, and the file of keys that opens it; without one it is a password.
pub(crate) const SEALED: [(&str, &str, &str); 32] = [
    ("rsa-aes128.der", "rsa.pem", "AES-128-CBC"),
    ("rsa-aes192.der", "rsa.pem", "AES-192-CBC"),
    ("rsa-aes256.der", "rsa.pem", "AES-256-CBC"),
    ("rsa-des3.der", "rsa.pem", "3DES-CBC"),
    ("rsa-rc2-128.der", "rsa.pem", "RC2-128-CBC"),
    ("rsa-rc2-40.der", "rsa.pem", "RC2-40-CBC"),
    ("rsa-gcm.der", "rsa.pem", "AES-256-GCM"),
    ("rsa-gcm128.der", "rsa.pem", "AES-128-GCM"),
    ("rsa-keyid.der", "rsa.pem", "AES-256-CBC"),
    ("rsa-oaep.der", "rsa.pem", "AES-256-CBC"),
    ("rsa-oaep-sha256.der", "rsa.pem", "AES-256-CBC"),
    ("rsa-stream.ber", "rsa.pem", "AES-256-CBC"),
    ("two.der", "rsa.pem", "AES-256-CBC"),
    ("two.der", "other.pem", "AES-256-CBC"),
    ("p256.der", "p256.pem", "AES-256-CBC"),
    ("p256.der", "p256-sec1.pem", "AES-256-CBC"),
    ("p256-sha256.der", "p256.pem", "AES-128-CBC"),
    ("p384.der", "p384.pem", "AES-256-CBC"),
    ("p521.der", "p521.pem", "AES-256-CBC"),
    ("password.der", "", "AES-256-CBC"),
    ("carol.pgp", "carol.asc", "OpenPGP"),
    ("erin.pgp.asc", "erin-locked.asc", "OpenPGP"),
    ("both.pgp", "carol.asc", "OpenPGP"),
    ("both.pgp", "erin-locked.asc", "OpenPGP"),
    ("hidden.pgp", "carol.asc", "OpenPGP"),
    ("signed-inside.pgp", "carol.asc", "OpenPGP"),
    ("nocompress.pgp", "carol.asc", "OpenPGP"),
    ("old.pgp", "carol.asc", "OpenPGP"),
    ("password.pgp", "", "OpenPGP"),
    ("rsa-aes256.der", "rsa.p8", "AES-256-CBC"),
    ("rsa-aes256.der", "rsa.p12", "AES-256-CBC"),
    ("rsa-aes256.der", "rsa-legacy.pfx", "AES-256-CBC"),
];

#[test]
fn every_algorithm_opens_to_the_exact_bytes_and_says_by_what() {
    let entity = sample("entity.txt");
    for (name, key, method) in SEALED {
        let keys = if key.is_empty() { Vec::new() } else { keys_of(&[key]) };
        let passwords = if key.is_empty() { passwords() } else { Vec::new() };
        let secrets = Secrets {
            passwords: &passwords,
            keys: &keys,
        };
        let (opened, kept) = opened_with(&sealed(name), &secrets, &OpenLimits::default());
        assert_eq!(kept.0.len(), 1, "{name} with {key}: {opened:?}");
        assert!(kept.0[0].1 == entity, "{name} with {key}");
        assert_eq!(opened.searchability, None, "{name}");
        let codes: BTreeSet<&str> = opened.defects.iter().map(|one| one.code.text()).collect();
        assert!(
            codes.contains("MAIL-DECRYPTED") && !codes.contains("MAIL-ENCRYPTED"),
            "{name}: {codes:?}"
        );
        assert!(!codes.contains("CMS-STRUCTURE"), "{name}: {:?}", opened.defects);
        let note = &opened.defects[opened
            .defects
            .iter()
            .position(|one| one.code == DefectCode::MailDecrypted)
            .expect("it is there")];
        assert!(note.detail.contains(method), "{name}: {}", note.detail);
        if key.is_empty() {
            assert_eq!((opened.password_used, opened.passwords_tried), (Some(1), 2), "{name}");
            assert!(
                note.detail.ends_with("opened by password 2 of the list"),
                "{}",
                note.detail
            );
        } else {
            assert_eq!(opened.key_used.as_deref(), Some(keys[0].name()), "{name}");
            assert_eq!(opened.keys_tried, 1, "{name}");
        }
        assert!(!format!("{opened:?}{keys:?}").contains(PASSWORD), "{name}");
    }
}

#[test]
fn without_a_key_that_fits_nothing_opens_and_the_attempt_is_said() {
    let others = keys_of(&["other.pem", "dave.gpg"]);
    let wrong = vec!["guess".to_owned()];
    for (name, key, _) in SEALED {
        let bytes = sealed(name);
        let (closed, kept) = opened(&bytes, &OpenLimits::default());
        assert!(kept.0.is_empty(), "{name}");
        assert_eq!(closed.searchability, Some(Searchability::Encrypted), "{name}");
        assert_eq!((closed.keys_tried, closed.passwords_tried), (0, 0), "{name}");
        assert!(
            !closed.defects.iter().any(|one| one.detail.contains("tried")),
            "{name}: {closed:?}"
        );
        if key == "other.pem" || name == "two.der" {
            continue;
        }
        let secrets = Secrets {
            passwords: &wrong,
            keys: &others,
        };
        let (tried, kept) = opened_with(&bytes, &secrets, &OpenLimits::default());
        assert!(kept.0.is_empty(), "{name}");
        assert_eq!(tried.searchability, Some(Searchability::Encrypted), "{name}");
        assert_eq!(tried.keys_tried, 1, "{name}: one of the two is of the other kind");
        assert_eq!(tried.key_used, None, "{name}");
        let said = tried.defects.iter().find(|one| one.code == DefectCode::MailEncrypted);
        let said = said.map(|one| one.detail.as_str()).unwrap_or_default();
        assert!(said.contains("; tried in vain: 1 keys"), "{name}: {said}");
        assert_eq!(tried.text, closed.text, "{name}");
    }
}

#[test]
fn among_several_keys_the_one_that_opened_is_named() {
    let keys = keys_of(&["other.pem", "dave.gpg", "p256.pem", "rsa.pem", "carol.asc"]);
    let secrets = Secrets {
        passwords: &[],
        keys: &keys,
    };
    let by = |name: &str| opened_with(&sealed(name), &secrets, &OpenLimits::default()).0.key_used;
    let carol = by("rsa-oaep.der").expect("opened");
    assert!(
        carol.contains("CN=Carol Recipient") && carol.ends_with("serial 0ca401"),
        "{carol}"
    );
    assert!(by("carol.pgp").expect("opened").starts_with("OpenPGP key "));
    assert!(by("p256.der").expect("opened").contains("CN=Erin p256"));
    assert_eq!(by("p384.der"), None);
}

#[test]
fn what_is_signed_inside_is_opened_like_any_signed_content() {
    let keys = keys_of(&["rsa.pem"]);
    let secrets = Secrets {
        passwords: &[],
        keys: &keys,
    };
    let (_, kept) = opened_with(&sealed("signed-inside.der"), &secrets, &OpenLimits::default());
    let mail = &kept.0[0].1;
    let family = embley_formats::mail::parse_message(mail, &embley_formats::mail::ParseLimits::default());
    let part = family
        .items
        .iter()
        .find(|item| item.media_type.contains("pkcs7"))
        .expect("a part");
    let embley_formats::mail::Content::Bytes(content) = &part.content else {
        panic!("memory keeps bytes");
    };
    let (_, kept) = opened(content, &OpenLimits::default());
    assert!(kept.0[0].1 == sample("entity.txt"));
}

#[test]
fn keys_are_read_in_every_form_and_named_by_what_is_public() {
    let bare = keys_of(&["rsa-pkcs1.pem"]);
    assert!(bare[0].name().starts_with("private key "), "{:?}", bare[0]);
    for form in ["rsa-pbes2.pem", "rsa-pbe-3des.pem", "rsa-traditional.pem", "rsa.p8"] {
        assert_eq!(keys_of(&[form]), bare, "{form}");
    }
    let named = keys_of(&["rsa.pem"]);
    for form in ["rsa.p12", "rsa-legacy.pfx"] {
        assert_eq!(keys_of(&[form]), named, "{form}");
    }
    assert!(named[0].name().contains("CN=Carol Recipient"), "{named:?}");
    let travelled: Vec<SecretKey> =
        serde_json::from_str(&serde_json::to_string(&named).expect("JSON")).expect("the same");
    assert_eq!(travelled, named);
    assert!(!format!("{named:?}").contains("material"), "{named:?}");
}

#[test]
fn a_locked_or_unreadable_file_of_keys_is_an_error() {
    let wrong = vec!["guess".to_owned()];
    for name in [
        "rsa-pbes2.pem",
        "rsa-pbe-3des.pem",
        "rsa-traditional.pem",
        "rsa.p12",
        "rsa-legacy.pfx",
        "erin-locked.asc",
    ] {
        let failed = keys::read(&sealed(name), &wrong);
        assert_eq!(failed, Err(KeyFileError::Locked { passwords: 1 }), "{name}");
    }
    for bytes in [&b""[..], b"no key", b"\x30\x03\x02\x01\x00", &sealed("rsa-aes256.der")] {
        assert!(keys::read(bytes, &wrong).is_err(), "{bytes:?}");
    }
}

#[test]
fn cut_and_flipped_content_gives_its_beginning_or_nothing_and_ends() {
    let entity = sample("entity.txt");
    let keys = keys_of(&["rsa.pem", "carol.asc", "p256.pem", "erin-locked.asc"]);
    let passwords = passwords();
    let secrets = Secrets {
        passwords: &passwords,
        keys: &keys,
    };
    let mut partial = 0;
    for name in [
        "rsa-aes256.der",
        "rsa-gcm.der",
        "rsa-stream.ber",
        "p256.der",
        "nocompress.pgp",
        "carol.pgp",
    ] {
        let whole = sealed(name);
        for end in (0..whole.len()).step_by(7) {
            let (opened, kept) = opened_with(&whole[..end], &secrets, &OpenLimits::default());
            // A cut end decrypts to a cut content; only the last block may differ.
            for (_, content, _) in &kept.0 {
                let same = content.iter().zip(&entity).take_while(|(a, b)| a == b).count();
                assert!(same + 16 >= content.len(), "{name} {end}");
                assert!(!opened.defects.is_empty(), "{name} {end}");
                partial += usize::from(same > 0);
            }
        }
    }
    assert!(partial > 20, "only {partial} cut files gave anything");
    let mut random = Random::new(0xbad5eed);
    for _ in 0..1_500 {
        let (name, _, _) = SEALED[random.below(SEALED.len())];
        let mut bytes = sealed(name);
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        opened_with(&bytes, &secrets, &OpenLimits::default());
    }
    for _ in 0..300 {
        let forms = [
            "rsa.p12",
            "rsa-legacy.pfx",
            "rsa-pbes2.pem",
            "rsa.p8",
            "p256.pem",
            "dave.gpg",
            "carol.asc",
        ];
        let mut bytes = sealed(forms[random.below(forms.len())]);
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        let (Ok(_) | Err(_)) = keys::read(&bytes, &passwords);
    }
}

/// RFC 9580 A.9 to A.12.
#[test]
fn the_newer_packets_open_and_a_derivation_that_takes_too_much_is_named() {
    let passwords = vec!["password".to_owned()];
    let secrets = Secrets {
        passwords: &passwords,
        keys: &[],
    };
    for name in ["rfc9580-eax.asc", "rfc9580-gcm.asc", "rfc9580-ocb.asc"] {
        let (opened, kept) = opened_with(&sealed(name), &secrets, &OpenLimits::default());
        assert_eq!(kept.0.len(), 1, "{name}: {opened:?}");
        assert_eq!(kept.0[0].1, b"Hello, world!", "{name}");
    }
    let (opened, kept) = opened_with(&sealed("rfc9580-argon2.asc"), &secrets, &OpenLimits::default());
    assert!(kept.0.is_empty());
    assert_eq!(opened.searchability, Some(Searchability::Encrypted));
    let said = opened.defects.iter().find(|one| one.code == DefectCode::CmsStructure);
    assert!(
        said.is_some_and(|one| one.detail.contains("not supported")),
        "{opened:?}"
    );
}

#[test]
fn blocks_in_the_text_of_a_mail_open_one_by_one() {
    let armoured = String::from_utf8(sealed("erin.pgp.asc")).expect("ASCII");
    let mail =
        format!("From: a@sealed.example\nSubject: x\n\nSee below.\n\n{armoured}\nand again\n\n{armoured}\nbye\n");
    let open = |keys: &[SecretKey]| {
        let secrets = Secrets { passwords: &[], keys };
        let mut kept = Kept::default();
        let opened =
            open_mail(mail.as_bytes(), &secrets, &OpenLimits::default(), &mut kept).expect("the taker never fails");
        (opened, kept)
    };
    assert!(takes_keys(MAIL));
    let (closed, kept) = open(&[]);
    assert_eq!(
        (closed.searchability, kept.0.len()),
        (Some(Searchability::Encrypted), 0)
    );
    assert!(closed.defects.is_empty(), "{closed:?}");
    let (opened, kept) = open(&keys_of(&["erin-locked.asc"]));
    assert_eq!((opened.searchability, kept.0.len()), (None, 2), "{opened:?}");
    assert!(kept.0.iter().all(|one| one.1 == sample("entity.txt")));
    assert!(opened.text.is_empty(), "the text of a mail is its own");
    let (wrong, _) = open(&keys_of(&["dave.gpg"]));
    assert!(
        wrong.defects[0]
            .detail
            .starts_with("block 1 of 2 in the text: OpenPGP; tried in vain: 1 keys"),
        "{wrong:?}"
    );
    let mut none = Kept::default();
    let plain = open_mail(
        b"Subject: x\n\nhello\n",
        &Secrets::default(),
        &OpenLimits::default(),
        &mut none,
    );
    assert_eq!(plain.expect("read").reader, "none");
}
