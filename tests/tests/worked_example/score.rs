//! Holding what was raised against what was planted.
//!
//! An indicator is *about* an entry of the truth when it is of its rule and of its case (where the entry has one) and names one of
//! its records or messages (or, where the entry has neither, one of its people). Each planted fault counts once as found, however
//! many indicators are about it. Every open indicator that is about no planted fault counts as false by itself: about a look-alike,
//! in a clean case, or elsewhere in a case that has a fault. So repeating oneself cannot raise the precision.

use std::collections::BTreeMap;

use embley_corpus::example::{Entry, Label};

use crate::taken_in::{Raised, Scored, printed};

/// Counts for a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) planted: u64,
    pub(crate) found: u64,
    pub(crate) look_alikes: u64,
    /// Look-alikes about which an open indicator is.
    pub(crate) taken_in: u64,
    /// Look-alikes about which there is an indicator, and something on record explains it.
    pub(crate) set_aside: u64,
    /// Open indicators about look-alikes.
    pub(crate) false_look_alike: u64,
    /// Open indicators about nothing of the truth.
    pub(crate) false_elsewhere: u64,
    /// All open indicators.
    pub(crate) raised: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.planted += other.planted;
        self.found += other.found;
        self.look_alikes += other.look_alikes;
        self.taken_in += other.taken_in;
        self.set_aside += other.set_aside;
        self.false_look_alike += other.false_look_alike;
        self.false_elsewhere += other.false_elsewhere;
        self.raised += other.raised;
    }

    pub(crate) fn wrong(&self) -> u64 {
        self.false_look_alike + self.false_elsewhere
    }

    /// Of what was planted, what was found; 1 where nothing was planted.
    pub(crate) fn recall(&self) -> f64 {
        share(self.found, self.planted)
    }

    /// Of what was raised, what was planted; 1 where nothing was raised.
    pub(crate) fn precision(&self) -> f64 {
        share(self.found, self.found + self.wrong())
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// What became of one run.
#[derive(Default)]
pub(crate) struct Scores {
    /// By rule.
    pub(crate) rules: BTreeMap<String, Tally>,
    /// By rule and variant: entries, and those about which an open indicator is.
    pub(crate) variants: BTreeMap<(String, Label, String), [u64; 2]>,
    /// What was missed and what was wrong.
    pub(crate) odd: Vec<Odd>,
}

/// Something missed or wrong, in words.
pub(crate) struct Odd {
    pub(crate) rule: String,
    pub(crate) variant: String,
    pub(crate) words: String,
}

impl Scores {
    pub(crate) fn add(&mut self, other: Self) {
        for (rule, tally) in &other.rules {
            self.rules.entry(rule.clone()).or_default().add(tally);
        }
        for (variant, [entries, raised]) in other.variants {
            let held = self.variants.entry(variant).or_default();
            held[0] += entries;
            held[1] += raised;
        }
        self.odd.extend(other.odd);
    }

    /// Over some rules together.
    pub(crate) fn all(&self, counts: impl Fn(&str) -> bool) -> Tally {
        let mut all = Tally::default();
        for (_, tally) in self.rules.iter().filter(|(rule, _)| counts(rule)) {
            all.add(tally);
        }
        all
    }
}

/// Counts one run. Entries of rules that the program has not are not counted.
pub(crate) fn score(run: &Scored) -> Scores {
    let seed = run.truth.seed;
    let mut scores = Scores::default();
    let entries: Vec<&Entry> = run
        .truth
        .entries
        .iter()
        .filter(|entry| run.rules.contains(&entry.rule))
        .collect();
    let mut is_about_fault = vec![false; run.raised.len()];
    let mut is_about_look_alike = vec![false; run.raised.len()];
    for entry in entries {
        let about: Vec<usize> = (0..run.raised.len())
            .filter(|at| is_about(&run.raised[*at], entry))
            .collect();
        let is_open = about.iter().any(|at| !run.raised[*at].is_explained);
        let tally = scores.rules.entry(entry.rule.clone()).or_default();
        match entry.label {
            Label::Planted => {
                tally.planted += 1;
                tally.found += u64::from(is_open);
                about.iter().for_each(|at| is_about_fault[*at] = true);
                if !is_open {
                    let aside = if about.is_empty() {
                        ""
                    } else {
                        " (set aside as explained)"
                    };
                    scores.odd.push(Odd {
                        rule: entry.rule.clone(),
                        variant: entry.variant.clone(),
                        words: format!("seed {seed}: missed{aside}: {entry:?}"),
                    });
                }
            }
            Label::LookAlike => {
                tally.look_alikes += 1;
                tally.taken_in += u64::from(is_open);
                tally.set_aside += u64::from(!is_open && !about.is_empty());
                about.iter().for_each(|at| is_about_look_alike[*at] = true);
            }
        }
        let variant = (entry.rule.clone(), entry.label, entry.variant.clone());
        let counts = scores.variants.entry(variant).or_default();
        counts[0] += 1;
        counts[1] += u64::from(is_open);
    }
    for (at, one) in run.raised.iter().enumerate().filter(|(_, one)| !one.is_explained) {
        let tally = scores.rules.entry(one.rule.clone()).or_default();
        tally.raised += 1;
        if is_about_fault[at] {
            continue;
        }
        let what = if is_about_look_alike[at] {
            tally.false_look_alike += 1;
            "about a look-alike"
        } else {
            tally.false_elsewhere += 1;
            "about nothing of the truth"
        };
        scores.odd.push(Odd {
            rule: one.rule.clone(),
            variant: String::new(),
            words: format!(
                "seed {seed}: {what}: {} (people {:?}, records {:?}, messages {:?})",
                one.sentence, one.people, one.records, one.messages
            ),
        });
    }
    scores
}

fn is_about(one: &Raised, entry: &Entry) -> bool {
    if one.rule != entry.rule || (entry.case_ref.is_some() && one.case_ref != entry.case_ref) {
        return false;
    }
    let named = entry.message_ids.iter().chain(&entry.absent_message_ids);
    let mut named = named.peekable();
    if entry.records.is_empty() && named.peek().is_none() {
        return entry.people.iter().any(|person| one.people.contains(person));
    }
    named.any(|message| one.messages.contains(message))
        || entry
            .records
            .iter()
            .any(|record| one.records.contains(&printed(record)))
}
