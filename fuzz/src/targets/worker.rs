//! The protocol between a worker and its caller.

use std::io::{self, Read};

use embley_formats::opened::{Member, Members, Opened};
use embley_formats::worker::frame::{self, FrameHeader, FrameKind, HEADER_BYTES, MAX_FRAME_BYTES};
use embley_formats::worker::{AnswerHeader, Emitter, Hello, ItemEnd, JobFault, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ensure, samples};
use crate::target::Target;

pub(super) const FRAMES: Target = Target {
    words: &[
        b"\0\0\0\0\x03",
        b"\0\0\x10\0\x05",
        b"\x01\0\x10\0\x05",
        b"\x02\0\0\0\x84{}",
        b"{\"version\":1,\"landlock\":\"full\",\"landlock_abi\":4,\"weak\":[]}",
        b"{\"error\":null}",
        b"\"blob_bytes\":18446744073709551615",
        b"\"path\":[255]",
        b"\"mtime_nanos\":-1",
        b"null",
        b"[",
        b"\\ud800",
    ],
    made: samples::frames,
    ..Target::new(
        "frames",
        "a header is written as it was read; what is understood is said again in the same words",
        frames,
    )
};

fn frames(mut bytes: &[u8]) -> Result<(), String> {
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() {
        let Ok(read) = FrameHeader::decode(*header) else {
            return Ok(());
        };
        ensure(read.encode() == *header, || {
            format!("the header {read:?} is written otherwise")
        })?;
        ensure(read.length <= MAX_FRAME_BYTES, || {
            format!("a frame of {} bytes", read.length)
        })?;
        let payload = &rest[..rest.len().min(read.length)];
        match read.kind {
            FrameKind::Hello => again::<Hello>(payload)?,
            FrameKind::Request => again::<Request>(payload)?,
            FrameKind::Item => again::<Member>(payload)?,
            FrameKind::ItemEnd => again::<ItemEnd>(payload)?,
            FrameKind::Done => again::<AnswerHeader<Opened>>(payload)?,
            FrameKind::Failed => again::<JobFault>(payload)?,
            FrameKind::Begun | FrameKind::Bytes | FrameKind::Blob => {}
        }
        bytes = &rest[payload.len()..];
    }
    Ok(())
}

/// What is understood and said again is understood as the same.
fn again<T: Serialize + DeserializeOwned + PartialEq>(text: &[u8]) -> Result<(), String> {
    let Ok(value) = serde_json::from_slice::<T>(text) else {
        return Ok(());
    };
    let said = serde_json::to_vec(&value).map_err(|error| error.to_string())?;
    let understood: T = serde_json::from_slice(&said).map_err(|error| error.to_string())?;
    ensure(understood == value, || "another value when said again".to_owned())
}

pub(super) const EMIT: Target = Target {
    max_bytes: 512 << 10,
    made: || vec![b"name".repeat(100), vec![7; 300_000]],
    ..Target::new("emit", "members and text that are sent arrive", emit)
};

/// Gives bytes in uneven pieces, and an error behind them when asked.
struct Pieces<'a> {
    bytes: &'a [u8],
    breaks: bool,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && self.breaks {
            return Err(io::Error::other("scratched"));
        }
        let count = buf.len().min(self.bytes.len()).min(1 + self.bytes.len() / 3);
        let (now, rest) = self.bytes.split_at(count);
        buf[..count].copy_from_slice(now);
        self.bytes = rest;
        Ok(count)
    }
}

fn emit(bytes: &[u8]) -> Result<(), String> {
    let at = bytes.first().map_or(0, |byte| usize::from(*byte)).min(bytes.len());
    let (name, content) = bytes.split_at(at);
    let breaks = content.first().is_some_and(|byte| byte % 2 == 1);
    let member = Member {
        path: name.to_vec(),
        mtime_nanos: Some(at as i64),
        defects: Vec::new(),
    };
    let mut sent = Vec::new();
    let failed = |error: io::Error| error.to_string();
    let mut emitter = Emitter::new(&mut sent);
    emitter
        .member(member.clone(), &mut Pieces { bytes: content, breaks })
        .map_err(failed)?;
    emitter.done(Opened::default(), content).map_err(failed)?;
    drop(emitter);

    let (mut items, mut inside, mut text, mut ends, mut dones) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0);
    let mut rest = &sent[..];
    while let Some((header, after)) = rest.split_first_chunk::<HEADER_BYTES>() {
        let header = FrameHeader::decode(*header).map_err(failed)?;
        let payload = after.get(..header.length).ok_or("a frame that is not there")?;
        match header.kind {
            FrameKind::Item => items.extend_from_slice(payload),
            FrameKind::Bytes => inside.extend_from_slice(payload),
            FrameKind::Blob => text.extend_from_slice(payload),
            FrameKind::ItemEnd => ends.extend_from_slice(payload),
            FrameKind::Done => dones += usize::from(!header.more),
            other => return Err(format!("a frame of kind {other:?}")),
        }
        rest = &after[header.length..];
    }
    let arrived: Member = serde_json::from_slice(&items).map_err(|error| error.to_string())?;
    let end: ItemEnd = serde_json::from_slice(&ends).map_err(|error| error.to_string())?;
    ensure(arrived == member && end.error.is_some() == breaks, || {
        "another member arrives".to_owned()
    })?;
    ensure(inside == content && text == content, || "other bytes arrive".to_owned())?;
    ensure(rest.is_empty() && dones == 1, || {
        "no end, or something behind it".to_owned()
    })?;
    let mut out = Vec::new();
    frame::push_json(&mut out, FrameKind::Hello, &String::from_utf8_lossy(bytes)).map_err(failed)
}
