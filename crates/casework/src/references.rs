//! Written forms of case references: leading zeros, years of two or four digits, joined parts, check letters. All of it is data.
//!
//! `config/references.toml` is part of the program; a file `references.toml` in the case folder takes its place. Main type: [`References`]. Not for: looking in
//! the index (`links`). Invariant: the first form is the reference as it is written; a reference whose check does not fit its digits has no other.

use std::path::Path;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::error::{CaseworkError, Result};

const BUILT_IN: &str = include_str!("../../../config/references.toml");
const FORMAT: u32 = 1;
/// Longest file, in bytes: it is written by hand.
const MAX_BYTES: u64 = 1 << 20;
/// Forms of one reference that are looked for.
const MOST_FORMS: usize = 32;
/// Digits of a number that is read as one.
const MOST_DIGITS: usize = 12;
/// Letters of modulus 23, without I, O and S (as the validators that the Ministry of Justice publishes have them).
const MODULUS_23: &[u8; 23] = b"ZABCDEFGHJKLMNPQRTUVWXY";

/// How references are written; see the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct References {
    patterns: Vec<Pattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    pattern: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    id: String,
    on: bool,
    #[serde(rename = "about")]
    _about: String,
    parts: Vec<Part>,
    #[serde(default)]
    joined: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase", deny_unknown_fields)]
enum Part {
    Letters {},
    Number { width: usize },
    Year { century: u32, digits: Option<usize> },
    Check { of: Check },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Check {
    #[serde(rename = "modulus-23")]
    Modulus23,
}

impl References {
    /// The patterns that are part of the program.
    pub fn built_in() -> &'static Self {
        static BUILT: OnceLock<References> = OnceLock::new();
        BUILT.get_or_init(|| {
            Self::read(BUILT_IN, "built in").expect("a test holds that the built-in patterns are right")
        })
    }

    /// Those of a case folder, where it has its own.
    ///
    /// # Errors
    /// The file of the case cannot be read or used; says where.
    pub fn of_case(folder: &Path) -> Result<Self> {
        let path = folder.join("references.toml");
        let size = match path.metadata() {
            Ok(found) => found.len(),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Self::built_in().clone()),
            Err(source) => return Err(CaseworkError::Unreadable { path, source }),
        };
        if size > MAX_BYTES {
            return Err(refuse(
                &path.display().to_string(),
                "the file",
                &format!("it has {size} bytes; patterns have at most {MAX_BYTES}"),
            ));
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::read(&text, &path.display().to_string()),
            Err(source) => Err(CaseworkError::Unreadable { path, source }),
        }
    }

    fn read(text: &str, from: &str) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|cause| refuse(from, "the file", &cause.to_string()))?;
        if file.format != FORMAT {
            return Err(refuse(
                from,
                "format",
                &format!("it is {}, this program reads {FORMAT}", file.format),
            ));
        }
        for pattern in &file.pattern {
            let key = format!("pattern \"{}\"", pattern.id);
            let too_wide = |part: &Part| matches!(part, Part::Number { width } if *width > MOST_DIGITS);
            if pattern.parts.len() < 2 || pattern.parts.len() > 6 {
                return Err(refuse(from, &key, "a pattern has two to six parts"));
            }
            if pattern.parts.iter().any(too_wide) {
                return Err(refuse(
                    from,
                    &key,
                    &format!("a number has at most {MOST_DIGITS} digits"),
                ));
            }
        }
        let patterns = file.pattern.into_iter().filter(|pattern| pattern.on).collect();
        Ok(Self { patterns })
    }

    /// The forms in which a reference may be written, itself first, without repeats.
    pub fn forms(&self, case_ref: &str) -> Vec<String> {
        let mut forms = vec![case_ref.trim().to_owned()];
        let runs = runs_of(case_ref);
        for pattern in &self.patterns {
            for form in pattern.forms(&runs) {
                let known = forms.iter().any(|other| words_of(other) == words_of(&form));
                if !known && forms.len() < MOST_FORMS {
                    forms.push(form);
                }
            }
        }
        forms
    }
}

fn refuse(from: &str, key: &str, detail: &str) -> CaseworkError {
    CaseworkError::Rules {
        file: format!("references.toml ({from})"),
        key: key.to_owned(),
        detail: detail.to_owned(),
    }
}

/// The words that the index makes of a form: what stands between letters and digits separates them.
pub(crate) fn words_of(text: &str) -> Vec<String> {
    let words = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_uppercase).collect()
}

/// Runs of letters and runs of digits, in capitals; what stands between them is left out.
fn runs_of(text: &str) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    let mut last = ' ';
    for letter in text.chars() {
        let same = letter.is_numeric() == last.is_numeric() && last.is_alphanumeric();
        if letter.is_alphanumeric() {
            match runs.last_mut() {
                Some(run) if same => run.extend(letter.to_uppercase()),
                Some(_) | None => runs.push(letter.to_uppercase().collect()),
            }
        }
        last = letter;
    }
    runs
}

