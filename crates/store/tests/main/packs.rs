//! Packs by their public face: what was appended reads back, tails can be cut anywhere, damage is named.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use embley_model::id::Blake3;
use embley_model::outcome::ErrorClass;
use embley_store::catalogue::BlobPlaceRow;
use embley_store::packs::{FRAME_TARGET_BYTES, FrameBuilder, PackReader, PackWalker, pack_file_name};
use embley_store::{Access, Case};
use proptest::prelude::*;

use crate::sample::{hashes, ingest, ingest_rolling, init, message, open_write};

/// Bytes that zstd cannot make smaller.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut out);
    out
}

fn append_all(case: &Case, ranges: &[Vec<Vec<u8>>]) -> Vec<(BlobPlaceRow, Vec<u8>)> {
    let mut packs = case.pack_writer().unwrap();
    packs.roll_at(1 << 20);
    let mut builder = FrameBuilder::new().unwrap();
    let mut placed = Vec::new();
    for range in ranges {
        let spans: Vec<_> = range
            .iter()
            .map(|blob| builder.add(blob, &hashes(blob).0).unwrap())
            .collect();
        let packed = builder.finish().unwrap();
        let frames = packs.append(&packed).unwrap();
        builder.recycle(packed);
        placed.extend(
            spans
                .iter()
                .zip(range)
                .map(|(span, blob)| (span.place(&frames).unwrap(), blob.clone())),
        );
    }
    packs.sync().unwrap();
    placed
}

/// Blobs as a walk over all packs sees them: the tables and lengths alone, without the catalogue.
fn walk_all(case: &Case) -> Vec<Vec<u8>> {
    let mut blobs = Vec::new();
    for number in 1.. {
        if !case.originals_dir().join(pack_file_name(number)).exists() {
            break;
        }
        let mut walker = PackWalker::open(&case.originals_dir(), number, case.id(), None).unwrap();
        let mut carried: Vec<u8> = Vec::new();
        while let Some(frame) = walker.next_frame().unwrap() {
            assert_eq!(frame.continues, !carried.is_empty());
            carried.extend_from_slice(&frame.plain);
            for end in frame.ends {
                let rest = carried.split_off(end.size as usize);
                assert_eq!(hashes(&carried).0.half(), end.half);
                blobs.push(std::mem::replace(&mut carried, rest));
            }
        }
        assert!(carried.is_empty());
    }
    blobs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_blob_reads_back_by_its_place_and_by_a_walk(
        shapes in proptest::collection::vec(
            proptest::collection::vec((0_usize..40_000, any::<bool>(), 0_u32..12), 1..12), 1..5),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let case = open_write(&init(folder.path()));
        let mut seed = 0;
        let ranges: Vec<Vec<Vec<u8>>> = shapes.iter().map(|range| range.iter().map(|(len, compressible, times)| {
            seed += 1;
            // Now and then a blob of several frames.
            let len = if *times == 0 { len * 40 } else { *len };
            if *compressible { message(seed, len) } else { noise(seed, len) }
        }).collect()).collect();
        let placed = append_all(&case, &ranges);
        let mut reader = case.pack_reader().unwrap();
        for (place, bytes) in &placed {
            prop_assert_eq!(&reader.read_blob(place, bytes.len() as u64).unwrap(), bytes);
        }
        // Backwards, so that frames are met in another order than written.
        for (place, bytes) in placed.iter().rev() {
            prop_assert_eq!(&reader.read_blob(place, bytes.len() as u64).unwrap(), bytes);
        }
        let walked = walk_all(&case);
        prop_assert_eq!(walked, placed.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>());
    }
}

#[test]
fn frames_do_not_depend_on_how_often_a_builder_was_used() {
    let blobs: Vec<Vec<u8>> = (0..200).map(|seed| message(seed, 9_000)).collect();
    let stored = |builder: &mut FrameBuilder| {
        for blob in &blobs {
            builder.add(blob, &hashes(blob).0).unwrap();
        }
        let range = builder.finish().unwrap();
        (range.stored_bytes(), range.frame_count(), range.plain_bytes())
    };
    let mut used = FrameBuilder::new().unwrap();
    let first = stored(&mut used);
    used.add(&noise(1, 700_000), &Blake3([1; 32])).unwrap();
    used.discard();
    assert_eq!(stored(&mut used), first);
    assert!(first.1 > 2 && first.0 < first.2 / 2, "{first:?}");
}

