//! A taker that keeps everything.

use std::io::{self, Cursor, Read};

use embley_formats::archive::{ArchiveFormat, fault, open};
use embley_formats::opened::{Member, Members, OpenLimits, Opened};
use embley_model::defect::DefectCode;

/// A member as it came.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) mtime_nanos: Option<i64>,
    /// Codes of the member, then that of its fault.
    pub(crate) codes: Vec<DefectCode>,
}

#[derive(Default)]
pub(crate) struct Keep(pub(crate) Vec<Taken>);

impl Members for Keep {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut out = Vec::new();
        let mut codes: Vec<DefectCode> = member.defects.iter().map(|defect| defect.code).collect();
        if let Err(error) = bytes.read_to_end(&mut out) {
            let defect = fault(&error).expect("every fault carries a defect");
            assert!(error.to_string().starts_with(defect.code.text()));
            codes.push(defect.code);
        }
        self.0.push(Taken {
            path: String::from_utf8_lossy(&member.path).into_owned(),
            bytes: out,
            mtime_nanos: member.mtime_nanos,
            codes,
        });
        Ok(())
    }
}

pub(crate) fn take(format: ArchiveFormat, bytes: &[u8], name: &str, passwords: &[&str]) -> (Opened, Vec<Taken>) {
    take_limited(format, bytes, name, passwords, &OpenLimits::default())
}

pub(crate) fn take_limited(
    format: ArchiveFormat,
    bytes: &[u8],
    name: &str,
    passwords: &[&str],
    limits: &OpenLimits,
) -> (Opened, Vec<Taken>) {
    let passwords: Vec<String> = passwords.iter().map(|word| (*word).to_owned()).collect();
    let mut keep = Keep::default();
    let opened = open(
        format,
        &mut Cursor::new(bytes),
        name.as_bytes(),
        &passwords,
        limits,
        &mut keep,
    )
    .expect("the taker never fails");
    (opened, keep.0)
}

pub(crate) fn codes(opened: &Opened) -> Vec<DefectCode> {
    opened.defects.iter().map(|defect| defect.code).collect()
}

/// Paths and bytes, for comparing.
pub(crate) fn pairs(taken: &[Taken]) -> Vec<(&str, &[u8])> {
    taken
        .iter()
        .map(|one| (one.path.as_str(), one.bytes.as_slice()))
        .collect()
}
