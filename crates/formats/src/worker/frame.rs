//! Frames: a length of four bytes (little-endian), a byte that says what it is, the payload.
//!
//! Not for: what the payloads mean (`message`). Main types: [`FrameKind`], [`FrameHeader`]. Invariant: no frame is longer than
//! [`MAX_FRAME_BYTES`]; a longer JSON text is divided, and all frames but the last carry [`MORE`].

use std::io;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 5;
/// The longest payload.
pub const MAX_FRAME_BYTES: usize = 1 << 20;
/// The longest JSON text, over all its frames.
pub const MAX_JSON_BYTES: usize = 32 << 20;
/// Set in the kind of a frame whose text goes on in the next one.
pub const MORE: u8 = 0x80;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// The worker is there and says how it is confined. JSON.
    Hello,
    /// A job. JSON.
    Request,
    /// The job was understood and is being done. Empty.
    Begun,
    /// A member begins. JSON.
    Item,
    /// A piece of the member's content.
    Bytes,
    /// The member ends. JSON.
    ItemEnd,
    /// A piece of the answer's text.
    Blob,
    /// The answer. JSON.
    Done,
    /// The job failed in a way that the worker could still say. JSON.
    Failed,
}

impl FrameKind {
    /// All kinds; the code of a kind is its place here, from 1.
    const ALL: [Self; 9] = [
        Self::Hello,
        Self::Request,
        Self::Begun,
        Self::Item,
        Self::Bytes,
        Self::ItemEnd,
        Self::Blob,
        Self::Done,
        Self::Failed,
    ];

    /// The byte on the socket.
    pub fn code(self) -> u8 {
        let place = Self::ALL.iter().position(|kind| *kind == self);
        place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or(0)
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }
}

/// The first five bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// What follows.
    pub kind: FrameKind,
    /// True when the text goes on in the next frame of the same kind.
    pub more: bool,
    /// Bytes of the payload.
    pub length: usize,
}

impl FrameHeader {
    /// The bytes on the socket.
    pub fn encode(self) -> [u8; HEADER_BYTES] {
        let length = u32::try_from(self.length.min(MAX_FRAME_BYTES))
            .unwrap_or(0)
            .to_le_bytes();
        let more = if self.more { MORE } else { 0 };
        [length[0], length[1], length[2], length[3], self.kind.code() | more]
    }

    /// Reads them back.
    ///
    /// # Errors
    /// When the kind is not known or the length is beyond the limit: the other side is not what it should be.
    pub fn decode(bytes: [u8; HEADER_BYTES]) -> io::Result<Self> {
        let length = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(kind) = FrameKind::from_code(bytes[4] & !MORE) else {
            return Err(invalid(format!("{} is no kind of frame", bytes[4])));
        };
        if length > MAX_FRAME_BYTES {
            return Err(invalid(format!("a frame of {length} bytes is beyond the limit")));
        }
        Ok(Self {
            kind,
            more: bytes[4] & MORE != 0,
            length,
        })
    }
}

/// Appends a JSON text as one frame or several.
///
/// # Errors
/// When the value cannot be written as JSON, or is longer than [`MAX_JSON_BYTES`]; `out` is then unchanged.
pub fn push_json<T: serde::Serialize>(out: &mut Vec<u8>, kind: FrameKind, value: &T) -> io::Result<()> {
    let text = serde_json::to_vec(value).map_err(io::Error::other)?;
    if text.len() > MAX_JSON_BYTES {
        return Err(invalid(format!("a header of {} bytes is beyond the limit", text.len())));
    }
    let mut rest = text.as_slice();
    loop {
        let (piece, after) = rest.split_at(rest.len().min(MAX_FRAME_BYTES));
        let more = !after.is_empty();
        push(
            out,
            FrameHeader {
                kind,
                more,
                length: piece.len(),
            },
            piece,
        );
        if !more {
            return Ok(());
        }
        rest = after;
    }
}

/// Appends a frame.
pub fn push(out: &mut Vec<u8>, header: FrameHeader, payload: &[u8]) {
    out.extend_from_slice(&header.encode());
    out.extend_from_slice(payload);
}

fn invalid(detail: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_and_nothing_else_is_one() {
        for kind in FrameKind::ALL {
            for (more, length) in [(false, 0), (true, 1), (false, MAX_FRAME_BYTES)] {
                let header = FrameHeader { kind, more, length };
                assert_eq!(FrameHeader::decode(header.encode()).expect("a header"), header);
            }
        }
        for bad in [
            [0, 0, 0, 0, 0],
            [0, 0, 0, 0, 10],
            [1, 0, 16, 0, 1],
            [255, 255, 255, 255, 5],
        ] {
            assert!(FrameHeader::decode(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_long_text_is_divided_and_a_longer_one_refused() {
        let mut out = Vec::new();
        let text = "x".repeat(MAX_FRAME_BYTES + 10);
        push_json(&mut out, FrameKind::Done, &text).expect("fits");
        let first = FrameHeader::decode(out[..5].try_into().expect("five")).expect("a header");
        assert!(first.more && first.length == MAX_FRAME_BYTES);
        let at = 5 + first.length;
        let second = FrameHeader::decode(out[at..at + 5].try_into().expect("five")).expect("a header");
        assert!(!second.more && second.length == 12, "{second:?}");
        assert!(push_json(&mut Vec::new(), FrameKind::Done, &"x".repeat(MAX_JSON_BYTES)).is_err());
    }
}
