//! One entry a job: which reader does it, and in what form its answer is sent.
//!
//! Not for: reading. Main function: [`run`]. Invariant: an answer is always given, if only that the format is not opened; answers are bounded.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;

use super::emit::Emitter;
use super::faults;
use super::message::Job;
use super::misbehave;
use super::outlook;
use super::source::JobSource;
use super::store;
use crate::archive;
use crate::document;
use crate::emlx;
use crate::ocr;
use crate::opened::{Members, OpenLimits, Opened, Resume};
use crate::smime::{
    self,
    keys::{SecretKey, Secrets},
};

/// Oddities of one document that are sent one by one.
const MAX_DEFECTS: usize = 10_000;
/// Fields of one document, and bytes of each.
const MAX_FIELDS: usize = 1_000;
const MAX_FIELD_BYTES: usize = 16 << 10;

/// The worker's end of the socket.
pub(super) type Out<'a> = Emitter<&'a UnixStream>;

/// Does a job and sends its answer.
///
/// # Errors
/// When the caller is gone or the answer cannot be sent. What is wrong with the input is in the answer.
pub(super) fn run(job: &Job, source: &JobSource, test_jobs: bool, out: &mut Out<'_>) -> io::Result<()> {
    match job {
        Job::Open {
            media_type,
            name,
            passwords,
            keys,
            limits,
            resume,
        } => {
            let asked = Asked {
                media_type,
                name,
                passwords,
                keys,
                limits,
                resume: *resume,
            };
            let opened = open(&asked, source, out)?;
            send(opened, limits, out)
        }
        Job::Store { share, limits } => {
            let opened = store::read(source, limits, *share, out, &mut |_| {})?;
            send(opened, limits, out)
        }
        Job::Ocr {
            media_type,
            languages,
            seconds,
            limits,
            ..
        } => {
            let wanted = ocr::OcrLimits {
                max_text_bytes: limits.max_text_bytes,
                item_time: Duration::from_secs(*seconds),
                ..ocr::OcrLimits::default()
            };
            let opened = ocr::read(media_type, &source.to_vec()?, languages, &wanted);
            send(opened, limits, out)
        }
        Job::Test(test) if test_jobs => misbehave::run(test, source, out),
        Job::Test(_) => Err(io::Error::other("test jobs are switched off")),
    }
}

/// The question of an `Open` job.
struct Asked<'a> {
    media_type: &'a str,
    name: &'a [u8],
    passwords: &'a [String],
    keys: &'a [SecretKey],
    limits: &'a OpenLimits,
    resume: Resume,
}

/// Asks the reader of this type.
fn open(asked: &Asked<'_>, source: &JobSource, members: &mut dyn Members) -> io::Result<Opened> {
    let Asked {
        media_type,
        name,
        passwords,
        keys,
        limits,
        resume,
    } = *asked;
    if let Some(format) = outlook::format_of(media_type) {
        return outlook::open(format, source, limits, members);
    }
    if media_type == emlx::MEDIA_TYPE {
        return emlx::open(&source.to_vec()?, name, members);
    }
    let secrets = Secrets { passwords, keys };
    if smime::is_read(media_type) {
        return smime::open(&source.to_vec()?, &secrets, limits, members);
    }
    if media_type == smime::MAIL {
        return smime::open_mail(&source.to_vec()?, &secrets, limits, members);
    }
    if let Some(format) = archive::format_of(media_type) {
        let emptying = archive::Emptying {
            name,
            passwords,
            limits,
            resume,
        };
        return faults::met(name, members, |members, before| {
            archive::go_on(format, &mut source.clone(), &emptying, members, before)
        });
    }
    if let Some(format) = document::reader_of(media_type) {
        let bytes = source.to_vec()?;
        // The probe sees the first bytes only, and the directory of a compound file may lie anywhere.
        if document::is_message(&bytes) {
            return outlook::open(outlook::Outlook::Msg, source, limits, members);
        }
        return document::open(format, &bytes, name, passwords, limits, members);
    }
    Ok(not_opened(media_type))
}

fn not_opened(media_type: &str) -> Opened {
    Opened {
        searchability: Some(Searchability::FormatNotSupported),
        defects: vec![Defect::new(DefectCode::TypeNotSearchable, media_type)],
        reader: "none/1".to_owned(),
        ..Opened::default()
    }
}

/// Sends what opening gave, its text apart.
pub(super) fn send(mut opened: Opened, limits: &OpenLimits, out: &mut Out<'_>) -> io::Result<()> {
    let text = std::mem::take(&mut opened.text);
    let mut end = text.len().min(limits.max_text_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end < text.len() {
        let left = text.len() - end;
        opened.defects.push(Defect::new(
            DefectCode::TextLimit,
            format!("{left} bytes of text are beyond the limit"),
        ));
    }
    bound(&mut opened);
    out.done(&opened, &text.as_bytes()[..end])
}

/// Cuts lists to what one header carries, and says so.
fn bound(opened: &mut Opened) {
    for (_, value) in &mut opened.fields {
        if value.len() > MAX_FIELD_BYTES {
            let end = (0..=MAX_FIELD_BYTES)
                .rev()
                .find(|at| value.is_char_boundary(*at))
                .unwrap_or(0);
            value.truncate(end);
        }
    }
    let over = opened.fields.len().saturating_sub(MAX_FIELDS);
    if over > 0 {
        opened.fields.truncate(MAX_FIELDS);
        opened.defects.push(Defect::new(
            DefectCode::WorkerDefects,
            format!("{over} fields were left out"),
        ));
    }
    let over = opened.defects.len().saturating_sub(MAX_DEFECTS);
    if over > 0 {
        opened.defects.truncate(MAX_DEFECTS);
        opened.defects.push(Defect::new(
            DefectCode::WorkerDefects,
            format!("{over} oddities were left out"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opened::MetaField;

    #[test]
    fn lists_without_end_are_cut_and_it_is_said() {
        let mut opened = Opened {
            fields: vec![(MetaField::Keywords, "ä".repeat(MAX_FIELD_BYTES)); MAX_FIELDS + 5],
            defects: vec![Defect::new(DefectCode::TypeMismatch, ""); MAX_DEFECTS + 7],
            ..Opened::default()
        };
        bound(&mut opened);
        assert_eq!(
            (opened.fields.len(), opened.fields[0].1.len()),
            (MAX_FIELDS, MAX_FIELD_BYTES)
        );
        assert_eq!(opened.defects.len(), MAX_DEFECTS + 1);
        let last = opened.defects.last().expect("a last one");
        assert_eq!(
            (last.code, last.detail.as_str()),
            (DefectCode::WorkerDefects, "8 oddities were left out")
        );
    }
}
