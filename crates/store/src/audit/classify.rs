//! What was done to a log: the lines that are there, held against the leaves that must be there.
//!
//! The longest run of lines that stand in their order is taken to be untouched (Schensted 1961, by patience sorting). A line that is known
//! but stands elsewhere was moved, or, when its entry is in its place too, repeated. Between two untouched lines, unknown lines against
//! missing entries are changes; more lines were inserted, more entries were removed, or cut off at the end. Main function: [`classify`].
//! Invariant: every line out of place and every missing entry is in a finding.

use std::collections::HashMap;

use super::expected::Expected;
use super::report::{AuditFinding, Damage};
use super::scan::Head;

/// Compares.
pub(super) fn classify(heads: &[Head], expected: &Expected) -> Vec<AuditFinding> {
    let numbers: HashMap<_, usize> = expected
        .leaves
        .iter()
        .enumerate()
        .filter_map(|(number, leaf)| leaf.map(|leaf| (leaf, number)))
        .collect();
    let known: Vec<Option<usize>> = heads
        .iter()
        .map(|head| head.hash.and_then(|hash| numbers.get(&hash).copied()))
        .collect();
    let in_place = longest_run(&known);
    let mut there = vec![false; expected.leaves.len()];
    for (line, number) in known.iter().enumerate() {
        if let Some(number) = number.filter(|_| in_place[line]) {
            there[number] = true;
        }
    }
    let mut findings = Vec::new();
    for (line, number) in known.iter().enumerate() {
        let Some(number) = number.filter(|_| !in_place[line]) else {
            continue;
        };
        let what = if there[number] {
            Damage::Replayed
        } else {
            Damage::Reordered
        };
        there[number] = true;
        findings.push(displaced(what, number, line, heads));
    }
    // Gaps between the lines in place, the last one up to the end.
    let (mut line_from, mut number_from) = (0, 0);
    let untouched = (0..heads.len()).filter(|line| in_place[*line]);
    let ends = untouched
        .map(|line| (line, known[line].unwrap_or(0)))
        .chain([(heads.len(), expected.leaves.len())]);
    for (line, number) in ends.collect::<Vec<_>>() {
        let gap = Gap {
            lines: (line_from..line).filter(|at| known[*at].is_none()).collect(),
            missing: (number_from..number).filter(|at| !there[*at]).collect(),
            whole: (number_from..number).all(|at| !there[at]),
            numbers: number_from..number,
            at_end: number == expected.leaves.len(),
        };
        gap.explain(heads, expected, &mut findings);
        (line_from, number_from) = (line + 1, number + 1);
    }
    findings.sort_by_key(|one| (one.entry.unwrap_or(u64::MAX), one.through));
    findings
}

fn displaced(what: Damage, number: usize, line: usize, heads: &[Head]) -> AuditFinding {
    let offset = heads[line].offset;
    let detail = match what {
        Damage::Replayed => format!("entry {number} stands here once more, on line {}", line + 1),
        _ => format!("entry {number} was moved: it stands on line {} now", line + 1),
    };
    AuditFinding::of_line(what, number as u64, line, offset, detail)
}

/// What is between two lines in place.
struct Gap {
    lines: Vec<usize>,
    missing: Vec<usize>,
    /// None of its entries is found elsewhere.
    whole: bool,
    numbers: std::ops::Range<usize>,
    at_end: bool,
}

impl Gap {
    fn explain(self, heads: &[Head], expected: &Expected, findings: &mut Vec<AuditFinding>) {
        if self.lines.is_empty() && self.missing.is_empty() {
            return;
        }
        let (pairs, left_lines, left_missing) = self.pair(heads, expected);
        for (number, line) in &pairs {
            let why = heads[*line].problem.as_deref();
            let detail = why.map_or_else(
                || "the entry is not the one that was written".to_owned(),
                |why| format!("the entry is not the one that was written: {why}"),
            );
            let offset = heads[*line].offset;
            push_edited(
                findings,
                AuditFinding::of_line(Damage::Edited, *number as u64, *line, offset, detail),
            );
        }
        for line in left_lines {
            let head = &heads[line];
            let why = head.problem.as_deref().unwrap_or("nothing states its hash");
            let before = self.numbers.start;
            let detail = format!("a line stands here that was never written: {why}");
            findings.push(AuditFinding::of_line(
                Damage::Inserted,
                before as u64,
                line,
                head.offset,
                detail,
            ));
        }
        let Some((first, last)) = left_missing.first().zip(left_missing.last()) else {
            return;
        };
        let cut = self.at_end && last + 1 == expected.leaves.len();
        let line = self.lines.last().copied().unwrap_or(heads.len());
        let offset = heads.get(line).map_or_else(
            || heads.last().map_or(0, |head| head.offset + head.length),
            |head| head.offset,
        );
        let count = left_missing.len();
        let (what, detail) = if cut {
            let torn = heads.last().filter(|head| !head.ended);
            let within = torn.map_or(String::new(), |head| format!(", within it after {} bytes", head.length));
            (
                Damage::Truncated,
                format!("the log ends before entry {first}{within}: {count} entries are missing"),
            )
        } else {
            (
                Damage::Removed,
                format!("{count} entries were removed here, from entry {first} to {last}"),
            )
        };
        let mut finding = AuditFinding::of_line(what, *first as u64, line, offset, detail);
        finding.through = Some(*last as u64);
        findings.push(finding);
    }

