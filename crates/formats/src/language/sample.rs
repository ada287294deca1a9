//! The first words that somebody wrote in a text, counted by script and by the languages whose function words they are.
//!
//! Main type: [`Sample`]. Invariant: what is looked at is bounded, whatever the text.

use super::words::{Key, LANGUAGES, look_up};

/// Words from which on a clear case is settled, looked at again after each so many more, and after which every case is.
const CLEAR_FROM: u32 = 12;
const AGAIN_AFTER: u32 = 6;
const WORDS: u32 = 160;
/// Bytes of a text that are looked at, passed over or not, and of scripts without blanks.
const LOOKED_AT_BYTES: usize = 16 << 10;
const CHUNK_BYTES: usize = 400;
/// Bytes that the detector is given.
const GIVEN_BYTES: usize = 300;

/// A script, as far as it tells languages apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Latin,
    Cyrillic,
    Greek,
    Han,
    /// Japanese: kana, with or without ideographs.
    Kana,
    Hangul,
    /// One that several languages use, or that the detector knows.
    Other,
    /// None has more than half of the letters.
    Mixed,
}

/// Words and letters counted.
pub(super) struct Sample {
    pub(super) letters: u32,
    pub(super) words: u32,
    by_script: [u32; 7],
    counts: [u16; LANGUAGES.len()],
    weights: [u16; LANGUAGES.len()],
}

/// A language with the number and weight of its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranked {
    pub(super) language: usize,
    pub(super) words: u32,
    pub(super) weight: u32,
}

/// The first two of all languages.
pub(super) struct Ranking {
    pub(super) best: Option<Ranked>,
    pub(super) next_weight: u32,
}

impl Sample {
    pub(super) fn of(text: &str) -> Self {
        let mut sample = Self {
            letters: 0,
            words: 0,
            by_script: [0; 7],
            counts: [0; LANGUAGES.len()],
            weights: [0; LANGUAGES.len()],
        };
        let mut bytes = 0;
        let mut look_at = CLEAR_FROM;
        for_each_chunk(text, |chunk| {
            bytes += chunk.len();
            sample.chunk(chunk);
            if sample.words < look_at {
                // Ideographs stand without blanks.
                return bytes < 4 * CHUNK_BYTES || sample.words > 8;
            }
            look_at = sample.words + AGAIN_AFTER;
            sample.words < WORDS && !sample.is_clear()
        });
        sample
    }

    /// True when one language has a third of the words, and weighs three times as much as any other.
    fn is_clear(&self) -> bool {
        let ranked = self.ranked();
        self.letters >= super::MIN_LETTERS
            && ranked
                .best
                .is_some_and(|best| best.words * 3 >= self.words && best.weight > 3 * ranked.next_weight)
    }

    fn chunk(&mut self, chunk: &str) {
        if chunk.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            let mut length = chunk.len() as u32;
            self.by_script[Script::Latin as usize] += length;
            self.word(&mut Key::of_letters(chunk.as_bytes()), &mut length);
            return;
        }
        let mut key = Key::default();
        let mut length = 0_u32;
        let mut rest = chunk.bytes();
        let mut at = 0;
        while let Some(byte) = rest.next() {
            at += 1;
            if byte.is_ascii_alphabetic() {
                key.push(byte.to_ascii_lowercase());
                self.by_script[Script::Latin as usize] += 1;
                length += 1;
                continue;
            }
            if byte < 0x80 {
                self.word(&mut key, &mut length);
                continue;
            }
            // A letter of several bytes.
            let Some(letter) = chunk[at - 1..].chars().next() else {
                break;
            };
            at += letter.len_utf8() - 1;
            rest = chunk[at..].bytes();
            if !letter.is_alphabetic() {
                if letter == '\u{2019}' {
                    self.word(&mut key, &mut length);
                }
                continue;
            }
            let script = script_of(letter);
            self.by_script[script as usize] += 1;
            length += 1;
            let mut buffer = [0; 4];
            let lower = letter.to_lowercase().next().unwrap_or(letter);
            lower.encode_utf8(&mut buffer).bytes().for_each(|byte| key.push(byte));
        }
        self.word(&mut key, &mut length);
    }

    #[inline]
    fn word(&mut self, key: &mut Key, length: &mut u32) {
        if *length == 0 {
            return;
        }
        self.letters += *length;
        self.words += 1;
        let mut languages = look_up(*key);
        // A word of one language says most.
        let weight = match languages.count_ones() {
            1 => 6,
            2 => 4,
            3 => 3,
            4 => 2,
            _ => 1,
        };
        while languages != 0 {
            let language = languages.trailing_zeros() as usize;
            self.counts[language] += 1;
            self.weights[language] += weight;
            languages &= languages - 1;
        }
        (*key, *length) = (Key::default(), 0);
    }

    /// How many words are function words of a language of the table.
    pub(super) fn count(&self, language: usize) -> u32 {
        u32::from(self.counts.get(language).copied().unwrap_or(0))
    }

    pub(super) fn ranked(&self) -> Ranking {
        let mut ranking = Ranking {
            best: None,
            next_weight: 0,
        };
        for (language, (words, weight)) in self.counts.iter().zip(self.weights).enumerate() {
            let one = Ranked {
                language,
                words: u32::from(*words),
                weight: u32::from(weight),
            };
            match ranking.best {
                Some(best) if best.weight >= one.weight => ranking.next_weight = ranking.next_weight.max(one.weight),
                best => {
                    ranking.next_weight = best.map_or(0, |best| best.weight);
                    ranking.best = (one.weight > 0).then_some(one);
                }
            }
        }
        ranking
    }

    /// The script of more than half of the letters.
    pub(super) fn script(&self) -> Script {
        let of = |script: Script| self.by_script[script as usize];
        let most = |count: u32| count * 2 > self.letters;
        let japanese = of(Script::Kana) + of(Script::Han);
        // Ideographs with some kana among them are Japanese.
        if most(japanese) && of(Script::Kana) * 20 >= japanese {
            return Script::Kana;
        }
        let all = [
            Script::Latin,
            Script::Cyrillic,
            Script::Greek,
            Script::Han,
            Script::Hangul,
            Script::Other,
        ];
        all.into_iter()
            .find(|script| most(of(*script)))
            .unwrap_or(Script::Mixed)
    }
}

