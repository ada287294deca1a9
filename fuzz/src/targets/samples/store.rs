//! Packs as docs/format.md has them, with their checksums; frames of the worker protocol.

use embley_formats::opened::{Member, Opened};
use embley_formats::worker::frame::{self, FrameHeader, FrameKind};
use embley_formats::worker::{AnswerHeader, ItemEnd};

use super::{put, word_at};

/// The case of all packs here.
pub(in crate::targets) const CASE_ID: [u8; 16] = [9; 16];

const PACK_HEADER: usize = 64;
const FRAME_HEADER: usize = 40;

fn packed_frame(plain: &[u8], zstd: bool, continues: bool) -> Vec<u8> {
    let stored = if zstd {
        zstd::encode_all(plain, 2).unwrap_or_default()
    } else {
        plain.to_vec()
    };
    let mut table = blake3::hash(plain).as_bytes()[..16].to_vec();
    table.push((plain.len() & 0x7f) as u8 | 0x80);
    table.push((plain.len() >> 7) as u8);
    let mut out = b"EMFR".to_vec();
    out.extend([u8::from(zstd), u8::from(continues), 0, 0]);
    for field in [stored.len(), plain.len(), table.len(), 1] {
        out.extend((field as u32).to_le_bytes());
    }
    out.extend([0; 16]);
    out.extend(table);
    out.extend(stored);
    out
}

pub(in crate::targets) fn packs() -> Vec<Vec<u8>> {
    let mut pack = b"EMBLPACK\x01\0\0\0\x01\0\0\0".to_vec();
    pack.extend(CASE_ID);
    pack.resize(PACK_HEADER, 0);
    pack.extend(packed_frame(&b"some plain bytes ".repeat(20), true, false));
    pack.extend(packed_frame(b"raw bytes", false, false));
    pack.extend(packed_frame(&b"the rest of a blob ".repeat(9), true, true));
    repair_pack(&mut pack);
    vec![pack]
}

pub(in crate::targets) fn repair_pack(bytes: &mut [u8]) {
    if bytes.len() < PACK_HEADER {
        return;
    }
    let sum = *blake3::hash(&bytes[..48]).as_bytes();
    put(bytes, 48, &sum[..16]);
    let mut at = PACK_HEADER;
    while let (Some(stored), Some(table)) = (word_at(bytes, at + 8), word_at(bytes, at + 16)) {
        let body = at + FRAME_HEADER;
        let end = body.saturating_add(stored).saturating_add(table);
        let (Some(prefix), Some(content)) = (bytes.get(at..at + 24), bytes.get(body..end)) else {
            return;
        };
        let sum = *blake3::Hasher::new()
            .update(prefix)
            .update(content)
            .finalize()
            .as_bytes();
        put(bytes, at + 24, &sum[..16]);
        at = end;
    }
}

pub(in crate::targets) fn frames() -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let piece = |kind, length| FrameHeader {
        kind,
        more: false,
        length,
    };
    let member = Member {
        path: b"a/b".to_vec(),
        mtime_nanos: Some(1),
        defects: Vec::new(),
    };
    let answer = AnswerHeader {
        answer: Opened::default(),
        blob_bytes: 5,
    };
    frame::push(&mut out, piece(FrameKind::Begun, 0), b"");
    let written = frame::push_json(&mut out, FrameKind::Item, &member)
        .and_then(|()| {
            frame::push(&mut out, piece(FrameKind::Bytes, 5), b"bytes");
            frame::push_json(&mut out, FrameKind::ItemEnd, &ItemEnd { error: None })
        })
        .and_then(|()| {
            frame::push(&mut out, piece(FrameKind::Blob, 5), b"words");
            frame::push_json(&mut out, FrameKind::Done, &answer)
        });
    // A seed that cannot be made is one less.
    if written.is_err() {
        return Vec::new();
    }
    vec![out]
}
