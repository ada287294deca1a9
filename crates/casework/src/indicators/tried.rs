//! Trying the patterns of `decision-phrases.toml` on one text, for whoever writes them.
//!
//! Not for: indicators. Main function: [`tried`]. Invariant: what is shown is what rules would read.

use embley_search::threads::own_text;
use serde::Serialize;

use crate::rules::Phrases;
use crate::rules::phrases::Says;

/// A sentence in which a pattern was found; the names of the fields are those of the JSON form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The pattern.
    pub pattern: String,
    /// What it finds, in words.
    pub finds: String,
    /// What makes something else of the sentence: what, and the pattern.
    pub turned: Vec<String>,
    /// The sentence.
    pub sentence: String,
}

/// What the patterns that are on find in what the author of a text wrote, in the order of the text.
pub fn tried(phrases: &Phrases, subject: &str, text: &str) -> Vec<Tried> {
    let places: Vec<usize> = phrases
        .that(|says| !matches!(says, Says::Turn(..)))
        .map(|(place, _)| place)
        .collect();
    let found = phrases.found_in(subject, &own_text(text), &places);
    found
        .into_iter()
        .map(|one| Tried {
            pattern: one.pattern.id.clone(),
            finds: one.pattern.spoken(),
            turned: one
                .turned
                .iter()
                .map(|turn| match &turn.says {
                    Says::Turn(into, _) => format!("{} ({})", into.word(), turn.id),
                    _ => turn.id.clone(),
                })
                .collect(),
            sentence: one.sentence,
        })
        .collect()
}
