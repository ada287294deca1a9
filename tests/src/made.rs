//! Made mail for the tests: seeded corpora, and single messages and mailboxes written out by hand.

use std::path::Path;

use embley_corpus::{BoxFormat, CorpusConfig, Truth, write_corpus};

/// All layouts that the maker knows, in turn over the custodians.
pub const FORMATS: [BoxFormat; 6] = [
    BoxFormat::Mboxrd,
    BoxFormat::Maildir,
    BoxFormat::Eml,
    BoxFormat::Mboxo,
    BoxFormat::Mboxcl2,
    BoxFormat::MboxrdCrlf,
];

/// Makes a corpus of six custodians, one for each layout, below `folder`.
pub fn corpus(folder: &Path, messages: u64, seed: u64) -> Truth {
    corpus_of(folder, messages, seed, &FORMATS)
}

/// Makes a corpus in these layouts.
pub fn corpus_of(folder: &Path, messages: u64, seed: u64, formats: &[BoxFormat]) -> Truth {
    let mut config = CorpusConfig {
        custodians: u32::try_from(formats.len().max(4)).expect("few formats"),
        cases: 6,
        formats: formats.to_vec(),
        needle_rounds: 2,
        ..CorpusConfig::new(messages, seed)
    };
    // More of what small corpora would have hardly any of.
    config.shares.from_lines = 0.02;
    config.shares.broken = 0.03;
    config.shares.bounces = 0.02;
    write_corpus(folder, &config).expect("the corpus is made")
}

/// A plain message whose only rare word is `word`.
pub fn message(number: u32, word: &str) -> Vec<u8> {
    let (hour, minute) = (number / 60 % 24, number % 60);
    format!(
        "Message-ID: <{number}.{word}@mail.example>\nDate: Mon, 6 Jan 2020 {hour:02}:{minute:02}:00 +0000\n\
         From: Ash Birch <ash.birch@mail.example>\nTo: Rowan Elm <rowan.elm@mail.example>\nSubject: note {number}\n\n\
         The word of this one is {word}.\n"
    )
    .into_bytes()
}

/// The separator line of a mailbox, with its line end.
pub const SEPARATOR: &str = "From ash.birch@mail.example Mon Jan  6 10:00:00 2020\n";

/// One entry of a mailbox: separator, message, empty line. The message must not need quoting.
pub fn entry(message: &[u8]) -> Vec<u8> {
    let mut all = SEPARATOR.as_bytes().to_vec();
    all.extend_from_slice(message);
    all.push(b'\n');
    all
}

/// A mailbox of such entries.
pub fn mailbox(messages: &[Vec<u8>]) -> Vec<u8> {
    messages.iter().flat_map(|message| entry(message)).collect()
}
