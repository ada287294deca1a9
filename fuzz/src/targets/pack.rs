//! Packs of the store: header, frames, tables.

use embley_model::id::Key128;
use embley_store::packs::{PackWalker, pack_file_name};

use super::{ensure, samples};
use crate::machine;
use crate::target::Target;

pub(super) const PACK: Target = Target {
    words: &[
        b"EMBLPACK\x01\0\0\0",
        b"EMFR\0\0\0\0",
        b"EMFR\x01\x01\0\0",
        b"\xff\xff\xff\xff\x0f",
        b"\x28\xb5\x2f\xfd",
    ],
    made: samples::packs,
    repair: Some(samples::repair_pack),
    ..Target::new(
        "pack",
        "frames follow one another; walking with and without unpacking agree; a walk ends",
        walk,
    )
};

fn walk(bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(failed)?;
    machine::write(&folder.path().join(pack_file_name(1)), bytes).map_err(failed)?;
    for end in [None, Some(bytes.len() as u64 / 2), Some(u64::MAX)] {
        let open = || PackWalker::open(folder.path(), 1, Key128(samples::CASE_ID), end);
        let (Ok(mut whole), Ok(mut tables)) = (open(), open()) else {
            return Ok(());
        };
        let mut at = 64;
        for _ in 0..=bytes.len() / 40 + 1 {
            match (whole.next_frame(), tables.next_table()) {
                (Ok(None), Ok(None)) => break,
                (Ok(Some(frame)), Ok(Some(table))) => {
                    ensure(frame.offset >= at && frame.next_offset > frame.offset, || {
                        format!("a frame at {} before {at}", frame.offset)
                    })?;
                    at = frame.next_offset;
                    let agree = (frame.offset, frame.next_offset, &frame.ends, frame.plain_len)
                        == (table.offset, table.next_offset, &table.ends, table.plain_len);
                    ensure(agree, || format!("another table at {}", frame.offset))?;
                    ensure(frame.plain.len() == frame.plain_len as usize, || {
                        format!("{} plain bytes of {}", frame.plain.len(), frame.plain_len)
                    })?;
                }
                // A payload that cannot be unpacked is found only by unpacking.
                (Err(_), Ok(Some(_)) | Err(_)) => break,
                _ => return Err("one walk ends before the other".to_owned()),
            }
        }
        let mut steps = 0;
        while whole.skip_damaged() {
            steps += 1;
            ensure(steps <= bytes.len() / 40 + 1, || {
                "a walk over damage that does not end".to_owned()
            })?;
        }
    }
    Ok(())
}
