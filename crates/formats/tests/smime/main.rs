//! What opening signed, compressed and encrypted messages promises: on files of other programs, on files built here, on damaged ones, and on real ones where
//! they are at hand.

mod corpora;
mod hostile;
mod opened;
mod samples;

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use embley_formats::opened::{Member, Members, OpenLimits, Opened};
use embley_formats::smime::{self, keys::Secrets};

/// Takes members and keeps them: path, content, time.
#[derive(Default)]
struct Kept(Vec<(String, Vec<u8>, Option<i64>)>);

impl Members for Kept {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut content = Vec::new();
        // A member that breaks off is kept as far as it goes.
        let (Ok(_) | Err(_)) = bytes.read_to_end(&mut content);
        let path = String::from_utf8_lossy(&member.path).into_owned();
        self.0.push((path, content, member.mtime_nanos));
        Ok(())
    }
}

fn opened(bytes: &[u8], limits: &OpenLimits) -> (Opened, Kept) {
    opened_with(bytes, &Secrets::default(), limits)
}

fn opened_with(bytes: &[u8], secrets: &Secrets<'_>, limits: &OpenLimits) -> (Opened, Kept) {
    let mut kept = Kept::default();
    let opened = smime::open(bytes, secrets, limits, &mut kept).expect("the taker never fails");
    (opened, kept)
}

fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smime/samples");
    fs::read(folder.join(name)).expect("a sample")
}

/// An element of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).expect("short").to_be_bytes();
    [&[tag, 0x84][..], &length, &content].concat()
}

/// Compressed data (RFC 3274) around `content`.
fn compressed(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    const KIND: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09";
    const ZLIB: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08";
    const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(content).expect("memory");
    let packed = packer.finish().expect("memory");
    let inner = der(0x30, &[DATA, &der(0xa0, &[&der(0x04, &[&packed])])]);
    let data = der(0x30, &[b"\x02\x01\x00", &der(0x30, &[ZLIB]), &inner]);
    der(0x30, &[KIND, &der(0xa0, &[&data])])
}
