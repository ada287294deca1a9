//! What is beyond plain mail and text: documents are opened for their text, containers for their members.
//!
//! Comes after the direct input of a run, in rounds: every item that waits is looked at by its content (`documents`), then the containers among
//! them are emptied into the same pipeline that read the sources (`containers`), and what came out of them waits in turn. The work on hostile
//! bytes is done by an [`Opener`], in worker processes. Invariant: an item's number never depends on what opening it gave.

pub(crate) mod attached;
pub(crate) mod containers;
pub(crate) mod documents;
pub(crate) mod kept;
pub(crate) mod mails;
pub(crate) mod retry;
pub(crate) mod rounds;
pub(crate) mod stored;

use std::fs::File;

use embley_formats::opened::{Members, Opened};

use crate::error::IngestError;

/// One thing to open.
#[derive(Debug)]
pub struct OpenJob<'a> {
    /// What its content says it is.
    pub media_type: &'a str,
    /// Its name, as far as it has one.
    pub name: &'a [u8],
    /// Its bytes, from the beginning of a file that nobody changes.
    pub input: &'a File,
    /// How many bytes.
    pub size: u64,
}

/// Opens documents and containers.
pub trait Opener: Send + Sync {
    /// Opens one thing. Whatever its bytes do (crash, hang, swell), what comes back says so in defects; members that came out
    /// before stay.
    ///
    /// # Errors
    /// When nothing can be opened at all (no worker can be started), or the taker of members refused.
    fn open(&self, job: &OpenJob<'_>, members: &mut dyn Members) -> Result<Opened, IngestError>;

    /// Recognises the characters of an image or of pages without text; as [`Opener::open`] otherwise.
    ///
    /// # Errors
    /// As [`Opener::open`].
    fn recognise(&self, job: &OpenJob<'_>) -> Result<Opened, IngestError>;
}

/// How deep containers may stand in one another; what lies deeper stays unopened and is said.
pub(crate) const MAX_DEPTH: usize = 16;
