//! The same config gives the same files, and the stream gives what is written.

use std::path::Path;

use embley_corpus::{BoxFormat, CorpusConfig, MessageStream, write_corpus};

use crate::reader::walk;

fn digest(dir: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    walk(dir, Path::new(""), &mut files);
    files
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(dir.join(&path)).expect("readable");
            (path.display().to_string(), blake3::hash(&bytes).to_hex().to_string())
        })
        .collect()
}

fn config(seed: u64) -> CorpusConfig {
    let mut config = CorpusConfig::new(700, seed);
    config.formats = vec![
        BoxFormat::Mboxrd,
        BoxFormat::Maildir,
        BoxFormat::Eml,
        BoxFormat::MboxrdCrlf,
    ];
    config
}

#[test]
fn equal_configs_give_equal_files_and_another_seed_does_not() {
    let folders: Vec<_> = (0..3)
        .map(|_| tempfile::tempdir().expect("a temporary folder"))
        .collect();
    for (folder, seed) in folders.iter().zip([5, 5, 6]) {
        write_corpus(folder.path(), &config(seed)).expect("written");
    }
    let first = digest(folders[0].path());
    assert!(first.len() > 200, "{}", first.len());
    assert_eq!(first, digest(folders[1].path()));
    assert_ne!(first, digest(folders[2].path()));
}

/// The bytes of a known corpus never change by accident: benches compare runs over it.
#[test]
fn the_bytes_of_a_known_seed_stay_what_they_were() {
    let mut stream = MessageStream::new(&CorpusConfig::new(2000, 42)).expect("a good config");
    let mut hasher = blake3::Hasher::new();
    let mut count = 0;
    while let Some(message) = stream.next_message() {
        hasher.update(message.bytes);
        count += message.places.len();
    }
    assert_eq!(count, 2000);
    assert_eq!(
        hasher.finalize().to_hex().to_string(),
        "5a2ebbe819c23a9c906a73bba19906b443809ce30ce9f6a94297dd4c97e74bf2"
    );
}

#[test]
fn a_corpus_of_any_small_size_can_be_made() {
    for messages in [0, 1, 2, 63, 64, 65, 130] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = CorpusConfig::new(messages, 9);
        config.custodians = 1;
        let truth = write_corpus(folder.path(), &config).expect("written");
        assert_eq!(truth.messages, messages);
        assert!(folder.path().join("truth.json").is_file());
        let text = std::fs::read(folder.path().join("truth.json")).expect("readable");
        let again: embley_corpus::Truth = serde_json::from_slice(&text).expect("the truth can be read back");
        assert_eq!(again, truth);
    }
}
