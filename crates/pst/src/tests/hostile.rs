//! Cut and flipped files: no panic, an end, and no more memory than there are bytes.

use super::whole::{ALL, FIRST, store_of};
use crate::{AttachmentPath, Limits, NodeId, PstFile, PstOptions, ScanMode};

/// Reads all there is; returns how many messages.
fn read_all(bytes: Vec<u8>) -> usize {
    let options = PstOptions {
        cache_bytes: 1 << 20,
        scan: ScanMode::WhenDamaged,
    };
    let Ok(pst) = PstFile::open(bytes, &options) else {
        return 0;
    };
    let folders = pst.folders();
    let mut messages = 0;
    for folder in &folders.folders {
        for id in pst.messages(folder).ids.into_iter().take(3) {
            messages += usize::from(pst.load(id, &Limits::default()).is_ok());
        }
        pst.associated(folder);
    }
    let path = AttachmentPath(vec![1]);
    let _ = pst.attachment_to(NodeId(FIRST), &path, &mut std::io::sink());
    let salvage = pst.salvage(&folders);
    for found in salvage.messages.iter().take(3) {
        let _ = pst.load(found.id, &Limits::default());
    }
    messages
}

/// Numbers from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

#[test]
fn cut_anywhere_it_ends_without_a_panic() {
    for (version, crypt) in ALL {
        let bytes = small(version, crypt);
        assert_eq!(read_all(bytes.clone()), 3);
        for length in (0..bytes.len()).step_by(bytes.len() / 60) {
            read_all(bytes[..length].to_vec());
        }
    }
}

#[test]
fn flipped_anywhere_it_ends_without_a_panic() {
    for (number, (version, crypt)) in ALL.into_iter().enumerate() {
        let bytes = small(version, crypt);
        let mut random = Random(number as u64);
        for _ in 0..250 {
            let mut damaged = bytes.clone();
            for _ in 0..=random.below(8) {
                let at = random.below(damaged.len());
                damaged[at] ^= 1 << random.below(8);
            }
            // Half of the damage goes where the structure is.
            for _ in 0..random.below(4) {
                let at = random.below(560);
                damaged[at] = random.below(256) as u8;
            }
            read_all(damaged);
        }
    }
}

fn small(version: crate::FileVersion, crypt: crate::CryptMethod) -> Vec<u8> {
    store_of(version, crypt, 3).bytes
}

/// Damage of the plain data, with all checksums made to fit: what a file that was made to harm looks like.
#[test]
fn flipped_below_the_checksums_it_ends_without_a_panic() {
    use super::writer::{Put, Writer, context, table, utf16};
    let mut random = Random(7);
    let mut read = 0;
    for round in 0..3000 {
        let (version, crypt) = ALL[round % ALL.len()];
        let mut writer = Writer::new(version, crypt);
        writer.block_data = 600;
        let rows = vec![
            (0x8025, vec![(0x3705_0003, Put::Small(1))]),
            (0x8045, vec![(0x3705_0003, Put::Small(5))]),
        ];
        let (data, sub) = table(&mut writer, &[0x3705_0003, 0x3001_001F], &rows, round % 2 == 0);
        let list = (0x671, data, sub);
        let people = (0x692, data, sub);
        let content = Put::Node(vec![round as u8; 2000]);
        let (data, sub) = context(
            &mut writer,
            &[(0x3705_0003, Put::Small(1)), (0x3701_0102, content)],
            &[],
        );
        let first = (0x8025, data, sub);
        let (inner, inner_sub) = context(&mut writer, &[(0x0037_001F, Put::Item(utf16("inner")))], &[first]);
        let values = [
            (0x3705_0003, Put::Small(5)),
            (0x3701_000D, Put::Object(inner, inner_sub)),
        ];
        let (data, sub) = context(&mut writer, &values, &[]);
        let values = [
            (0x0037_001F, Put::Item(utf16("outer"))),
            (
                0x6001_101F,
                Put::Item(vec![2, 0, 0, 0, 12, 0, 0, 0, 14, 0, 0, 0, 65, 0, 66, 0]),
            ),
        ];
        let (data, sub) = context(&mut writer, &values, &[list, people, first, (0x8045, data, sub)]);
        writer.node(FIRST, data, sub, 0x122);
        for _ in 0..=random.below(6) {
            writer.damage(random.below(usize::MAX / 2), random.below(256) as u8);
        }
        let pst = PstFile::open(writer.finish().bytes, &PstOptions::default()).expect("the header is whole");
        read += usize::from(pst.load(NodeId(FIRST), &Limits::default()).is_ok());
        let _ = pst.attachment_to(NodeId(FIRST), &AttachmentPath(vec![1, 0]), &mut std::io::sink());
    }
    assert!(read > 1000, "{read}");
}
