//! What verification found: the thing, the place, what is wrong, and what to do.

use std::collections::BTreeMap;

use serde::Serialize;

/// Findings of one check that are listed one by one; the rest is counted.
const LISTED: u64 = 50;

/// Something is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// File or table.
    pub thing: String,
    /// Offset, row or id.
    pub place: String,
    /// What was expected and what found.
    pub detail: String,
    /// What to do next.
    pub next: String,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Pack files.
    pub packs: u64,
    /// Frames, each against its checksum.
    pub frames: u64,
    /// Blobs hashed again out of packs.
    pub packed_blobs: u64,
    /// Blobs taken out of their messages and hashed again.
    pub derived_blobs: u64,
    /// Containers hashed again where they lie.
    pub referenced_blobs: u64,
    /// Plain bytes hashed again.
    pub bytes: u64,
    /// Rows of items.
    pub items: u64,
    /// Rows of instances.
    pub instances: u64,
    /// Rows of files.
    pub files: u64,
    /// Runs whose sums were added up.
    pub runs: u64,
}

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// What is wrong, in the order of the checks; empty when all is well.
    pub findings: Vec<Finding>,
    /// What is unusual and harmless.
    pub notes: Vec<String>,
    /// How much was looked at.
    pub checked: Checked,
}

impl VerifyReport {
    /// True when nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Findings on their way.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    counts: BTreeMap<(String, &'static str), u64>,
    pub(super) notes: Vec<String>,
    pub(super) checked: Checked,
}

impl Findings {
    /// Adds a finding; `next` also tells checks apart when many are counted.
    pub(super) fn add(&mut self, thing: &str, place: impl Into<String>, detail: impl Into<String>, next: &'static str) {
        let count = self.counts.entry((thing.to_owned(), next)).or_insert(0);
        *count += 1;
        if *count <= LISTED {
            self.list.push(Finding {
                thing: thing.to_owned(),
                place: place.into(),
                detail: detail.into(),
                next: next.to_owned(),
            });
        }
    }

    pub(super) fn join(&mut self, other: Self) {
        for finding in other.list {
            let next = other
                .counts
                .keys()
                .find(|(thing, next)| *thing == finding.thing && *next == finding.next);
            if let Some((_, next)) = next {
                self.add(&finding.thing, finding.place, finding.detail, next);
            }
        }
        for (key, count) in other.counts {
            if count > LISTED {
                *self.counts.entry(key).or_insert(0) += count - LISTED;
            }
        }
        self.notes.extend(other.notes);
        let (mine, others) = (&mut self.checked, other.checked);
        mine.packs += others.packs;
        mine.frames += others.frames;
        mine.packed_blobs += others.packed_blobs;
        mine.derived_blobs += others.derived_blobs;
        mine.referenced_blobs += others.referenced_blobs;
        mine.bytes += others.bytes;
        mine.items += others.items;
        mine.instances += others.instances;
        mine.files += others.files;
        mine.runs += others.runs;
    }

    pub(super) fn finish(mut self) -> VerifyReport {
        for ((thing, next), count) in &self.counts {
            if *count > LISTED {
                self.list.push(Finding {
                    thing: thing.clone(),
                    place: "further places".to_owned(),
                    detail: format!("{} more of the same kind are not listed", count - LISTED),
                    next: (*next).to_owned(),
                });
            }
        }
        VerifyReport {
            findings: self.list,
            notes: self.notes,
            checked: self.checked,
        }
    }
}

/// Next steps, in one place so that they stay the same words.
pub(super) mod next {
    pub(crate) const RESTORE_PACK: &str =
        "put this pack file back from a copy of the case; items whose originals stand in it cannot be shown until then";
    pub(crate) const RESTORE_SOURCE: &str =
        "put the container back as it was when it was taken in; what was in it is in the case and can be searched";
    pub(crate) const RESTORE_CATALOGUE: &str =
        "put catalogue.sqlite back from a copy of the case, or ingest the sources again into a new case";
    pub(crate) const RESTORE_EXHIBIT: &str =
        "put this file back from a copy of the case, or from where it was added: `embley exhibit show` names the place";
    pub(crate) const RUN_AGAIN: &str =
        "run the same ingest again; if the finding stays, ingest into a new case and report it";
    pub(crate) const REPORT: &str = "report this: the program that wrote the case was wrong";
    pub(crate) const OTHER_VERSION: &str =
        "the parser takes this part out differently now; open the case with the version that took it in, and report it";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_findings_of_one_kind_are_counted_not_listed() {
        let mut findings = Findings::default();
        for at in 0..120 {
            let mut one = Findings::default();
            one.add("table item", format!("item {at}"), "x", next::REPORT);
            findings.join(one);
        }
        let report = findings.finish();
        assert_eq!(report.findings.len() as u64, LISTED + 1);
        assert_eq!(report.findings[50].detail, "70 more of the same kind are not listed");
    }
}
