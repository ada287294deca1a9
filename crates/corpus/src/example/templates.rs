//! The two sets of wordings (data files under `data/templates`) and the filling of their places.
//!
//! Invariant: both sets have the same kinds; a place that a wording names is always given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::CorpusError;
use crate::rng::Rng;

const ONE: &str = include_str!("../../data/templates/set-one.toml");
const TWO: &str = include_str!("../../data/templates/set-two.toml");

/// Which set of wordings a message was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TemplateSet {
    /// The ordinary wordings.
    One,
    /// The same in other words: formal, chatty, clipped, negated, hypothetical, quoted.
    Two,
}

/// Which sets a folder is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TemplateChoice {
    /// Set one only.
    One,
    /// Set two only.
    Two,
    /// Each message from one of the two, set one a little more often.
    #[default]
    Both,
}

#[derive(Deserialize)]
struct File {
    set: TemplateSet,
    wording: BTreeMap<String, Vec<String>>,
}

/// Both sets.
pub(super) struct Templates {
    sets: [BTreeMap<String, Vec<String>>; 2],
}

/// What stands in the places of a wording, by name.
pub(super) type Places = Vec<(&'static str, String)>;

impl Templates {
    /// Reads the sets that the program was built with.
    pub(super) fn load() -> Result<Self, CorpusError> {
        let read = |text: &str, wanted: TemplateSet| {
            let bad = |reason: String| CorpusError::Setting {
                setting: "templates",
                reason,
            };
            let file: File = toml::from_str(text).map_err(|cause| bad(cause.to_string()))?;
            if file.set != wanted {
                return Err(bad(format!("the file of set {wanted:?} says that it is another")));
            }
            if let Some((kind, _)) = file.wording.iter().find(|(_, list)| list.is_empty()) {
                return Err(bad(format!("{kind} has no wording")));
            }
            Ok(file.wording)
        };
        Ok(Self {
            sets: [read(ONE, TemplateSet::One)?, read(TWO, TemplateSet::Two)?],
        })
    }

    /// One wording of a kind, filled.
    pub(super) fn say(&self, set: TemplateSet, kind: &str, places: &Places, rng: &mut Rng) -> String {
        let list = &self.sets[usize::from(set == TemplateSet::Two)];
        let wordings = list.get(kind).expect("the maker asks for kinds that both sets have");
        let wording: &String = rng.pick(wordings);
        fill(wording, places)
    }

    /// Kinds and wordings of a set.
    #[cfg(test)]
    pub(super) fn of(&self, set: TemplateSet) -> &BTreeMap<String, Vec<String>> {
        &self.sets[usize::from(set == TemplateSet::Two)]
    }
}

/// Puts values into places, and a capital at the beginning.
fn fill(wording: &str, places: &Places) -> String {
    let mut text = wording.to_owned();
    for (name, value) in places {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sets_have_the_same_kinds_with_many_wordings_that_differ() {
        let templates = Templates::load().expect("the shipped sets are right");
        let (one, two) = (templates.of(TemplateSet::One), templates.of(TemplateSet::Two));
        assert!(one.keys().eq(two.keys()));
        for (kind, wordings) in one {
            assert!(
                wordings
                    .iter()
                    .all(|wording| !two[kind].contains(wording) || wording == "{case}"),
                "{kind}"
            );
            let spoken = [
                "declaration",
                "consultation_ask",
                "tasking",
                "draft",
                "proposal",
                "discussion",
            ];
            if kind.starts_with("decision_") || spoken.contains(&kind.as_str()) {
                assert!(wordings.len() >= 15 && two[kind].len() >= 15, "{kind}");
            }
        }
    }

    #[test]
    fn places_are_filled_and_the_first_letter_is_large() {
        let places = vec![("outcome", "a warning".to_owned()), ("case", "PS/1".to_owned())];
        assert_eq!(fill("{outcome} in {case}.", &places), "A warning in PS/1.");
    }
}
