//! Sends members and answers as they come out of a reader.
//!
//! Not for: reading anything. Main type: [`Emitter`]. Invariant: what is sent is complete up to the last finished member, so that a crash loses
//! only the member that was being read.

use std::io::{self, Read, Write};

use serde::Serialize;

use super::frame::{self, FrameHeader, FrameKind, HEADER_BYTES, MAX_FRAME_BYTES};
use super::message::{AnswerHeader, ItemEnd, ItemHeader};
use crate::opened::{Member, Members, Tally};

/// Held back until the end of a member, at most.
const BUFFER_BYTES: usize = 256 << 10;
/// Read from a member at once.
const CHUNK_BYTES: usize = 128 << 10;

/// The worker's end of the socket.
pub struct Emitter<W: Write> {
    out: W,
    buffer: Vec<u8>,
    chunk: Vec<u8>,
    tally: Tally,
}

impl<W: Write> Emitter<W> {
    /// Sends to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            buffer: Vec::with_capacity(BUFFER_BYTES + CHUNK_BYTES + HEADER_BYTES),
            chunk: vec![0; CHUNK_BYTES],
            tally: Tally::default(),
        }
    }

    /// Sends one frame of JSON now.
    ///
    /// # Errors
    /// When the caller is gone, or the value is too long for a header.
    pub fn json<T: Serialize>(&mut self, kind: FrameKind, value: &T) -> io::Result<()> {
        frame::push_json(&mut self.buffer, kind, value)?;
        self.flush()
    }

    /// Says that the job was understood.
    ///
    /// # Errors
    /// When the caller is gone.
    pub fn begun(&mut self) -> io::Result<()> {
        let header = FrameHeader {
            kind: FrameKind::Begun,
            more: false,
            length: 0,
        };
        frame::push(&mut self.buffer, header, &[]);
        self.flush()
    }

    /// Sends one item: its header, then `bytes` to their end or error.
    ///
    /// # Errors
    /// When the caller is gone, or the header is too long. An error of `bytes` is not one: it is sent with the item's end.
    pub fn item<H: Serialize>(&mut self, header: &H, bytes: &mut dyn Read) -> io::Result<()> {
        frame::push_json(&mut self.buffer, FrameKind::Item, header)?;
        let mut error = None;
        loop {
            let read = match bytes.read(&mut self.chunk) {
                Ok(read) => read.min(CHUNK_BYTES),
                Err(failed) if failed.kind() == io::ErrorKind::Interrupted => continue,
                Err(failed) => {
                    error = Some(failed.to_string());
                    0
                }
            };
            if read == 0 {
                break;
            }
            let header = FrameHeader {
                kind: FrameKind::Bytes,
                more: false,
                length: read,
            };
            frame::push(&mut self.buffer, header, &self.chunk[..read]);
            if self.buffer.len() >= BUFFER_BYTES {
                self.flush()?;
            }
        }
        self.json(FrameKind::ItemEnd, &ItemEnd { error })
    }

    /// Sends an answer and its text.
    ///
    /// # Errors
    /// When the caller is gone, or the answer is too long for a header.
    pub fn done<A: Serialize>(&mut self, answer: A, blob: &[u8]) -> io::Result<()> {
        for piece in blob.chunks(MAX_FRAME_BYTES) {
            let header = FrameHeader {
                kind: FrameKind::Blob,
                more: false,
                length: piece.len(),
            };
            self.buffer.extend_from_slice(&header.encode());
            self.flush()?;
            self.out.write_all(piece)?;
        }
        let blob_bytes = blob.len() as u64;
        self.json(FrameKind::Done, &AnswerHeader { answer, blob_bytes })
    }

    /// Sends bytes that are no frame; for the test of what the caller does then.
    pub(super) fn rubbish(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        let sent = self.out.write_all(&self.buffer);
        self.buffer.clear();
        sent
    }
}

impl<W: Write> Members for Emitter<W> {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let tally = self.tally;
        self.item(&ItemHeader { member, tally }, bytes)
    }

    fn tally(&mut self, tally: Tally) {
        self.tally = tally;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that breaks off.
    struct Broken(usize);

    impl Read for Broken {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::other("the disc is scratched"));
            }
            self.0 -= 1;
            buf[0] = b'x';
            Ok(1)
        }
    }

    fn frames(mut bytes: &[u8]) -> Vec<(FrameKind, Vec<u8>)> {
        let mut out = Vec::new();
        while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() {
            let header = FrameHeader::decode(*header).expect("a header");
            out.push((header.kind, rest[..header.length].to_vec()));
            bytes = &rest[header.length..];
        }
        out
    }

    #[test]
    fn content_that_breaks_off_is_sent_as_far_as_it_goes_with_the_reason() {
        let mut sent = Vec::new();
        let mut emitter = Emitter::new(&mut sent);
        emitter.member(Member::default(), &mut Broken(3)).expect("sent");
        let frames = frames(&sent);
        let content: usize = frames
            .iter()
            .filter(|f| f.0 == FrameKind::Bytes)
            .map(|f| f.1.len())
            .sum();
        assert_eq!(content, 3);
        let (kind, end) = frames.last().expect("an end");
        assert_eq!(*kind, FrameKind::ItemEnd);
        assert_eq!(end, br#"{"error":"the disc is scratched"}"#);
    }

    #[test]
    fn a_long_text_goes_in_pieces_and_its_length_is_said() {
        let mut sent = Vec::new();
        Emitter::new(&mut sent)
            .done("answer", &vec![b'a'; MAX_FRAME_BYTES * 2 + 1])
            .expect("sent");
        let frames = frames(&sent);
        let lengths: Vec<usize> = frames.iter().map(|frame| frame.1.len()).collect();
        assert_eq!(&lengths[..3], &[MAX_FRAME_BYTES, MAX_FRAME_BYTES, 1]);
        assert_eq!(frames[3].1, br#"{"answer":"answer","blob_bytes":2097153}"#);
    }
}