/// Blocks of the Unicode Standard, chapter "Code Charts".
fn script_of(letter: char) -> Script {
    match letter as u32 {
        0x00AA..=0x024F | 0x1E00..=0x1EFF => Script::Latin,
        0x0400..=0x052F => Script::Cyrillic,
        0x0370..=0x03FF | 0x1F00..=0x1FFF => Script::Greek,
        0x3040..=0x30FF => Script::Kana,
        0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF => Script::Han,
        0x1100..=0x11FF | 0x3130..=0x318F | 0xAC00..=0xD7AF => Script::Hangul,
        _ => Script::Other,
    }
}

/// The same text again, for the detector: cut, without what is passed over.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(GIVEN_BYTES + 16);
    for_each_chunk(text, |chunk| {
        plain.push_str(&chunk[..chunk.floor_char_boundary(GIVEN_BYTES)]);
        plain.push(' ');
        plain.len() < GIVEN_BYTES
    });
    plain
}

/// Calls `each` with what stands between blanks, as long as it wants more; what is an address, a path, a number or code says nothing and is left out.
fn for_each_chunk(text: &str, mut each: impl FnMut(&str) -> bool) {
    let is_plain = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'\'' | b'-' | b',');
    let end = text.floor_char_boundary(LOOKED_AT_BYTES);
    for line in text[..end].split('\n') {
        match kind_of(line) {
            Line::Own => {}
            Line::PassedOver => continue,
            Line::End => return,
        }
        for chunk in line.split_ascii_whitespace() {
            let trimmed = without_punctuation(chunk);
            if trimmed.is_empty() || !trimmed.bytes().all(is_plain) {
                continue;
            }
            if !each(&trimmed[..trimmed.floor_char_boundary(CHUNK_BYTES)]) {
                return;
            }
        }
    }
}

/// A chunk without the ASCII punctuation around it.
fn without_punctuation(chunk: &str) -> &str {
    let bytes = chunk.as_bytes();
    let is_other = |byte: &u8| !byte.is_ascii_punctuation();
    let start = bytes.iter().position(is_other).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(is_other).map_or(start, |last| last + 1);
    // Bytes of other characters are no punctuation, so both are boundaries.
    &chunk[start..end]
}

/// What a line is in a mail.
enum Line {
    /// Somebody wrote it here.
    Own,
    /// Quoted, a quoted header, a rule.
    PassedOver,
    /// From here on everything is quoted, or a signature.
    End,
}

fn kind_of(line: &str) -> Line {
    let line = line.trim_end_matches('\r');
    let inner = line.trim_start_matches([' ', '\t']);
    match inner.bytes().next() {
        None | Some(b'>' | b'|') => Line::PassedOver,
        Some(b'-') if line == "-- " => Line::End,
        Some(b'-') => {
            let words = inner.trim_matches(['-', ' ']);
            let is_rule = inner.starts_with("----") && inner.trim_end().ends_with("--");
            // `-----Original Message-----` in any language; what is forwarded is passed on as one's own, and armour is no quotation.
            let goes_on = ["orward", "BEGIN", "END"].iter().any(|word| words.contains(word));
            match (is_rule, words.is_empty() || goes_on) {
                (true, false) => Line::End,
                (true, true) => Line::PassedOver,
                (false, _) => Line::Own,
            }
        }
        Some(b'A'..=b'Z') if is_header(inner) => Line::PassedOver,
        Some(_) => Line::Own,
    }
}

/// The lines that stand before a quoted message.
fn is_header(line: &str) -> bool {
    let start = &line.as_bytes()[..line.len().min(13)];
    let Some(colon) = start.iter().position(|byte| *byte == b':') else {
        return false;
    };
    matches!(
        &start[..colon],
        b"From"
            | b"To"
            | b"Cc"
            | b"CC"
            | b"Bcc"
            | b"Subject"
            | b"Sent"
            | b"Date"
            | b"Reply-To"
            | b"Message-ID"
            | b"Sent by"
            | b"Importance"
    )
}
