//! All targets, by what they parse.

mod archive;
mod audit;
mod document;
mod mail;
mod manifest;
mod mapi;
mod misbehaviour;
mod pack;
mod pst;
mod query;
mod samples;
mod sealed;
mod text;
mod worker;

use crate::target::Target;

/// Every target, in the order of `fuzz --list`.
pub const ALL: &[Target] = &[
    mail::MAILBOX,
    mail::QUOTING,
    mail::MAIL,
    mail::HEADERS,
    text::HTML,
    text::TEXT,
    text::PROBE,
    pst::PST,
    mapi::COMPOUND,
    mapi::MSG,
    mapi::TNEF,
    mapi::LZFU,
    mapi::RTF,
    mapi::CANONICAL,
    mapi::BUNDLE,
    archive::ZIP,
    archive::TAR,
    archive::SEVENZ,
    archive::AR,
    archive::STREAM,
    sealed::CMS,
    sealed::OPENPGP,
    document::ODF,
    document::OOXML,
    document::EPUB,
    document::OLE,
    document::XML,
    document::JSON,
    document::CARDS,
    document::PDF,
    worker::FRAMES,
    worker::EMIT,
    query::QUERY,
    pack::PACK,
    audit::AUDIT,
    manifest::MANIFEST,
];

/// The target of a name, also the one that misbehaves on purpose.
pub fn find(name: &str) -> Option<&'static Target> {
    ALL.iter().chain([misbehave()]).find(|target| target.name == name)
}

/// A target that breaks in every way, for the test of the fuzzer.
pub fn misbehave() -> &'static Target {
    static MISBEHAVE: Target = misbehaviour::MISBEHAVE;
    &MISBEHAVE
}

/// `Err` with words when something does not hold.
fn ensure(holds: bool, words: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(words()) }
}
