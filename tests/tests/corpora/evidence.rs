//! One folder of mail in a case of its own, and the checks that hold for any such folder.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use embley_model::id::{FileId, InstanceId};
use embley_store::{Access, Case, StoreError};
use embley_tests::{Dice, Site, files, oracle};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::allowed::{Allowed, Count};

/// Where one entry lies, and the item that it is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Label of the source and path below it.
    pub(crate) path: String,
    /// Number within the file.
    pub(crate) ordinal: u64,
    /// Range as found, separator and line end before the next one included.
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) separator_len: u64,
    pub(crate) trailer_len: u64,
    /// The message is not the range between the two as it stands: its quoting was taken off.
    pub(crate) differs: bool,
    pub(crate) item: u32,
    /// SHA-256 of the item, in hexadecimal.
    pub sha256: String,
}

/// A case that holds one folder.
pub(crate) struct Evidence {
    pub(crate) site: Site,
    above: PathBuf,
    source: PathBuf,
    pub(crate) places: Vec<Place>,
}

impl Evidence {
    /// Takes the folder in, and checks all that an ingest itself says.
    ///
    /// Containers and documents stay closed: other readers of mail do not open them, and `formats` holds what is in them.
    pub(crate) fn take_in(site: Site, source: &Path) -> Self {
        let args = [source.as_os_str(), "--no-open".as_ref()];
        site.ingest(&args).expect(0).says(&["all sums close"]);
        let source = source.canonicalize().expect("the source is there");
        let above = source.parent().expect("a folder above").to_owned();
        let mut evidence = Self {
            site,
            above,
            source,
            places: Vec::new(),
        };
        evidence.places = evidence.read_places();
        evidence.check_sums();
        evidence.check_exceptions();
        evidence.check_verified();
        evidence
    }

