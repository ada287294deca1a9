//! A file of another writer, in the project: `samples/README.md` says where it comes from.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use embley_mapi::Value;
use embley_pst::{CryptMethod, FileVersion, Limits, PstFile, PstOptions, ReadAt};

fn sample() -> Vec<u8> {
    zstd::decode_all(&include_bytes!("samples/contacts.pst.zst")[..]).expect("unpacks")
}

#[test]
fn every_contact_of_the_sample_is_read_without_a_defect() {
    let pst = PstFile::open(sample(), &PstOptions::default()).expect("opens");
    assert_eq!(
        (pst.header().version, pst.header().crypt),
        (FileVersion::Unicode, CryptMethod::Permute)
    );
    assert_eq!(pst.defects(), []);
    let folders = pst.folders();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for folder in &folders.folders {
        let list = pst.messages(folder);
        assert_eq!(
            (list.stated.unwrap_or(0), list.defects),
            (list.ids.len() as u64, vec![])
        );
        for id in list.ids {
            let contact = pst.load(id, &Limits::default()).expect("loads");
            assert_eq!(contact.defects, []);
            let Some((_, Value::Unicode(name))) = contact.properties.by_id(0x3001) else {
                panic!("no name")
            };
            *names.entry(name.clone()).or_default() += 1;
        }
    }
    assert_eq!(names.len(), 6);
    assert!(names.values().all(|count| *count == 12), "{names:?}");
    assert_eq!(pst.salvage(&folders).messages, []);
}

/// Counts what is read.
struct Counting(Vec<u8>, &'static AtomicU64);

impl ReadAt for Counting {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.0.read_at(buf, offset)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

#[test]
fn opening_and_loading_one_message_reads_a_part_of_the_file_only() {
    static READ: AtomicU64 = AtomicU64::new(0);
    let bytes = sample();
    let length = bytes.len() as u64;
    let pst = PstFile::open(Counting(bytes, &READ), &PstOptions::default()).expect("opens");
    let folders = pst.folders();
    let list = folders
        .folders
        .iter()
        .map(|folder| pst.messages(folder))
        .find(|list| !list.ids.is_empty());
    let first = list.expect("a folder with messages").ids[0];
    pst.load(first, &Limits::default()).expect("loads");
    let read = READ.load(Ordering::Relaxed);
    assert!(read > 0 && read < length / 4, "{read} of {length}");
    pst.load(first, &Limits::default()).expect("loads");
    assert_eq!(
        READ.load(Ordering::Relaxed),
        read,
        "the second time it comes from memory"
    );
}
