//! What does not fit together in the continuity of an exhibit: time not accounted for, hand-overs that nobody entered, seals and hashes that
//! differ from what was left before.
//!
//! Pure over the entries in their order. A gap says what is on record and what is not; it concludes nothing about why. Rules:
//! an entry speaks for the exhibit from its time until the time that it names, else until the next entry; who has the exhibit after an entry is
//! `to`, else `by`; a seal or hash holds until an entry names another one. After *returned* and *destroyed* nobody holds it, and no time is
//! missing until it is seized or received again. Corrected entries do not count. Main function: [`gaps`].

use serde::Serialize;

use super::continuity::{Entry, Handling};
use super::fold;

/// What is missing or differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// There is no entry at all, or none that says how it came.
    Beginning,
    /// No entry speaks for a time.
    Time,
    /// Two entries speak for the same time.
    Overlap,
    /// Somebody handles it whom no entry says to have it.
    Holder,
    /// The seal found is not the one that was left.
    Seal,
    /// The hash found is not the one that was left, or changed within an entry.
    Hash,
    /// It is handled after it was returned or destroyed.
    After,
    /// An entry is dated after it was entered.
    Dated,
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What.
    pub kind: GapKind,
    /// The entry before it.
    pub after_entry: Option<i64>,
    /// The entry that shows it.
    pub entry: Option<i64>,
    /// From when, as said there.
    pub from: Option<String>,
    /// To when, as said there.
    pub to: Option<String>,
    /// In words: what is on record.
    pub sentence: String,
}

/// What is known of the exhibit behind an entry.
struct State<'e> {
    last: &'e Entry,
    seal: &'e str,
    hash: &'e str,
}

/// Goes through the entries of one exhibit, in the order of [`super::continuity::of`].
pub fn gaps(entries: &[Entry]) -> Vec<Gap> {
    let mut found = Vec::new();
    let mut state: Option<State<'_>> = None;
    for entry in entries.iter().filter(|entry| entry.counts()) {
        match &state {
            None => beginning(entry, &mut found),
            Some(before) => between(before, entry, &mut found),
        }
        within(entry, &mut found);
        let (seal, hash) = state.as_ref().map_or(("", ""), |before| (before.seal, before.hash));
        state = Some(State {
            last: entry,
            seal: newest([&entry.seal_after, &entry.seal_before], seal),
            hash: newest([&entry.hash_after, &entry.hash_before], hash),
        });
    }
    if state.is_none() {
        found.push(Gap {
            kind: GapKind::Beginning,
            after_entry: None,
            entry: None,
            from: None,
            to: None,
            sentence: "no entry of continuity is on record".to_owned(),
        });
    }
    found
}

fn newest<'e>(said: [&'e str; 2], held: &'e str) -> &'e str {
    said.into_iter().find(|text| !text.is_empty()).unwrap_or(held)
}

fn gap(kind: GapKind, before: Option<&Entry>, entry: &Entry, sentence: String) -> Gap {
    Gap {
        kind,
        after_entry: before.map(|one| one.entry_id),
        entry: Some(entry.entry_id),
        from: before.map(|one| one.until.as_ref().unwrap_or(&one.at).said.clone()),
        to: Some(entry.at.said.clone()),
        sentence,
    }
}

fn begins(handling: Handling) -> bool {
    matches!(handling, Handling::Seized | Handling::Received)
}

fn ends(handling: Handling) -> bool {
    matches!(handling, Handling::Returned | Handling::Destroyed)
}

fn beginning(entry: &Entry, found: &mut Vec<Gap>) {
    if !begins(entry.handling) {
        let sentence = format!(
            "the first entry on record is \"{}\" by {}; none says that it was seized or received",
            entry.handling.word(),
            entry.by
        );
        found.push(gap(GapKind::Beginning, None, entry, sentence));
    }
}

fn between(before: &State<'_>, entry: &Entry, found: &mut Vec<Gap>) {
    let last = before.last;
    if ends(last.handling) {
        let gone = last.handling == Handling::Destroyed || !begins(entry.handling);
        if gone {
            let sentence = format!(
                "\"{}\" by {} at {}, after it was {} at {}",
                entry.handling.word(),
                entry.by,
                entry.at.said,
                last.handling.word(),
                last.at.said
            );
            found.push(gap(GapKind::After, Some(last), entry, sentence));
        }
        // What was out of hands may come back under another seal.
        return;
    }
    times(last, entry, found);
    holder(last, entry, found);
    differs(
        GapKind::Seal,
        "seal",
        before.seal,
        &entry.seal_before,
        last,
        entry,
        found,
    );
    if entry.hash_before.is_empty() && !before.hash.is_empty() && before.hash.len() == entry.hash_after.len() {
        differs(
            GapKind::Hash,
            "hash",
            before.hash,
            &entry.hash_after,
            last,
            entry,
            found,
        );
    } else if before.hash.len() == entry.hash_before.len() {
        differs(
            GapKind::Hash,
            "hash",
            before.hash,
            &entry.hash_before,
            last,
            entry,
            found,
        );
    }
    if entry.seal_before.is_empty()
        && !entry.seal_after.is_empty()
        && !before.seal.is_empty()
        && before.seal != entry.seal_after
    {
        let sentence = format!(
            "seal {} was put on; entry {} left seal {}, and no entry says that it was found",
            entry.seal_after, last.entry_id, before.seal
        );
        found.push(gap(GapKind::Seal, Some(last), entry, sentence));
    }
}