#[test]
fn incompressible_blobs_are_stored_raw_and_text_is_not() {
    let mut builder = FrameBuilder::new().unwrap();
    let blob = noise(1, FRAME_TARGET_BYTES);
    builder.add(&blob, &hashes(&blob).0).unwrap();
    let raw = builder.finish().unwrap();
    assert!(raw.stored_bytes() >= blob.len() as u64 && raw.stored_bytes() < blob.len() as u64 + 100);
    let text = message(1, FRAME_TARGET_BYTES);
    builder.add(&text, &hashes(&text).0).unwrap();
    assert!(builder.finish().unwrap().stored_bytes() < text.len() as u64 / 2);
}

#[test]
fn a_streamed_blob_equals_one_added_whole_and_an_aborted_one_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let case = open_write(&init(folder.path()));
    let mut packs = case.pack_writer().unwrap();
    let mut builder = FrameBuilder::new().unwrap();
    let bytes = message(5, 3_000_000);
    let mut writer = packs.begin_blob(&mut builder).unwrap();
    for piece in bytes.chunks(70_001) {
        writer.write(piece).unwrap();
    }
    let streamed = writer.finish().unwrap();
    assert_eq!((streamed.blake3, streamed.size), (hashes(&bytes).0, bytes.len() as u64));
    let end = packs.position();
    let mut writer = packs.begin_blob(&mut builder).unwrap();
    writer.write(&noise(3, 2_000_000)).unwrap();
    writer.abort().unwrap();
    assert_eq!(packs.position(), end);
    let after = message(6, 1_000);
    let span = builder.add(&after, &hashes(&after).0).unwrap();
    let frames = packs.append(&builder.finish().unwrap()).unwrap();
    packs.sync().unwrap();
    let mut reader = case.pack_reader().unwrap();
    assert_eq!(reader.read_blob(&streamed.place, streamed.size).unwrap(), bytes);
    assert_eq!(
        reader
            .read_blob(&span.place(&frames).unwrap(), 1_000.max(after.len() as u64))
            .unwrap(),
        after
    );
    assert_eq!(walk_all(&case), vec![bytes, after]);
}

#[test]
fn neighbouring_blobs_cost_one_frame_read_in_order_and_two_when_the_first_wanted_little() {
    let folder = tempfile::tempdir().unwrap();
    let case = open_write(&init(folder.path()));
    let placed = append_all(&case, &[(0..20).map(|seed| message(seed, 5_000)).collect()]);
    let read_all = |mut reader: PackReader| {
        for (place, bytes) in &placed {
            assert_eq!(&reader.read_blob(place, bytes.len() as u64).unwrap(), bytes);
        }
        reader.frames_read()
    };
    let mut in_order = case.pack_reader().unwrap();
    in_order.in_order();
    assert_eq!(read_all(in_order), 1);
    assert_eq!(read_all(case.pack_reader().unwrap()), 2);
}

#[test]
fn a_pack_rolls_over_between_ranges_and_blobs_never_cross_packs() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    ingest_rolling(&open_write(&path), 200, 20, 5_000, 20_000).unwrap();
    let case = Case::open(&path, Access::Read).unwrap();
    let last = case.reader().unwrap().checkpoint().pack;
    assert!(last.pack > 3, "{last:?}");
    assert_eq!(walk_all(&case).len(), 200);
}

