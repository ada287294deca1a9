//! The nearest name to a mistyped one, for hints.

use embley_index::analysis::fold_keyword;

/// The name in `names` that is fewest edits (insert, delete, replace, swap of neighbours) from `typed`, when
/// it is near enough to be meant: at most a third of its length, and at least one edit is always allowed.
/// Case and accents are ignored; the first of equals wins.
pub(crate) fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = fold_keyword(typed).chars().take(64).collect();
    let mut best: Option<(usize, &str)> = None;
    for name in names {
        let chars: Vec<char> = fold_keyword(name).chars().collect();
        let edits = if typed.len() >= 3 && chars.starts_with(&typed) {
            1
        } else {
            distance(&typed, &chars)
        };
        let allowed = (chars.len().max(typed.len()) / 3).max(1);
        if edits <= allowed && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Optimal string alignment distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut rows = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replace = rows[(i - 1) * width + j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let step = (rows[(i - 1) * width + j] + 1).min(rows[i * width + j - 1] + 1);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let swap = if swapped {
                    rows[(i - 2) * width + j - 2] + 1
                } else {
                    usize::MAX
                };
                replace.min(step).min(swap)
            };
        }
    }
    rows[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not_proposed() {
        let names = ["subject", "body", "size", "source", "custodian"];
        for (typed, expected) in [
            ("sbject", Some("subject")),
            ("Subjcet", Some("subject")),
            ("cust", Some("custodian")),
            ("siez", Some("size")),
            ("recipient", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names), expected, "{typed}");
        }
    }
}