fn times(last: &Entry, entry: &Entry, found: &mut Vec<Gap>) {
    let Some(until) = &last.until else { return };
    // Of two days the same one, nothing can be said.
    if until.said == entry.at.said || (until.is_day() || entry.at.is_day()) && day(&until.said) == day(&entry.at.said) {
        return;
    }
    if until.utc_micros < entry.at.utc_micros {
        let sentence = format!(
            "no entry speaks for the time from {} to {}; {} had it last",
            until.said,
            entry.at.said,
            last.holder()
        );
        found.push(gap(GapKind::Time, Some(last), entry, sentence));
    } else if until.utc_micros > entry.at.utc_micros {
        let sentence = format!(
            "\"{}\" by {} at {} lies within \"{}\" by {}, which goes on until {}",
            entry.handling.word(),
            entry.by,
            entry.at.said,
            last.handling.word(),
            last.by,
            until.said
        );
        found.push(gap(GapKind::Overlap, Some(last), entry, sentence));
    }
}

fn day(said: &str) -> &str {
    said.get(..10).unwrap_or(said)
}

fn holder(last: &Entry, entry: &Entry, found: &mut Vec<Gap>) {
    let has = fold(last.holder());
    let from = if entry.from.is_empty() { &entry.by } else { &entry.from };
    if fold(from) == has || fold(&entry.by) == has {
        return;
    }
    let sentence = format!(
        "\"{}\" by {} at {}; {} had it last, and no entry says that it was handed over",
        entry.handling.word(),
        if entry.from.is_empty() {
            entry.by.clone()
        } else {
            format!("{} from {}", entry.by, entry.from)
        },
        entry.at.said,
        last.holder()
    );
    found.push(gap(GapKind::Holder, Some(last), entry, sentence));
}

fn differs(kind: GapKind, word: &str, left: &str, seen: &str, last: &Entry, entry: &Entry, found: &mut Vec<Gap>) {
    if !left.is_empty() && !seen.is_empty() && left != seen {
        let sentence = format!("{word} {seen} was found; the {word} left before was {left}");
        found.push(gap(kind, Some(last), entry, sentence));
    }
}

