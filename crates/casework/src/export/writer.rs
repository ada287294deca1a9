//! What every form of export is: it is given the items one by one, in order, and writes files.

use std::io::{BufWriter, Write};

use embley_store::outgoing::{OutFile, Outgoing};

use super::entry::Entry;
use super::record::Record;
use crate::error::{CaseworkError, Result};

/// A form of export in the making.
pub(super) trait FormWriter {
    /// Takes the next item.
    ///
    /// # Errors
    /// The machine refuses.
    fn entry(&mut self, out: &mut Outgoing, entry: &Entry) -> Result<()>;

    /// Ends all files; `record` is what the export says of itself, complete but for files.
    ///
    /// # Errors
    /// The machine refuses.
    fn finish(self: Box<Self>, out: &mut Outgoing, record: &mut Record) -> Result<()>;
}

/// A failed write of an export.
pub(super) fn failed(name: &str) -> impl Fn(std::io::Error) -> CaseworkError {
    let name = name.to_owned();
    move |source| CaseworkError::ExportFile {
        name: name.clone(),
        source,
    }
}

/// A text file that is written piece by piece.
pub(super) struct Lines {
    file: BufWriter<OutFile>,
}

impl Lines {
    /// Makes it.
    pub(super) fn create(out: &mut Outgoing, name: &str) -> Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(1 << 15, out.create(name)?),
        })
    }

    /// Adds a text.
    pub(super) fn add(&mut self, text: &str) -> Result<()> {
        self.add_bytes(text.as_bytes())
    }

    /// Adds bytes.
    pub(super) fn add_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let name = self.file.get_ref().name().to_owned();
        self.file.write_all(bytes).map_err(failed(&name))
    }

    /// Ends it.
    pub(super) fn close(self, out: &mut Outgoing) -> Result<()> {
        let file = self
            .file
            .into_inner()
            .map_err(|error| failed("a list")(error.into_error()))?;
        out.close(file)?;
        Ok(())
    }
}
