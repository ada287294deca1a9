//! A folder of documents and containers made in code, and what is known about each text in it.

use std::path::{Path, PathBuf};

use embley_tests::{Site, files, made, packed};
use sha2::{Digest, Sha256};

/// A text of the folder: a word that stands in it alone, and where it lies.
pub(crate) struct Known {
    /// The word.
    pub(crate) word: &'static str,
    /// The path of its file as instances show it; `made` is the label of the source.
    pub(crate) path: &'static str,
    /// Bytes of the item where they are a member or part as it was put in; nothing where they are made by a reader.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// The folder, and what is in it.
pub(crate) struct Evidence {
    pub(crate) folder: PathBuf,
    pub(crate) known: Vec<Known>,
    /// The message that lies there loose and in an archive.
    pub(crate) twice: Vec<u8>,
}

/// Contacts in the PST of another project (see the samples of `embley-pst`).
pub(crate) const CONTACTS: u64 = 72;
/// How many of them differ.
pub(crate) const DISTINCT_CONTACTS: usize = 7;

/// Makes the folder `made` below `above`.
pub(crate) fn make(above: &Path) -> Evidence {
    let folder = above.join("made");
    let mut known = Vec::new();
    let mut know = |word: &'static str, path: &'static str, bytes: Option<&[u8]>| {
        known.push(Known {
            word,
            path,
            bytes: bytes.map(<[u8]>::to_vec),
        });
    };

    // An archive in an archive, with a mailbox and a document.
    let mail = ["xqboxone", "xqboxtwo", "xqboxthree"];
    let messages: Vec<Vec<u8>> = (0..)
        .zip(mail)
        .map(|(number, word)| made::message(number, word))
        .collect();
    let letter = packed::docx("the minister wrote xqletter");
    let inner = packed::zip(&[("box.mbox", &made::mailbox(&messages)), ("deep/letter.docx", &letter)]);
    let note = b"a plain note with xqnote in it\n";
    files::write(
        &folder.join("nested.zip"),
        packed::zip(&[("notes/note.txt", note), ("inner.zip", &inner)]),
    );
    for (word, message) in mail.into_iter().zip(&messages) {
        know(word, "made/nested.zip/inner.zip/box.mbox", Some(message));
    }
    know("xqletter", "made/nested.zip/inner.zip/deep/letter.docx", Some(&letter));
    know("xqnote", "made/nested.zip/notes/note.txt", Some(note));

    // A Maildir in a compressed tar, which is one container.
    let delivered = made::message(10, "xqmaildir");
    let tar = packed::tar(&[("Maildir/cur/1577880000.1.host:2,S", &delivered)]);
    files::write(&folder.join("maildir.tar.gz"), packed::gzip(&tar));
    know(
        "xqmaildir",
        "made/maildir.tar.gz/Maildir/cur/1577880000.1.host:2,S",
        Some(&delivered),
    );

    // Loose documents.
    let documents: [(&'static str, &'static str, Vec<u8>); 6] = [
        ("xqdocx", "made/documents/a.docx", packed::docx("the contractor xqdocx")),
        ("xqxlsx", "made/documents/b.xlsx", packed::xlsx("the ledger xqxlsx")),
        ("xqpptx", "made/documents/c.pptx", packed::pptx("the slide xqpptx")),
        ("xqodt", "made/documents/d.odt", packed::odt("the draft xqodt")),
        ("xqpdf", "made/documents/e.pdf", packed::pdf("the page xqpdf")),
        (
            "xqžluťoučký",
            "made/documents/f.rtf",
            packed::rtf_1250("the horse xq\\'9elu\\'9dou\\'e8k\\'fd runs"),
        ),
    ];
    for (word, path, bytes) in documents {
        files::write(&above.join(path), &bytes);
        know(word, path, Some(&bytes));
    }

    // A PST, packed once more.
    let contacts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/pst/tests/samples/contacts.pst.zst");
    files::write(&folder.join("contacts.pst.zst"), files::read(&contacts));

    // A message with a document, an archive and a TNEF stream.
    let attached = packed::docx("attached is xqattached");
    let zipped = b"in the archive of the message stands xqzipped\n";
    let in_tnef = b"a file that Outlook packed: xqtneffile\n";
    let archive = packed::zip(&[("zipped.txt", zipped)]);
    let tnef = packed::tnef("subject of tnef", "the body xqtnefbody", "packed.txt", in_tnef);
    let message = packed::mail(
        "files",
        "three files are attached xqcarrier",
        &[
            (
                "attached.docx",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                &attached,
            ),
            ("archive.zip", "application/zip", &archive),
            ("winmail.dat", "application/ms-tnef", &tnef),
        ],
    );
    files::write(&folder.join("mail/files.eml"), &message);
    know("xqcarrier", "made/mail/files.eml", Some(&message));
    know("xqattached", "made/mail/files.eml", Some(&attached));
    know("xqzipped", "made/mail/files.eml/2 archive.zip/zipped.txt", Some(zipped));
    know("xqtnefbody", "made/mail/files.eml/3 winmail.dat/message", None);
    know("xqtneffile", "made/mail/files.eml/3 winmail.dat/message", Some(in_tnef));

    // One message, loose and in an archive.
    let twice = made::message(20, "xqtwice");
    files::write(&folder.join("mail/loose.eml"), &twice);
    files::write(&folder.join("copies.zip"), packed::zip(&[("copy.eml", &twice)]));

    Evidence { folder, known, twice }
}

/// A case in which the folder was taken in with these options and nothing was left out.
pub(crate) fn taken_in(evidence: &Evidence, options: &[&str]) -> Site {
    let site = Site::new();
    let mut args = vec![evidence.folder.to_str().expect("UTF-8")];
    args.extend(options);
    site.ingest(&args).expect(0).says(&["all sums close"]);
    site
}

/// Lower-case hexadecimal of the SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Places of an item: path and status.
pub(crate) fn places(site: &Site, item: u64) -> Vec<(String, String)> {
    let shown = site
        .ok(&["show", &item.to_string(), "--instances", "--format", "json"])
        .json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let instances = shown["instances"].as_array().expect("instances");
    instances
        .iter()
        .map(|one| (text(&one["path"]), text(&one["status"])))
        .collect()
}

/// The case has no findings, byte by byte.
#[track_caller]
pub(crate) fn check_deep(site: &Site) {
    let report = site.ok(&["verify", "--deep", "--format", "json"]).json();
    assert_eq!(report["count"], 0, "{report}");
    assert!(report["checked"]["items"].as_u64() > Some(0), "{report}");
}
