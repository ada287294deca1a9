//! Originals and texts in an export: written as they stand in the store, hashed on the way, and held against the catalogue.
//!
//! Invariant: a file that is called an original has the SHA-256 that the catalogue holds; what cannot be read, or differs, is not written
//! and is said.

use std::io::{self, Write};

use embley_ingest::Originals;
use embley_model::id::{ItemNo, hex_encode};
use embley_store::catalogue::ItemRow;
use embley_store::outgoing::Outgoing;
use md5::Md5;
use sha1::{Digest, Sha1};

use super::entry::{Native, Text};
use super::writer::failed;
use super::{image, names};
use crate::error::Result;

/// Where the files of a form lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `natives/CUSTODIAN/0001/CONTROL_name.end`.
    Tree,
    /// `VOL01/NATIVES/0001/CONTROL.end`, texts beside them.
    Volume,
}

/// Why something is not in an export.
#[derive(Clone, Debug)]
pub(super) struct Lack {
    /// A word: `no-original`, `original-differs`, `no-rendering`, `no-text`.
    pub(super) reason: &'static str,
    /// What happened.
    pub(super) detail: String,
}

/// What is told of the item whose original is written.
pub(super) struct Named<'a> {
    pub(super) control: &'a str,
    pub(super) position: u64,
    pub(super) row: &'a ItemRow,
    pub(super) custodian: Option<&'a str>,
    pub(super) sha256: [u8; 32],
}

impl Named<'_> {
    fn path(&self, layout: Layout, ending: &str) -> String {
        let folder = names::folder(self.position);
        match layout {
            Layout::Volume => format!("{}/NATIVES/{folder}/{}.{ending}", super::dat::VOLUME, self.control),
            Layout::Tree => {
                let custodian = names::safe(self.custodian.unwrap_or_default());
                let custodian = if custodian.is_empty() {
                    "no-custodian"
                } else {
                    &custodian
                };
                let name = self.row.filename.as_deref().map_or("", |name| names::split(name).0);
                let name = if name.is_empty() { &self.row.subject } else { name };
                let name = names::safe(name);
                let gap = if name.is_empty() { "" } else { "_" };
                format!("natives/{custodian}/{folder}/{}{gap}{name}.{ending}", self.control)
            }
        }
    }
}

/// Writes the original of an item.
///
/// # Errors
/// The export cannot be written. What cannot be read of the case is a [`Lack`].
pub(super) fn native(
    out: &mut Outgoing,
    originals: &mut Originals,
    layout: Layout,
    named: &Named<'_>,
) -> Result<std::result::Result<Native, Lack>> {
    let row = named.row;
    let ending = names::ending(row.kind, &row.media_type, row.filename.as_deref());
    let path = named.path(layout, &ending);
    let mut file = Hashing {
        inner: out.create(&path)?,
        md5: Md5::new(),
        sha1: Sha1::new(),
        failed: None,
    };
    if let Err(error) = originals.raw_to(row.item_no, &mut file) {
        if let Some(source) = file.failed.take() {
            return Err(failed(&path)(source));
        }
        out.discard(file.inner)?;
        return Ok(Err(Lack {
            reason: "no-original",
            detail: told(&error),
        }));
    }
    let (md5, sha1) = (hex_encode(&file.md5.finalize()), hex_encode(&file.sha1.finalize()));
    file.inner.flush().map_err(failed(&path))?;
    let pages = (layout == Layout::Volume).then(|| file.inner.reader().ok().and_then(|read| image::pages(&read)));
    if file.inner.sha256_so_far() != named.sha256 {
        out.discard(file.inner)?;
        return Ok(Err(Lack {
            reason: "original-differs",
            detail: "its bytes do not have the SHA-256 that the catalogue holds".to_owned(),
        }));
    }
    out.close(file.inner)?;
    let (rendered, lack) = match rendering(out, originals, row.item_no, &path)? {
        Ok(rendered) => (rendered, None),
        Err(lack) => (None, Some(lack)),
    };
    Ok(Ok(Native {
        path,
        rendered,
        lack,
        md5,
        sha1,
        pages: pages.flatten(),
    }))
}

/// A message of properties rendered as mail, beside its original.
fn rendering(
    out: &mut Outgoing,
    originals: &mut Originals,
    item: ItemNo,
    path: &str,
) -> Result<std::result::Result<Option<String>, Lack>> {
    let Some(stem) = path.strip_suffix(".mapi") else {
        return Ok(Ok(None));
    };
    let mail = match originals.as_eml(item) {
        Ok(Some(mail)) => mail,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => {
            return Ok(Err(Lack {
                reason: "no-rendering",
                detail: told(&error),
            }));
        }
    };
    let name = format!("{stem}.rendered.eml");
    out.put(&name, &mail)?;
    Ok(Ok(Some(name)))
}

/// The text of an item, written to a file of its own when `position` is given; nothing for an item without text.
///
/// # Errors
/// The export cannot be written.
pub(super) fn text(
    out: &mut Outgoing,
    originals: &mut Originals,
    item: ItemNo,
    file: Option<(&str, u64)>,
) -> Result<std::result::Result<Option<Text>, Lack>> {
    let body = match originals.text(item) {
        Ok(text) => text.body,
        Err(error) => {
            return Ok(Err(Lack {
                reason: "no-text",
                detail: told(&error),
            }));
        }
    };
    if body.is_empty() {
        return Ok(Ok(None));
    }
    let Some((control, position)) = file else {
        return Ok(Ok(Some(Text { path: None, body })));
    };
    let path = format!("{}/TEXT/{}/{control}.txt", super::dat::VOLUME, names::folder(position));
    out.put(&path, body.as_bytes())?;
    Ok(Ok(Some(Text {
        path: Some(path),
        body: String::new(),
    })))
}

/// An error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        let words = one.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = one.source();
    }
    text
}

/// Hashes what goes through, and remembers that it was the export that could not be written, not the case that could not be read.
struct Hashing {
    inner: embley_store::outgoing::OutFile,
    md5: Md5,
    sha1: Sha1,
    failed: Option<io::Error>,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.inner.write(bytes) {
            Ok(written) => {
                self.md5.update(&bytes[..written]);
                self.sha1.update(&bytes[..written]);
                Ok(written)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                Err(told)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