/// What one entry shows by itself.
fn within(entry: &Entry, found: &mut Vec<Gap>) {
    let (before, after) = (&entry.hash_before, &entry.hash_after);
    if !before.is_empty() && before.len() == after.len() && before != after {
        let sentence = format!(
            "the hash changed from {before} to {after} while it was {}",
            entry.handling.word()
        );
        found.push(gap(GapKind::Hash, None, entry, sentence));
    }
    // A day that is not over may be the day of the entry.
    if entry.at.utc_micros > entry.recorded_at_micros {
        let sentence = format!("the entry is dated {}, after it was entered", entry.at.said);
        found.push(gap(GapKind::Dated, None, entry, sentence));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::continuity::Moment;
    use super::*;

    fn entry(entry_id: i64, handling: Handling, hour: i64, by: &str) -> Entry {
        Entry {
            entry_id,
            handling,
            at: at(hour),
            until: None,
            by: by.to_owned(),
            from: String::new(),
            to: String::new(),
            place: String::new(),
            seal_before: String::new(),
            seal_after: String::new(),
            hash_before: String::new(),
            hash_after: String::new(),
            note: String::new(),
            corrects: None,
            corrected_by: None,
            recorded_at_micros: i64::MAX,
            recorded_by: "ann".to_owned(),
        }
    }

    fn at(hour: i64) -> Moment {
        Moment {
            said: format!("2020-01-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24),
            utc_micros: hour * 3_600_000_000,
        }
    }

    #[track_caller]
    fn check(entries: &[Entry], expected: &[(GapKind, Option<i64>)]) {
        let found = gaps(entries);
        let kinds: Vec<(GapKind, Option<i64>)> = found.iter().map(|gap| (gap.kind, gap.entry)).collect();
        assert_eq!(kinds, expected, "{found:#?}");
    }

    #[test]
    fn a_chain_in_which_everything_is_said_has_no_gap() {
        let mut seized = entry(1, Handling::Seized, 1, "Jo");
        seized.seal_after = "A1".to_owned();
        let mut transferred = entry(2, Handling::Transferred, 2, "jo ");
        transferred.to = "Lab".to_owned();
        let received = entry(3, Handling::Received, 30, "LAB");
        let mut examined = entry(4, Handling::Examined, 31, "Lab");
        examined.until = Some(at(33));
        examined.seal_before = "A1".to_owned();
        examined.seal_after = "A2".to_owned();
        examined.hash_before = "0".repeat(64);
        examined.hash_after = "0".repeat(64);
        let mut back = entry(5, Handling::Received, 33, "Store");
        back.from = "Lab".to_owned();
        back.seal_before = "A2".to_owned();
        let returned = entry(6, Handling::Returned, 50, "Store");
        let again = entry(7, Handling::Received, 90, "Jo");
        check(&[seized, transferred, received, examined, back, returned, again], &[]);
    }

    #[test]
    fn nothing_on_record_and_a_beginning_in_the_middle_are_said() {
        check(&[], &[(GapKind::Beginning, None)]);
        check(&[entry(1, Handling::Stored, 1, "Jo")], &[(GapKind::Beginning, Some(1))]);
    }

    #[test]
    fn time_that_no_entry_speaks_for_and_time_that_two_speak_for() {
        let mut first = entry(1, Handling::Seized, 1, "Jo");
        first.until = Some(at(5));
        let second = entry(2, Handling::Stored, 9, "Jo");
        check(&[first.clone(), second.clone()], &[(GapKind::Time, Some(2))]);
        first.until = Some(at(10));
        check(&[first.clone(), second.clone()], &[(GapKind::Overlap, Some(2))]);
        first.until = Some(Moment {
            said: "2020-01-01".to_owned(),
            utc_micros: 0,
        });
        check(&[first, second], &[]);
    }

    #[test]
    fn a_hand_that_nobody_gave_it_to() {
        let seized = entry(1, Handling::Seized, 1, "Jo");
        check(
            &[seized.clone(), entry(2, Handling::Examined, 2, "Al")],
            &[(GapKind::Holder, Some(2))],
        );
        let mut received = entry(2, Handling::Received, 2, "Al");
        received.from = "Kim".to_owned();
        check(&[seized.clone(), received.clone()], &[(GapKind::Holder, Some(2))]);
        received.from = "JO".to_owned();
        check(&[seized, received], &[]);
    }

    #[test]
    fn seals_and_hashes_that_are_not_those_that_were_left() {
        let mut seized = entry(1, Handling::Seized, 1, "Jo");
        seized.seal_after = "A1".to_owned();
        seized.hash_after = "a".repeat(64);
        let mut opened = entry(2, Handling::Examined, 2, "Jo");
        opened.seal_before = "A7".to_owned();
        opened.hash_before = "b".repeat(64);
        opened.hash_after = "c".repeat(64);
        check(
            &[seized.clone(), opened.clone()],
            &[
                (GapKind::Seal, Some(2)),
                (GapKind::Hash, Some(2)),
                (GapKind::Hash, Some(2)),
            ],
        );
        // A new seal with no word of the old one; an MD5 is not compared with a SHA-256.
        opened.seal_before.clear();
        opened.seal_after = "A2".to_owned();
        opened.hash_before = "b".repeat(32);
        opened.hash_after = "b".repeat(32);
        check(&[seized, opened], &[(GapKind::Seal, Some(2))]);
    }

    #[test]
    fn what_is_no_more_is_not_handled_and_corrected_entries_do_not_count() {
        let seized = entry(1, Handling::Seized, 1, "Jo");
        let mut destroyed = entry(2, Handling::Destroyed, 2, "Jo");
        let examined = entry(3, Handling::Examined, 3, "Jo");
        check(
            &[seized.clone(), destroyed.clone(), examined.clone()],
            &[(GapKind::After, Some(3))],
        );
        destroyed.corrected_by = Some(4);
        let mut withdrawn = entry(4, Handling::Withdrawn, 2, "");
        withdrawn.corrects = Some(2);
        check(&[seized, destroyed, withdrawn, examined], &[]);
    }

    #[test]
    fn an_entry_from_the_future_is_said() {
        let mut seized = entry(1, Handling::Seized, 5, "Jo");
        seized.recorded_at_micros = 0;
        check(&[seized], &[(GapKind::Dated, Some(1))]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Whatever was entered: what was corrected changes nothing, and every gap names an entry that counts.
        #[test]
        fn gaps_are_of_entries_that_count(
            made in prop::collection::vec((0_usize..8, 0_i64..60, 0_usize..3, prop::option::of(0_i64..20), 0_usize..3, any::<bool>()), 0..20),
        ) {
            let mut entries: Vec<Entry> = made
                .into_iter()
                .zip(1..)
                .map(|((handling, hour, who, hours, seal, corrected), number)| {
                    let mut one = entry(number, Handling::ALL[handling], hour, ["Jo", "Lab", "Store"][who]);
                    one.until = hours.map(|hours| at(hour + hours));
                    one.seal_before = ["", "A1", "A2"][seal].to_owned();
                    one.seal_after = ["A2", "", "A1"][seal].to_owned();
                    one.corrected_by = corrected.then_some(100);
                    one
                })
                .collect();
            entries.sort_by_key(|one| (one.at.utc_micros, one.entry_id));
            let found = gaps(&entries);
            entries.retain(Entry::counts);
            prop_assert_eq!(&found, &gaps(&entries));
            prop_assert_eq!(entries.is_empty(), found.iter().any(|gap| gap.entry.is_none()));
            for gap in &found {
                prop_assert!(gap.entry.is_none_or(|number| entries.iter().any(|one| one.entry_id == number)));
            }
        }
    }
}
