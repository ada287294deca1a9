//! What a case says about its files and items, read once from its canonical text, and the rules that hold for any folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use embley_tests::{Program, Ran, Site, files, program};
use rustix::process::Signal;
use serde_json::Value;

use crate::evidence::{check_deep, sha256};

/// Archives of the corpora in which nothing but folders is.
const ONLY_FOLDERS: [&str; 2] = ["directory.tar", "emptyDir.tar"];

/// A folder that was taken in under the limit of time, and checked.
pub(crate) struct Shelf {
    pub(crate) site: Site,
    /// Hits of everything.
    pub(crate) hits: Vec<Value>,
    /// Paths of files and members, each with how many entries it has.
    pub(crate) paths: Paths,
    /// Paths at which each top-level item was found.
    places: Places,
}

/// Runs it to its end; panics when that takes more than `seconds`.
pub(crate) fn within(program: Program, seconds: u64) -> Ran {
    let mut running = program.start();
    for _ in 0..seconds * 1000 {
        if !running.goes_on() {
            return running.wait();
        }
        program::tick();
    }
    running.signal(Signal::KILL);
    panic!("it hangs: no end after {seconds} s\n{}", running.wait().stderr);
}

impl Shelf {
    /// Takes a folder in, and checks what must hold for any: it ends, sums close, all that has words is found by them, the store is
    /// sound, the sources are as they were, and nothing is silently empty.
    pub(crate) fn take_in(folder: &Path) -> Self {
        let before = hashes(folder);
        let site = Site::new();
        let ran = within(site.ingest_program(&[folder]), 900);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        let ran = ran.says(&["all sums close"]);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        assert!(before == hashes(folder), "a file of the sources was changed");
        assert!(before.len() > 3, "only {} files", before.len());
        let run = site.last_run();
        assert_eq!(
            (&run["balanced"], &run["state"]),
            (&true.into(), &"done".into()),
            "{run}"
        );
        let report = site.ok(&["runs", "show", run["id"].as_str().expect("an id")]).json();
        let test = &report["report"]["self_test"];
        assert_eq!(test["asked"], test["found"], "{test}");
        assert!(test["asked"].as_u64() > Some(0), "{test}");
        check_deep(&site);
        let hits = site.hits("*");
        let (paths, places) = places_of(&site.dump());
        let shelf = Self {
            site,
            hits,
            paths,
            places,
        };
        shelf.check_nothing_is_silently_empty();
        shelf
    }

    /// Numbers of entries of all files below a path.
    pub(crate) fn entries_below(&self, path: &str) -> u64 {
        let below = format!("{path}/");
        let files = self.paths.iter().filter(|(path, _)| path.starts_with(&below));
        files.map(|(_, entries)| entries).sum()
    }

    /// Where a top-level item was found.
    pub(crate) fn places(&self, hit: &Value) -> &[String] {
        let places = hit["item_no"].as_u64().and_then(|item| self.places.get(&item));
        places.map_or(&[], Vec::as_slice)
    }

    /// The hit of a file's item, of a file with one.
    pub(crate) fn hit_at(&self, path: &str) -> Option<&Value> {
        let (item, _) = self
            .places
            .iter()
            .find(|(_, places)| places.iter().any(|place| place == path))?;
        self.hits.iter().find(|hit| hit["item_no"] == *item)
    }