impl Pattern {
    fn forms(&self, runs: &[String]) -> Vec<String> {
        if runs.len() != self.parts.len() || runs.iter().any(|run| run.len() > MOST_DIGITS) {
            return Vec::new();
        }
        let mut digits = String::new();
        // Each form, and whether the check letter still stands at the digits before it.
        let mut forms = vec![String::new()];
        for (at, (part, run)) in self.parts.iter().zip(runs).enumerate() {
            let Some(ways) = part.ways(run, &digits) else {
                return Vec::new();
            };
            digits.push_str(&part.counted(run));
            let joint = if at == 0 || matches!(part, Part::Check { .. }) {
                ""
            } else {
                " "
            };
            let mut next = Vec::new();
            for form in &forms {
                for way in &ways {
                    next.push(format!("{form}{joint}{way}"));
                    if self.joined && at == 1 && matches!(self.parts[0], Part::Letters {}) {
                        next.push(format!("{form}{way}"));
                    }
                }
            }
            forms = next;
            forms.truncate(MOST_FORMS);
        }
        forms
    }
}

impl Part {
    /// The ways in which a run may be written as this part; `None` when it does not fit. `digits` are those before it.
    fn ways(&self, run: &str, digits: &str) -> Option<Vec<String>> {
        let is_digits = run.bytes().all(|byte| byte.is_ascii_digit());
        let mut ways = match self {
            Self::Letters {} => (!run.contains(char::is_numeric)).then(|| vec![run.to_owned()])?,
            Self::Number { width } => {
                let bare = run.trim_start_matches('0');
                let bare = if bare.is_empty() { "0" } else { bare };
                if !is_digits {
                    return None;
                }
                let padded = (bare.len()..=*width).map(|width| format!("{bare:0>width$}"));
                padded.chain([run.to_owned(), bare.to_owned()]).collect()
            }
            Self::Year { century, digits } => {
                let year: u32 = run.parse().ok().filter(|_| is_digits)?;
                let full = match run.len() {
                    4 => year,
                    2 if digits.is_none() => century + (year + 100 - century % 100) % 100,
                    _ => return None,
                };
                if !(*century..*century + 100).contains(&full) {
                    return None;
                }
                vec![run.to_owned(), full.to_string(), format!("{:02}", full % 100)]
            }
            Self::Check { of: Check::Modulus23 } => {
                let letter = modulus_23(digits)?;
                run.eq_ignore_ascii_case(&letter.to_string())
                    .then(|| vec![run.to_owned()])?
            }
        };
        ways.sort();
        ways.dedup();
        Some(ways)
    }

    /// The digits that a check is computed from.
    fn counted(&self, run: &str) -> String {
        match self {
            Self::Letters {} | Self::Check { .. } => String::new(),
            Self::Number { width } => {
                let width = *width;
                format!("{:0>width$}", run.trim_start_matches('0'))
            }
            Self::Year { .. } => run.get(run.len().saturating_sub(2)..).unwrap_or_default().to_owned(),
        }
    }
}

fn modulus_23(digits: &str) -> Option<char> {
    let number: u64 = digits.parse().ok()?;
    let at = usize::try_from(number % 23).ok()?;
    MODULUS_23.get(at).map(|letter| char::from(*letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reference: &str, expected: &[&str]) {
        assert_eq!(References::built_in().forms(reference), expected, "{reference}");
    }

    #[test]
    fn a_reference_is_looked_for_in_the_ways_in_which_it_is_written() {
        let forms = References::built_in().forms("CM/7/19");
        assert_eq!((forms.len(), forms[0].as_str()), (20, "CM/7/19"), "{forms:?}");
        for form in ["CM 7 2019", "CM 007 19", "CM 00007 2019", "CM7 19", "CM0007 2019"] {
            assert!(forms.contains(&form.to_owned()), "{form} is not in {forms:?}");
        }
        check("2017/094215", &["2017/094215", "17 094215", "17 94215", "2017 94215"]);
        check("T-77", &["T-77"]);
        check("nothing", &["nothing"]);
        check("", &[""]);
    }

    #[test]
    fn a_check_letter_must_fit_its_digits() {
        let forms = References::built_in().forms("2003/0011985X");
        assert!(forms.contains(&"03 11985X".to_owned()), "{forms:?}");
        check("2003/0011985Y", &["2003/0011985Y"]);
    }

    #[test]
    fn a_file_of_the_case_takes_the_place_of_the_built_in_one() {
        let folder = tempfile::tempdir().expect("a folder is made");
        assert_eq!(
            &References::of_case(folder.path()).expect("built in"),
            References::built_in()
        );
        let write = |text: &str| {
            #[expect(clippy::disallowed_methods, reason = "a file of a test")]
            std::fs::write(folder.path().join("references.toml"), text).expect("written");
        };
        write("format = 1\nversion = 1\n");
        assert_eq!(
            References::of_case(folder.path()).expect("read").forms("CM/7/19"),
            ["CM/7/19"]
        );
        write(
            "format = 1\nversion = 1\n[[pattern]]\nid = \"x\"\non = true\nabout = \"\"\nparts = [{ is = \"letters\" }]\n",
        );
        let error = References::of_case(folder.path()).expect_err("one part is none");
        assert!(error.to_string().contains("two to six parts"), "{error}");
        write("format = 2\nversion = 1\n");
        assert!(References::of_case(folder.path()).is_err());
    }
}
