//! Which language a text is in: one function for mail, attachments, documents and records.
//!
//! Looked at are the first words of what the writer wrote: quoted lines, quoted headers and everything behind the mark of a quoted message or a
//! signature are passed over. Letters decide the script. Latin and Cyrillic words are looked up among function words of some thirty languages, which
//! costs a message a few microseconds; what that leaves open, and other scripts, goes to the detector of trigrams on a short piece. What neither is
//! sure of stays undetermined: nothing is guessed from names, addresses, numbers or a few words.
//!
//! Not for: what a document says of its own language. Main functions: [`language`], [`language_or_undetermined`]. Invariant: a pure function of the
//! text, so that an index made again says the same.

mod sample;
mod words;

use embley_model::language::{UNDETERMINED, short_code};

use sample::{Sample, Script, plain};
use words::LANGUAGES;

/// Letters that a text must have before its language is told.
const MIN_LETTERS: u32 = 40;
/// Function words of a language that a text must have.
const MIN_WORDS: u32 = 3;
/// They must be at least one word in this many.
const ONE_IN: u32 = 9;
/// Words in letters with blanks that the detector is asked about; of fewer it says anything.
const MIN_DETECTED: u32 = 12;
/// Least confidence of the detector, 0 to 1.
const MIN_CONFIDENCE: f64 = 0.8;
/// The same for a language whose function words are known here and do not occur.
const MIN_CONFIDENCE_ALONE: f64 = 0.98;

/// Returns the language of `text`: ISO 639-1. `None` when the text is short or says too little. What a mail quotes does not count.
pub fn language(text: &str) -> Option<&'static str> {
    let sample = Sample::of(text);
    if sample.letters < MIN_LETTERS {
        return None;
    }
    match sample.script() {
        Script::Latin | Script::Cyrillic => by_words(&sample).or_else(|| by_trigrams(&sample, text)),
        Script::Greek => Some("el"),
        Script::Hangul => Some("ko"),
        Script::Kana => Some("ja"),
        Script::Han => Some("zh"),
        Script::Other => by_trigrams(&sample, text),
        Script::Mixed => None,
    }
}

/// The language of a text as the index holds it: nothing when there is no text, [`UNDETERMINED`] where it cannot be told.
pub fn language_or_undetermined(text: &str) -> Option<&'static str> {
    let has_text = text.chars().any(char::is_alphanumeric);
    has_text.then(|| language(text).unwrap_or(UNDETERMINED))
}

/// The language whose function words stand out.
fn by_words(sample: &Sample) -> Option<&'static str> {
    let ranked = sample.ranked();
    let best = ranked.best?;
    let enough = best.words >= MIN_WORDS && best.words * ONE_IN >= sample.words;
    // Neighbours such as Danish and Norwegian share most of them.
    let apart = best.weight >= ranked.next_weight + 6 && best.weight * 4 >= ranked.next_weight * 5;
    (enough && apart).then(|| LANGUAGES[best.language].0)
}

/// What the detector says, when it is sure.
fn by_trigrams(sample: &Sample, text: &str) -> Option<&'static str> {
    let has_words = matches!(sample.script(), Script::Latin | Script::Cyrillic);
    if has_words && sample.words < MIN_DETECTED {
        return None;
    }
    let found = whatlang::detect(&plain(text))?;
    let code = short_code(found.lang().code())?;
    let known = LANGUAGES.iter().position(|(one, _)| *one == code);
    let least = match known {
        Some(at) if sample.count(at) > 0 => MIN_CONFIDENCE,
        _ if has_words => MIN_CONFIDENCE_ALONE,
        _ => MIN_CONFIDENCE,
    };
    (found.is_reliable() && found.confidence() >= least).then_some(code)
}

#[cfg(test)]
mod tests;