    fn read_places(&self) -> Vec<Place> {
        let case = Case::open(self.site.case(), Access::Read).expect("the case opens");
        let reader = case.reader().expect("the catalogue opens");
        let mut paths: HashMap<FileId, String> = HashMap::new();
        let mut places = Vec::new();
        let seen = reader.for_each_instance(InstanceId(0)..InstanceId(u64::MAX >> 1), |row| {
            let path = match paths.entry(row.file_id) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(free) => free.insert(reader.shown_path(row.file_id)?).clone(),
            };
            let blob = reader.blob_of(row.item_no)?.expect("an item has a blob");
            places.push(Place {
                path,
                ordinal: row.ordinal,
                offset: row.offset,
                length: row.length,
                // The column holds the line before the message, and behind it what stands after the message.
                separator_len: row
                    .separator
                    .as_ref()
                    .map_or(0, |around| around.len() as u64 - u64::from(row.trailer_len)),
                trailer_len: u64::from(row.trailer_len),
                differs: row.as_found_differs,
                item: row.item_no.0,
                sha256: blob.sha256.to_string(),
            });
            Ok::<_, StoreError>(())
        });
        seen.expect("the catalogue can be read");
        places
    }

    fn check_sums(&self) {
        let run = self.site.last_run();
        assert_eq!((&run["balanced"], &run["excepted"]), (&true.into(), &0.into()), "{run}");
        assert_eq!(run["instances"], self.places.len(), "{run}");
        assert_eq!(
            run["discovered"].as_u64().expect("a count"),
            self.places.len() as u64 + run["excluded"].as_u64().expect("a count"),
            "each entry found is an instance or was left out: {run}"
        );
        assert_eq!(run["children"]["discovered"], run["children"]["items"], "{run}");
    }

    fn check_exceptions(&self) {
        for line in self.site.ok(&["exceptions", "--all", "--format", "jsonl"]).lines() {
            let code = line["code"].as_str().expect("a code");
            assert!(code != "PARSER-PANIC" && line["class"] != "excepted", "{line}");
        }
    }

    fn check_verified(&self) {
        let found = self.site.ok(&["verify", "--deep", "--format", "json"]).json();
        assert_eq!(found["findings"], Value::Array(Vec::new()), "verify --deep");
    }

    /// Number of entries by path.
    pub(crate) fn counts(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for place in &self.places {
            *counts.entry(place.path.as_str()).or_insert(0) += 1;
        }
        counts
    }

    /// Holds the number of messages of every file against the independent reader's; returns how many files there were.
    pub(crate) fn check_counts(&self, read: &Value, allowed: &Allowed) -> usize {
        let ours = self.counts();
        let theirs = read["files"].as_object().expect("files");
        let mut left: Vec<&Count> = allowed.counts.iter().collect();
        let mut wrong = Vec::new();
        for path in ours.keys().copied().chain(
            theirs
                .keys()
                .map(String::as_str)
                .filter(|path| !ours.contains_key(path)),
        ) {
            let pair = (
                ours.get(path).copied().unwrap_or(0),
                theirs.get(path).and_then(Value::as_u64).unwrap_or(0),
            );
            let known = left
                .iter()
                .position(|one| one.path == path && (one.program, one.reader) == pair);
            match known {
                Some(place) => drop(left.swap_remove(place)),
                None if pair.0 == pair.1 => {}
                None => wrong.push(format!("{path}: {} here, {} by the independent reader", pair.0, pair.1)),
            }
        }
        assert!(wrong.is_empty(), "counts differ:\n{}", wrong.join("\n"));
        assert!(
            left.is_empty(),
            "these no longer differ and are to be struck off the list: {left:?}"
        );
        ours.len()
    }

    /// Holds the hash of every entry against its bytes in the source, and takes a seeded sample out again, as message and as found.
    /// Returns how many entries could be held against their source as they stand there.
    pub(crate) fn check_originals(&self, seed: u64, sample: usize) -> usize {
        let mut sources: HashMap<&str, Vec<u8>> = HashMap::new();
        let mut compared = 0;
        for place in &self.places {
            if place.offset == 0 {
                // Entries come in the order of files: the file before is not needed again.
                sources.clear();
            }
            let bytes = sources
                .entry(&place.path)
                .or_insert_with(|| files::read(&self.above.join(&place.path)));
            let message = message_of(place, bytes);
            let found = hex(&Sha256::digest(if place.differs {
                unquoted(message)
            } else {
                message.to_vec()
            }));
            assert_eq!(
                found, place.sha256,
                "the item of {} #{} is another message",
                place.path, place.ordinal
            );
            compared += 1;
        }
        let mut dice = Dice::new(seed);
        for _ in 0..sample.min(self.places.len()) {
            let place = &self.places[usize::try_from(dice.below(self.places.len() as u64)).expect("fits")];
            self.check_taken_out(place, seed);
        }
        compared
    }

    fn check_taken_out(&self, place: &Place, seed: u64) {
        let item = place.item.to_string();
        let raw = self.site.ok(&["show", &item, "--raw"]).stdout;
        let name = format!("{} #{} (item {item}, seed {seed})", place.path, place.ordinal);
        assert_eq!(hex(&Sha256::digest(&raw)), place.sha256, "show --raw of {name}");
        // Of a message found several times the slice of its first place is shown.
        let first = self
            .places
            .iter()
            .find(|one| one.item == place.item)
            .expect("its own place at least");
        let bytes = files::read(&self.above.join(&first.path));
        let slice = self.site.ok(&["show", &item, "--raw", "--as-found"]).stdout;
        let (start, end) = (index(first.offset), index(first.offset + first.length));
        assert!(
            slice == bytes[start..end],
            "show --raw --as-found of {name} is not what stands in its file"
        );
    }

    /// Takes a seeded sample of these messages out by their hash and hashes what comes.
    pub(crate) fn check_raw_of(&self, expected: &[(String, u64)], seed: u64, sample: usize) {
        let mut dice = Dice::new(seed);
        for _ in 0..sample {
            let (digest, length) = &expected[index(dice.below(expected.len() as u64))];
            let place = self
                .places
                .iter()
                .find(|place| place.sha256 == *digest)
                .expect("it was found");
            let raw = self.site.ok(&["show", &place.item.to_string(), "--raw"]).stdout;
            assert_eq!(
                (hex(&Sha256::digest(&raw)), raw.len() as u64),
                (digest.clone(), *length),
                "item {} (seed {seed})",
                place.item
            );
        }
    }

    /// What the independent reader counts in the folder.
    pub(crate) fn read_independently(&self) -> Value {
        let (code, read, said) = oracle::ask(
            "messages.py",
            &["read".as_ref(), self.source.as_os_str()],
            self.site.root(),
            "read.json",
        );
        assert_eq!(code, 0, "{said}");
        read
    }

    /// All that is listed as being without text has none, and what has none is listed, or said to be not searchable.
    /// Returns how many items are listed.
    pub(crate) fn check_without_text(&self, read: &Value, allowed: &Allowed) -> u64 {
        let args = [
            "check",
            "--case",
            &self.site.case().to_string_lossy(),
            "--embley",
            &embley_tests::binary().to_string_lossy(),
        ]
        .map(str::to_owned);
        let (code, checked, said) = oracle::ask("messages.py", &args, self.site.root(), "checked.json");
        assert_eq!(code, 0, "{said}");
        let wrong: Vec<&Value> = checked["with_words"].as_array().expect("a list").iter().collect();
        let path_of = |digest: &str| {
            self.places
                .iter()
                .find(|place| place.sha256 == digest)
                .map_or("", |place| place.path.as_str())
        };
        let unknown: Vec<_> = wrong
            .iter()
            .filter(|one| {
                !allowed
                    .text_after_all
                    .iter()
                    .any(|(path, _)| *path == path_of(one["sha256"].as_str().unwrap_or_default()))
            })
            .collect();
        assert!(
            unknown.is_empty(),
            "listed as being without text, but there are words: {unknown:#?}"
        );
        assert_eq!(
            wrong.len(),
            allowed.text_after_all.len(),
            "the list of exceptions holds what is none: {wrong:?}"
        );

        let hidden = self.site.hits("has:no-text OR has:not-searchable OR has:empty");
        let mut unlisted = Vec::new();
        for (digest, place) in read["without_text"].as_object().expect("a map") {
            let place = place.as_str().unwrap_or_default();
            let listed = hidden.iter().any(|hit| hit["sha256"] == *digest);
            let known = allowed.text_by_the_program.iter().any(|(path, _)| *path == place);
            assert!(!(listed && known), "{place} is listed and needs no exception");
            if !listed && !known {
                unlisted.push(place);
            }
        }
        assert!(
            unlisted.is_empty(),
            "messages without text that are not listed: {unlisted:?}"
        );
        let status = self.site.last_run();
        let listed = checked["listed"].as_u64().expect("a count");
        assert_eq!(
            status["not_searchable"]["no-text"].as_u64().unwrap_or(0),
            listed,
            "status and search say the same"
        );
        listed
    }
}

fn message_of<'b>(place: &Place, bytes: &'b [u8]) -> &'b [u8] {
    &bytes[index(place.offset + place.separator_len)..index(place.offset + place.length - place.trailer_len)]
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("a file in memory")
}

/// One `>` less on each line that begins with some and `From ` (mboxrd).
fn unquoted(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        let quoted = quotes > 0 && line[quotes..].starts_with(b"From ");
        out.extend_from_slice(&line[usize::from(quoted)..]);
    }
    out
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