    /// Each item without text has none by design, or carries a defect.
    fn check_nothing_is_silently_empty(&self) {
        let listed = self.site.ok(&["exceptions", "--all", "--format", "jsonl"]).lines();
        // A member without any bytes is no item, but a line among the exceptions.
        let lost = listed.iter().filter_map(|line| line["path"].as_str());
        let files = self.paths.iter().map(|(path, _)| path.as_str());
        let folders: BTreeSet<&str> = files.chain(lost).flat_map(above).collect();
        let mut silent = Vec::new();
        for hit in &self.hits {
            let text = |key: &str| hit[key].as_str().unwrap_or_default();
            let (state, media_type) = (text("searchability"), text("media_type"));
            let by_design = match state {
                "searched" => true,
                "empty" => hit["size"].as_u64() == Some(0),
                // Recognised by its first bytes; sound and pictures have no text that could be read.
                "media" => media_type != "application/pdf",
                // A message or plain text without words was read to its end, and there were none.
                "no-text" => {
                    text("kind") == "email"
                        || media_type.starts_with("text/")
                        || media_type.starts_with("message/")
                        || self.has_members(hit, &folders)
                        || ONLY_FOLDERS.contains(&text("filename"))
                }
                _ => false,
            };
            let said = hit["defects"].as_array().is_some_and(|defects| !defects.is_empty());
            if !by_design && !said {
                let item = hit["item_no"].as_u64().unwrap_or_default();
                let place = self.places.get(&item).and_then(|places| places.first());
                silent.push(format!(
                    "item {item} {state} {media_type} {} bytes {:?} {place:?}",
                    hit["size"],
                    text("filename")
                ));
            }
        }
        assert!(
            silent.is_empty(),
            "{} items are silently empty:\n{}",
            silent.len(),
            silent.join("\n")
        );
    }

    /// It is a container of which files came.
    fn has_members(&self, hit: &Value, folders: &BTreeSet<&str>) -> bool {
        let own = hit["item_no"].as_u64().and_then(|item| self.places.get(&item));
        if let Some(places) = own {
            return places.iter().any(|place| folders.contains(place.as_str()));
        }
        // A part: its folder begins with the path of its message, and ends with its name.
        let name = hit["filename"].as_str().unwrap_or_default().replace('/', "_");
        folders.iter().any(|folder| folder.ends_with(&name))
    }
}

/// SHA-256 of every file below a folder.
fn hashes(folder: &Path) -> BTreeMap<std::path::PathBuf, String> {
    let all = files::all_files(folder);
    all.into_iter()
        .map(|path| {
            let digest = sha256(&files::read(&path));
            (path, digest)
        })
        .collect()
}

/// All folders above a path.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Paths with their entries.
pub(crate) type Paths = Vec<(String, u64)>;
/// The paths of each top-level item.
type Places = BTreeMap<u64, Vec<String>>;

/// Paths with their entries, and the paths of each top-level item, from the canonical text of a case.
fn places_of(dump: &str) -> (Paths, Places) {
    let mut paths = BTreeMap::new();
    let mut places = Places::new();
    for line in dump.lines() {
        if let Some(rest) = line.strip_prefix("file ") {
            let (id, rest) = rest.split_once(' ').expect("a number and a path");
            let end = rest.find("\" version ").expect("a path ends");
            let path: String =
                serde_json::from_str(&escaped(&rest[..=end])).unwrap_or_else(|_| rest[1..end].to_owned());
            let counts = rest.split(" instances ").nth(1).expect("entries");
            let count = counts.split(['+', ' ']).nth(1).expect("a count");
            let id: u64 = id.trim_start_matches("file:").parse().expect("a file's number");
            paths.insert(id, (path, count.parse().expect("a count")));
        } else if line.starts_with("InstanceRow {") {
            let item = number_after(line, "item_no: ItemNo(");
            let file = number_after(line, "file_id: FileId(");
            let (path, _) = &paths[&file];
            places.entry(item).or_default().push(path.clone());
        }
    }
    assert!(
        !paths.is_empty() && !places.is_empty(),
        "the canonical text has changed its form"
    );
    (paths.into_values().collect(), places)
}

/// Rust's escapes beyond ASCII as those of JSON.
fn escaped(quoted: &str) -> String {
    quoted.replace("\\'", "'").replace("\\0", "\\u0000")
}

fn number_after(line: &str, key: &str) -> u64 {
    let at = line.find(key).unwrap_or_else(|| panic!("no {key} in {line}")) + key.len();
    let digits: String = line[at..].chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}