    /// Which line is which missing entry, changed; what is left of both.
    fn pair(&self, heads: &[Head], expected: &Expected) -> (Vec<(usize, usize)>, Vec<usize>, Vec<usize>) {
        let mut lines = self.lines.clone();
        let mut missing = self.missing.clone();
        // Bytes cut off at the end make no other entry of what is left.
        if self.at_end && !missing.is_empty() {
            lines.retain(|line| heads[*line].ended || !self.is_shorter(heads, expected));
        }
        let mut pairs = Vec::new();
        if lines.is_empty() || missing.is_empty() {
            return (pairs, lines, missing);
        }
        if lines.len() != missing.len() && self.has_its_bytes(heads, expected) {
            // The same bytes in other lines: line ends were changed.
            let last = lines.len() - 1;
            pairs.extend(
                missing
                    .iter()
                    .enumerate()
                    .map(|(at, number)| (*number, lines[at.min(last)])),
            );
            return (pairs, Vec::new(), Vec::new());
        }
        lines.retain(|line| {
            let claimed = heads[*line].says.and_then(|says| usize::try_from(says.0).ok());
            let Some(at) = claimed.and_then(|number| missing.iter().position(|one| *one == number)) else {
                return true;
            };
            pairs.push((missing.remove(at), *line));
            false
        });
        let mut left = Vec::new();
        for line in lines {
            if missing.is_empty() {
                // A piece of a line that was broken in two, unless it is an entry by itself.
                if heads[line].says.is_some() || pairs.is_empty() {
                    left.push(line);
                }
                continue;
            }
            let covers = heads[line].pieces.min(missing.len());
            pairs.extend(missing.drain(..covers).map(|number| (number, line)));
        }
        pairs.sort_unstable();
        (pairs, left, missing)
    }

    fn bytes(&self, heads: &[Head]) -> u64 {
        self.lines.iter().map(|line| heads[*line].length).sum()
    }

    /// How many bytes its entries must have; nothing when the tree does not say.
    fn expected_bytes(&self, expected: &Expected) -> Option<u64> {
        let end = expected.ends.get(self.numbers.end.checked_sub(1)?)?;
        let start = match self.numbers.start.checked_sub(1) {
            Some(before) => *expected.ends.get(before)?,
            None => 0,
        };
        end.checked_sub(start).filter(|_| self.whole)
    }

    fn has_its_bytes(&self, heads: &[Head], expected: &Expected) -> bool {
        self.expected_bytes(expected) == Some(self.bytes(heads))
    }

    fn is_shorter(&self, heads: &[Head], expected: &Expected) -> bool {
        self.expected_bytes(expected)
            .is_none_or(|bytes| self.bytes(heads) < bytes)
    }
}

/// Adds a change, or makes the one before it longer: an entry that was changed with a new chain behind it changes all of them.
fn push_edited(findings: &mut Vec<AuditFinding>, new: AuditFinding) {
    if let (Some(last), Some(number)) = (findings.last_mut(), new.entry)
        && last.what == Damage::Edited
        && last.through.or(last.entry).is_some_and(|through| through + 1 == number)
    {
        last.through = Some(number);
        return;
    }
    findings.push(new);
}

/// Marks the lines of a longest run of known lines with rising numbers.
fn longest_run(known: &[Option<usize>]) -> Vec<bool> {
    // The last line of the best run of each length, and the line before each line in its run.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; known.len()];
    for (line, number) in known.iter().enumerate() {
        let Some(number) = number else { continue };
        let length = tails.partition_point(|tail| known[*tail] < Some(*number));
        before[line] = length.checked_sub(1).map(|shorter| tails[shorter]);
        if length == tails.len() {
            tails.push(line);
        } else if known[tails[length]] != Some(*number) {
            tails[length] = line;
        }
    }
    let mut marked = vec![false; known.len()];
    let mut at = tails.last().copied();
    while let Some(line) = at {
        marked[line] = true;
        at = before[line];
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_run_is_found() {
        let run = |numbers: &[Option<usize>]| {
            let marked = longest_run(numbers);
            let lines: Vec<usize> = (0..numbers.len()).filter(|line| marked[*line]).collect();
            lines
        };
        assert_eq!(run(&[Some(0), Some(1), Some(2)]), [0, 1, 2]);
        assert_eq!(run(&[Some(0), Some(3), None, Some(1), Some(2), Some(4)]), [0, 3, 4, 5]);
        assert_eq!(run(&[Some(0), Some(1), Some(0), Some(2)]), [0, 1, 3]);
        assert_eq!(run(&[Some(2), Some(0), Some(1), Some(2)]), [1, 2, 3]);
        assert_eq!(run(&[None, None]), Vec::<usize>::new());
    }
}
