//! Encrypted packages: opened by a password of the list, by the default one, or not at all.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Block};
use embley_formats::document::DocumentFormat;
use embley_mapi::compound::{Node, Tree, write};
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;
use sha1::{Digest, Sha1};

use crate::{built, opened};

/// The document of [`built::docx`] under standard encryption with AES-128 ([MS-OFFCRYPTO] 2.3.4.5 to 2.3.4.9).
pub(crate) fn locked_package(password: &str) -> Vec<u8> {
    let salt = [7u8; 16];
    let wide: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hash = |parts: &[&[u8]]| {
        let mut digest = Sha1::new();
        for part in parts {
            digest.update(part);
        }
        digest.finalize().to_vec()
    };
    let mut spun = hash(&[&salt, &wide]);
    for round in 0..50_000u32 {
        spun = hash(&[&round.to_le_bytes(), &spun]);
    }
    let last = hash(&[&spun, &0u32.to_le_bytes()]);
    let mut block = [0x36u8; 64];
    for (to, from) in block.iter_mut().zip(&last) {
        *to ^= from;
    }
    let key = hash(&[&block]);
    let cipher = Aes128::new_from_slice(&key[..16]).expect("16 bytes");
    let seal = |bytes: &[u8]| {
        let mut out = Vec::new();
        for chunk in bytes.chunks(16) {
            let mut block = Block::default();
            block[..chunk.len()].copy_from_slice(chunk);
            cipher.encrypt_block(&mut block);
            out.extend_from_slice(&block);
        }
        out
    };
    let verifier = [9u8; 16];
    let mut info = vec![3, 0, 2, 0, 0x24, 0, 0, 0];
    let mut header = Vec::new();
    for word in [0x24u32, 0, 0x660e, 0x8004, 128, 0x18, 0, 0] {
        header.extend(word.to_le_bytes());
    }
    header.extend([0, 0]);
    info.extend(u32::try_from(header.len()).expect("short").to_le_bytes());
    info.extend(&header);
    info.extend(16u32.to_le_bytes());
    info.extend(salt);
    info.extend(seal(&verifier));
    info.extend(20u32.to_le_bytes());
    info.extend(seal(&hash(&[&verifier])));
    let plain = built::docx();
    let mut body = (plain.len() as u64).to_le_bytes().to_vec();
    body.extend(seal(&plain));
    let mut tree = Tree::new();
    let root = tree.root();
    for (name, content) in [("EncryptionInfo", info), ("EncryptedPackage", body)] {
        let node = Node {
            name: name.to_owned(),
            is_stream: true,
            content,
            ..Node::default()
        };
        tree.add(root, node);
    }
    write(&tree, root).expect("memory")
}

#[test]
fn a_password_of_the_list_opens_a_package_and_its_place_is_said() {
    let bytes = locked_package("s3cret é");
    let (opened, members) = opened(DocumentFormat::Ooxml, &bytes, &["wrong", "s3cret é", "more"]);
    assert!(opened.text.contains("Visible paragraph"));
    assert_eq!((opened.passwords_tried, opened.password_used), (2, Some(1)));
    assert_eq!(members.len(), 2);
    assert!(opened.defects.iter().any(|one| one.code == DefectCode::DocPassword));
    assert!(
        !format!("{opened:?}").contains("s3cret"),
        "the password is never written"
    );
}

#[test]
fn the_default_password_is_tried_and_said() {
    let (opened, _) = opened(DocumentFormat::Compound, &locked_package("VelvetSweatshop"), &["wrong"]);
    assert!(opened.text.contains("Visible paragraph"));
    assert_eq!((opened.passwords_tried, opened.password_used), (1, None));
}

#[test]
fn without_its_password_a_package_is_encrypted_and_not_empty() {
    let (opened, _) = opened(DocumentFormat::Compound, &locked_package("unknown"), &["wrong"]);
    assert_eq!(opened.searchability, Some(Searchability::Encrypted));
    assert_eq!(opened.passwords_tried, 1);
    assert!(opened.defects.iter().any(|one| one.code == DefectCode::DocEncrypted));
}
