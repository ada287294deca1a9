//! Planted words and phrases, whose every place is known.
//!
//! A needle begins with `xq`, which no word of the vocabulary does, and stands in one message (and its copies). A
//! planted phrase is made of everyday-looking words, of which at least one occurs nowhere else but in planted text;
//! the same words in another order are planted too, so that a phrase search can be told from a search for all words.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::config::CorpusConfig;
use crate::rng::{Purpose, Rng};
use crate::wordlist::SYLLABLES;

/// Where in its message a needle stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedlePlace {
    /// A line of a plain body, 7 bit.
    BodyPlain,
    /// A body in base64.
    BodyBase64,
    /// A quoted-printable body, the word broken by a soft line break.
    BodySoftBreak,
    /// A format=flowed body.
    BodyFlowed,
    /// An ISO 8859-1 body, with an accent that folding takes away.
    BodyLatin1,
    /// A windows-1252 body, between curly quotation marks.
    BodyWindows1252,
    /// A KOI8-R body, in Cyrillic letters.
    BodyKoi8R,
    /// A GB 2312 body; the query is a phrase of single characters.
    BodyGb2312,
    /// An 8-bit body without a declared charset; the word itself is ASCII.
    BodyUndeclared,
    /// Only in a text/html body.
    HtmlOnly,
    /// Only in the second alternative of multipart/alternative.
    HtmlAlternative,
    /// In a text/plain attachment.
    AttachmentText,
    /// In a text/csv attachment in base64.
    AttachmentCsv,
    /// In the body of an attached message.
    NestedBody,
    /// In the subject of an attached message.
    NestedSubject,
    /// In the subject.
    Subject,
    /// In an encoded word of the subject.
    SubjectEncoded,
    /// In the name of an attachment.
    Filename,
    /// In the RFC 2231 name of an attachment.
    FilenameExtended,
    /// In the display name of a Cc recipient.
    CcName,
    /// Below the signature separator.
    Signature,
}

impl NeedlePlace {
    /// All places.
    pub const ALL: [Self; 21] = [
        Self::BodyPlain,
        Self::BodyBase64,
        Self::BodySoftBreak,
        Self::BodyFlowed,
        Self::BodyLatin1,
        Self::BodyWindows1252,
        Self::BodyKoi8R,
        Self::BodyGb2312,
        Self::BodyUndeclared,
        Self::HtmlOnly,
        Self::HtmlAlternative,
        Self::AttachmentText,
        Self::AttachmentCsv,
        Self::NestedBody,
        Self::NestedSubject,
        Self::Subject,
        Self::SubjectEncoded,
        Self::Filename,
        Self::FilenameExtended,
        Self::CcName,
        Self::Signature,
    ];

    /// The field of a search that finds it.
    pub fn field(self) -> &'static str {
        match self {
            Self::AttachmentText | Self::AttachmentCsv => "attachment",
            Self::Subject | Self::SubjectEncoded | Self::NestedSubject => "subject",
            Self::Filename | Self::FilenameExtended => "filename",
            Self::CcName => "cc",
            Self::BodyPlain
            | Self::BodyBase64
            | Self::BodySoftBreak
            | Self::BodyFlowed
            | Self::BodyLatin1
            | Self::BodyWindows1252
            | Self::BodyKoi8R
            | Self::BodyGb2312
            | Self::BodyUndeclared
            | Self::HtmlOnly
            | Self::HtmlAlternative
            | Self::NestedBody
            | Self::Signature => "body",
        }
    }

    /// The part path of the item that holds it: empty for the message itself, `1` for its first attachment.
    pub fn part(self) -> &'static str {
        match self {
            Self::AttachmentText
            | Self::AttachmentCsv
            | Self::NestedBody
            | Self::NestedSubject
            | Self::Filename
            | Self::FilenameExtended => "1",
            _ => "",
        }
    }
}

/// A needle and the message it stands in.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    pub(crate) place: NeedlePlace,
    /// As it stands in the text.
    pub(crate) written: String,
    /// As it is searched for.
    pub(crate) query: String,
}

/// All needles by the number of their message. At most one a message.
pub(crate) struct Needles {
    pub(crate) list: Vec<Needle>,
    by_message: HashMap<u64, usize>,
}

