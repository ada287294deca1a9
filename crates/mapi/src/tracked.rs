//! A paragraph with tracked changes, told in each of its versions.
//!
//! Old and new words stand side by side in a file, without a blank between them: joined they are one word that nobody wrote. So beside the joined form, which
//! keeps a change inside a word, the paragraph is told as it was accepted, as it was rejected, and by its hidden text alone. Main type: [`Tracked`].
//! Invariant: the versions together are at most three times as long as the paragraph.

/// What a run of characters is marked as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Taken out by a tracked change, or moved from here.
    pub deleted: bool,
    /// Put in by a tracked change, or moved to here.
    pub inserted: bool,
    /// Hidden from readers.
    pub hidden: bool,
}

/// One paragraph while it is read.
#[derive(Clone, Debug, Default)]
pub struct Tracked {
    joined: String,
    told: Option<Box<Versions>>,
}

#[derive(Clone, Debug, Default)]
struct Versions {
    accepted: String,
    rejected: String,
    hidden: String,
    /// The last run was not hidden.
    interrupted: bool,
}

impl Tracked {
    /// Appends a run.
    pub fn push(&mut self, text: &str, mark: Mark) {
        if mark != Mark::default() && self.told.is_none() {
            self.told = Some(Box::new(Versions {
                accepted: self.joined.clone(),
                rejected: self.joined.clone(),
                ..Versions::default()
            }));
        }
        self.joined.push_str(text);
        let Some(told) = &mut self.told else { return };
        if mark.hidden {
            if std::mem::take(&mut told.interrupted) && !told.hidden.is_empty() {
                told.hidden.push(' ');
            }
            told.hidden.push_str(text);
            return;
        }
        told.interrupted = true;
        if !mark.deleted {
            told.accepted.push_str(text);
        }
        if !mark.inserted {
            told.rejected.push_str(text);
        }
    }

    /// The joined form so far.
    pub fn joined(&self) -> &str {
        &self.joined
    }

    /// Ends the paragraph: its joined form, and the versions that differ from it and say something, if there are any. It begins anew.
    pub fn take(&mut self) -> (String, Vec<String>) {
        let joined = std::mem::take(&mut self.joined);
        let mut versions: Vec<String> = Vec::new();
        if let Some(told) = self.told.take() {
            for version in [told.accepted, told.rejected, told.hidden] {
                if version.chars().any(char::is_alphanumeric) && version != joined && !versions.contains(&version) {
                    versions.push(version);
                }
            }
        }
        (joined, versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_told_beside_the_joined_form() {
        let (deleted, inserted, hidden) = (
            Mark {
                deleted: true,
                ..Mark::default()
            },
            Mark {
                inserted: true,
                ..Mark::default()
            },
            Mark {
                hidden: true,
                ..Mark::default()
            },
        );
        let check = |runs: &[(&str, Mark)], joined: &str, versions: &[&str]| {
            let mut paragraph = Tracked::default();
            for (text, mark) in runs {
                paragraph.push(text, *mark);
            }
            let (said, others) = paragraph.take();
            assert_eq!(said, joined);
            assert_eq!(others, versions);
        };
        check(&[("a", Mark::default()), ("b", Mark::default())], "ab", &[]);
        check(
            &[
                ("on ", Mark::default()),
                ("Monday", deleted),
                ("Tuesday", inserted),
                (" at", Mark::default()),
            ],
            "on MondayTuesday at",
            &["on Tuesday at", "on Monday at"],
        );
        check(&[("gone", deleted)], "gone", &[]);
        check(
            &[("x", hidden), ("seen", Mark::default()), ("y", hidden)],
            "xseeny",
            &["seen", "x y"],
        );
    }
}
