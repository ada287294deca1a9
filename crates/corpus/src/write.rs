//! Writes a corpus: mailboxes under `mail/`, case-system records under `records/`, `exhibits.csv` and `truth.json`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::calendar::write_asctime;
use crate::config::{BoxFormat, CorpusConfig, CorpusError};
use crate::layout::Mailbox;
use crate::records::write_records;
use crate::stream::{Message, MessageStream, Place};
use crate::truth::Truth;

/// Makes the whole corpus below `dir`, which is made if need be; files of an earlier corpus there are overwritten.
/// Returns the truth, which is also in `truth.json`. After an error the folder holds part of a corpus and no truth.
pub fn write_corpus(dir: &Path, config: &CorpusConfig) -> Result<Truth, CorpusError> {
    let mut stream = MessageStream::new(config)?;
    let truth_path = dir.join("truth.json");
    remove_file(&truth_path)?;
    let mut writers = Vec::new();
    for mailbox in stream.mailboxes() {
        writers.push(BoxWriter::create(dir, mailbox)?);
    }
    while let Some(message) = stream.next_message() {
        for place in message.places {
            writers[place.mailbox].append(&message, *place)?;
        }
    }
    for writer in writers {
        writer.finish()?;
    }
    let mut truth = stream.truth();
    truth.records = write_records(dir, stream.planner())?;
    let mut json = serde_json::to_vec_pretty(&truth).map_err(|source| CorpusError::Json {
        what: "the truth",
        source,
    })?;
    json.push(b'\n');
    write_file(&truth_path, &json)?;
    Ok(truth)
}

/// Writes one file whole.
#[expect(
    clippy::disallowed_methods,
    reason = "a corpus is not a case: it may be made again, and this crate imports only model"
)]
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CorpusError> {
    fs::write(path, bytes).map_err(|source| CorpusError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Removes a file if it is there.
#[expect(
    clippy::disallowed_methods,
    reason = "a corpus is not a case: it may be made again, and this crate imports only model"
)]
pub(crate) fn remove_file(path: &Path) -> Result<(), CorpusError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(CorpusError::Write {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Opens a new file for writing.
#[expect(
    clippy::disallowed_methods,
    reason = "a corpus is not a case: it may be made again, and this crate imports only model"
)]
fn create_file(path: &Path) -> Result<File, CorpusError> {
    File::create(path).map_err(|source| CorpusError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), CorpusError> {
    fs::create_dir_all(path).map_err(|source| CorpusError::Write {
        path: path.to_owned(),
        source,
    })
}

/// One mailbox being written.
pub(crate) struct BoxWriter {
    root: PathBuf,
    mailbox: Mailbox,
    path: PathBuf,
    /// The one file of an mbox.
    file: Option<BufWriter<File>>,
    separator: Vec<u8>,
}

impl BoxWriter {
    pub(crate) fn create(dir: &Path, mailbox: &Mailbox) -> Result<Self, CorpusError> {
        let path = dir.join(&mailbox.path);
        let file = match mailbox.format {
            BoxFormat::Eml => {
                make_folder(&path)?;
                None
            }
            BoxFormat::Maildir => {
                for below in ["cur", "new", "tmp"] {
                    make_folder(&path.join(below))?;
                }
                None
            }
            BoxFormat::Mboxrd | BoxFormat::Mboxo | BoxFormat::Mboxcl2 | BoxFormat::MboxrdCrlf => {
                if let Some(above) = path.parent() {
                    make_folder(above)?;
                }
                let file = create_file(&path)?;
                Some(BufWriter::with_capacity(256 << 10, file))
            }
        };
        Ok(Self {
            root: dir.to_owned(),
            mailbox: mailbox.clone(),
            path,
            file,
            separator: Vec::new(),
        })
    }

    pub(crate) fn append(&mut self, message: &Message<'_>, place: Place) -> Result<(), CorpusError> {
        let format = self.mailbox.format;
        let bytes = format.message_bytes(message.bytes);
        let Some(file) = &mut self.file else {
            let path = self.root.join(self.mailbox.file(place.ordinal));
            if format == BoxFormat::Eml && place.ordinal.is_multiple_of(1000) {
                make_folder(path.parent().unwrap_or(&self.root))?;
            }
            return write_file(&path, &bytes);
        };
        let line_end: &[u8] = if format == BoxFormat::MboxrdCrlf {
            b"\r\n"
        } else {
            b"\n"
        };
        self.separator.clear();
        self.separator.extend_from_slice(b"From ");
        self.separator.extend_from_slice(message.sender.as_bytes());
        self.separator.push(b' ');
        write_asctime(&mut self.separator, message.sent_at);
        self.separator.extend_from_slice(line_end);
        let quoted = if message.needs_quoting {
            format.quoted(&bytes)
        } else {
            bytes
        };
        let mut write = || {
            file.write_all(&self.separator)?;
            file.write_all(&quoted)?;
            file.write_all(line_end)
        };
        write().map_err(|source| CorpusError::Write {
            path: self.path.clone(),
            source,
        })
    }

    pub(crate) fn finish(self) -> Result<(), CorpusError> {
        let Some(mut file) = self.file else { return Ok(()) };
        file.flush().map_err(|source| CorpusError::Write {
            path: self.path,
            source,
        })
    }
}