impl Needles {
    /// Places the needles over `distinct` messages; with fewer messages than needles some stay out.
    pub(crate) fn new(config: &CorpusConfig, distinct: u64) -> Self {
        let mut needles = Self {
            list: Vec::new(),
            by_message: HashMap::new(),
        };
        for round in 0..config.needle_rounds {
            for place in NeedlePlace::ALL {
                if needles.list.len() as u64 >= distinct {
                    return needles;
                }
                let number = needles.list.len();
                let mut rng = Rng::new(config.seed, Purpose::Needle, number as u64);
                let mut message = rng.below_wide(distinct);
                while needles.by_message.contains_key(&message) {
                    message = (message + 1) % distinct;
                }
                needles.by_message.insert(message, number);
                needles.list.push(make_needle(place, round, number, &mut rng));
            }
        }
        needles
    }

    /// The needle of a message.
    pub(crate) fn of(&self, message: u64) -> Option<(usize, &Needle)> {
        let number = *self.by_message.get(&message)?;
        Some((number, &self.list[number]))
    }
}

fn make_needle(place: NeedlePlace, round: u32, number: usize, rng: &mut Rng) -> Needle {
    let mut word = String::from("xq");
    for _ in 0..3 {
        word.push_str(SYLLABLES[rng.below(SYLLABLES.len() as u32) as usize]);
    }
    // The number in letters keeps needles apart whatever the syllables are.
    let mut rest = number;
    loop {
        word.push((b'a' + (rest % 16) as u8) as char);
        rest /= 16;
        if rest == 0 {
            break;
        }
    }
    let (written, query) = match place {
        NeedlePlace::BodyLatin1 => (word.replacen("xq", "xqé", 1), word.replacen("xq", "xqe", 1)),
        NeedlePlace::BodyKoi8R => {
            let cyrillic: String = "жщ".chars().chain(word.bytes().map(to_cyrillic)).collect();
            (cyrillic.clone(), cyrillic)
        }
        NeedlePlace::BodyGb2312 => {
            // Four characters of which the vocabulary of the corpus never puts two side by side: see `message`.
            let table = &crate::wordlist::GB;
            let at = |shift: usize| table[(number + round as usize * 7 + shift * 5) % table.len()].0;
            let text: String = ['案', at(0), '案', at(1), '案', at(2)].iter().collect();
            (text.clone(), format!("\"{text}\""))
        }
        _ => (word.clone(), word),
    };
    Needle { place, written, query }
}

fn to_cyrillic(letter: u8) -> char {
    char::from_u32(0x430 + u32::from(letter.wrapping_sub(b'a') % 32)).unwrap_or('ж')
}

/// A planted phrase: its words, how often (one message in so many), and the same words out of order.
#[derive(Clone, Copy)]
pub(crate) struct Phrase {
    pub(crate) words: &'static str,
    pub(crate) one_in: u64,
    pub(crate) decoy: &'static str,
}

/// The planted phrases. The second column is how rare they are.
pub(crate) const PHRASES: [Phrase; 6] = [
    Phrase {
        words: "the quiet heron arrangement",
        one_in: 97,
        decoy: "arrangement of the heron, quiet",
    },
    Phrase {
        words: "keep this off the marmalade register",
        one_in: 401,
        decoy: "the register, keep marmalade off this",
    },
    Phrase {
        words: "umbrella ledger",
        one_in: 1201,
        decoy: "ledger umbrella",
    },
    Phrase {
        words: "before the gooseberry panel meets on friday",
        one_in: 5003,
        decoy: "the panel meets before friday, gooseberry",
    },
    Phrase {
        words: "walnut committee",
        one_in: 23,
        decoy: "committee of walnut",
    },
    Phrase {
        words: "decision made over the pistachio telephone",
        one_in: 20_011,
        decoy: "telephone pistachio: the decision made over",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Vocabulary;

    #[test]
    fn every_phrase_has_a_word_that_running_text_never_holds() {
        let vocabulary = Vocabulary::new();
        assert!(vocabulary.holds("the"));
        for phrase in PHRASES {
            assert!(
                phrase.words.split(' ').any(|word| !vocabulary.holds(word)),
                "{}",
                phrase.words
            );
            assert!(!phrase.decoy.contains(phrase.words));
        }
    }

    #[test]
    fn needles_are_different_words_in_different_messages() {
        let config = CorpusConfig::new(1000, 3);
        let needles = Needles::new(&config, 900);
        assert_eq!(needles.list.len(), 42);
        let mut words: Vec<&str> = needles.list.iter().map(|needle| needle.query.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 42);
        assert_eq!(needles.by_message.len(), 42);
        assert_eq!(Needles::new(&config, 5).list.len(), 5);
    }
}