#[test]
fn a_tail_beyond_the_committed_position_is_cut_at_any_length_and_never_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    ingest(&open_write(&path), 40, 20, 2_000).unwrap();
    let committed = Case::open(&path, Access::Read)
        .unwrap()
        .reader()
        .unwrap()
        .checkpoint()
        .pack;
    let pack = path.join("originals").join(pack_file_name(committed.pack));
    let before = std::fs::read(&pack).unwrap();
    assert_eq!(before.len() as u64, committed.offset);
    // A whole further range, cut at lengths all over it, as a stop while appending leaves it.
    let mut tail = Vec::new();
    {
        let case = open_write(&path);
        append_all(&case, &[(100..140).map(|seed| message(seed, 2_000)).collect()]);
        tail.extend_from_slice(&std::fs::read(&pack).unwrap()[before.len()..]);
    }
    assert!(tail.len() > 5_000);
    for cut in (0..tail.len()).step_by(701).chain([1, 39, 40, 41, tail.len()]) {
        let mut bytes = before.clone();
        bytes.extend_from_slice(&tail[..cut]);
        std::fs::write(&pack, bytes).unwrap();
        std::fs::write(
            path.join("originals").join(pack_file_name(committed.pack + 1)),
            &tail[..cut],
        )
        .unwrap();
        let case = open_write(&path);
        assert_eq!(case.pack_writer().unwrap().position(), committed);
        assert_eq!(std::fs::read(&pack).unwrap(), before, "cut {cut}");
        assert!(!path.join("originals").join(pack_file_name(committed.pack + 1)).exists());
    }
    // A reader cuts nothing.
    OpenOptions::new()
        .append(true)
        .open(&pack)
        .unwrap()
        .write_all_at(b"", 0)
        .ok();
    std::fs::write(&pack, [&before[..], b"tail"].concat()).unwrap();
    Case::open(&path, Access::Read).unwrap().pack_reader().unwrap();
    assert_eq!(std::fs::read(&pack).unwrap().len(), before.len() + 4);
    // Committed bytes that are missing are damage, and nothing is touched.
    std::fs::write(&pack, &before[..before.len() - 1]).unwrap();
    let error = open_write(&path)
        .pack_writer()
        .expect_err("committed bytes are missing");
    assert_eq!(error.class(), ErrorClass::Corruption);
    assert!(error.to_string().contains("ends here"), "{error}");
    assert_eq!(std::fs::read(&pack).unwrap().len(), before.len() - 1);
}

#[test]
fn every_flipped_byte_of_a_frame_is_noticed_by_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    let case = open_write(&init(folder.path()));
    let placed = append_all(&case, &[vec![message(1, 900), message(2, 900)]]);
    let pack = case.originals_dir().join(pack_file_name(1));
    let good = std::fs::read(&pack).unwrap();
    let file = OpenOptions::new().write(true).open(&pack).unwrap();
    let mut noticed = 0;
    for (at, byte) in good.iter().enumerate().skip(64) {
        file.write_all_at(&[byte ^ 0x11], at as u64).unwrap();
        let (place, bytes) = &placed[1];
        let error = case
            .pack_reader()
            .unwrap()
            .read_blob(place, bytes.len() as u64)
            .expect_err("damage");
        assert_eq!(error.class(), ErrorClass::Corruption, "byte {at}: {error}");
        assert!(
            error.to_string().contains("pack-000001.emp is damaged at offset 64"),
            "{error}"
        );
        noticed += 1;
        file.write_all_at(&[*byte], at as u64).unwrap();
    }
    assert!(noticed > 200);
}

#[test]
fn a_pack_of_another_case_or_number_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, other) = (init(one.path()), init(two.path()));
    ingest(&open_write(&path), 10, 5, 500).unwrap();
    ingest(&open_write(&other), 10, 5, 500).unwrap();
    let pack = path.join("originals").join(pack_file_name(1));
    let good = std::fs::read(&pack).unwrap();
    std::fs::copy(other.join("originals").join(pack_file_name(1)), &pack).unwrap();
    let error = open_write(&path).pack_writer().expect_err("foreign");
    assert!(error.to_string().contains("another case"), "{error}");
    let mut newer = good.clone();
    newer[8] = 9;
    std::fs::write(&pack, newer).unwrap();
    let error = open_write(&path).pack_writer().expect_err("newer");
    assert!(error.to_string().contains("has format 9"), "{error}");
    std::fs::remove_file(&pack).unwrap();
    let error = open_write(&path).pack_writer().expect_err("missing");
    assert!(error.to_string().contains("the pack is missing"), "{error}");
}
