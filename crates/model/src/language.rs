//! Languages that a text can be told to be in: their codes and English names.
//!
//! Codes are those of ISO 639-1 where it has one, as in BCP 47 (RFC 5646 section 2.2.1). Not for: telling a language (crate `formats`). Main type:
//! [`Language`]. Invariant: codes, longer codes and names are distinct.

/// What stands in place of a code for text whose language could not be told (RFC 5646 section 4.1; ISO 639-2).
pub const UNDETERMINED: &str = "und";

/// Other words for [`UNDETERMINED`] in queries.
const UNDETERMINED_NAMES: &[&str] = &["undetermined", "none"];

/// One language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language {
    /// ISO 639-1.
    pub code: &'static str,
    /// ISO 639-3.
    pub long_code: &'static str,
    /// English names in lower case without accents, the usual one first.
    pub names: &'static [&'static str],
}

/// The code of a language given by its code, longer code or English name, all compared in lower case; [`UNDETERMINED`] for itself.
pub fn code_of(folded: &str) -> Option<&'static str> {
    if folded == UNDETERMINED || UNDETERMINED_NAMES.contains(&folded) {
        return Some(UNDETERMINED);
    }
    let is = |one: &&Language| one.code == folded || one.long_code == folded || one.names.contains(&folded);
    LANGUAGES.iter().find(is).map(|one| one.code)
}

/// The code for one of ISO 639-3.
pub fn short_code(long_code: &str) -> Option<&'static str> {
    let found = LANGUAGES.iter().find(|one| one.long_code == long_code);
    found.map(|one| one.code)
}

macro_rules! languages {
    ($($code:literal $long_code:literal $($name:literal),+;)+) => {
        /// All of them, by code (ISO 639 code tables); macro-languages as usual in tags.
        pub const LANGUAGES: &[Language] = &[$(Language { code: $code, long_code: $long_code, names: &[$($name),+] }),+];
    };
}

languages! {
    "af" "afr" "afrikaans";
    "ak" "aka" "akan";
    "am" "amh" "amharic";
    "ar" "ara" "arabic";
    "az" "aze" "azerbaijani";
    "be" "bel" "belarusian";
    "bg" "bul" "bulgarian";
    "bn" "ben" "bengali";
    "ca" "cat" "catalan";
    "cs" "ces" "czech";
    "cy" "cym" "welsh";
    "da" "dan" "danish";
    "de" "deu" "german";
    "el" "ell" "greek";
    "en" "eng" "english";
    "eo" "epo" "esperanto";
    "es" "spa" "spanish";
    "et" "est" "estonian";
    "fa" "pes" "persian", "farsi";
    "fi" "fin" "finnish";
    "fr" "fra" "french";
    "ga" "gle" "irish";
    "gu" "guj" "gujarati";
    "he" "heb" "hebrew";
    "hi" "hin" "hindi";
    "hr" "hrv" "croatian";
    "hu" "hun" "hungarian";
    "hy" "hye" "armenian";
    "id" "ind" "indonesian";
    "it" "ita" "italian";
    "ja" "jpn" "japanese";
    "jv" "jav" "javanese";
    "ka" "kat" "georgian";
    "km" "khm" "khmer";
    "kn" "kan" "kannada";
    "ko" "kor" "korean";
    "la" "lat" "latin";
    "lt" "lit" "lithuanian";
    "lv" "lav" "latvian";
    "mk" "mkd" "macedonian";
    "ml" "mal" "malayalam";
    "mr" "mar" "marathi";
    "my" "mya" "burmese";
    "nb" "nob" "norwegian", "bokmal";
    "ne" "nep" "nepali";
    "nl" "nld" "dutch", "flemish";
    "or" "ori" "odia", "oriya";
    "pa" "pan" "punjabi", "panjabi";
    "pl" "pol" "polish";
    "pt" "por" "portuguese";
    "ro" "ron" "romanian";
    "ru" "rus" "russian";
    "si" "sin" "sinhala", "sinhalese";
    "sk" "slk" "slovak";
    "sl" "slv" "slovenian", "slovene";
    "sn" "sna" "shona";
    "sr" "srp" "serbian";
    "sv" "swe" "swedish";
    "ta" "tam" "tamil";
    "te" "tel" "telugu";
    "th" "tha" "thai";
    "tk" "tuk" "turkmen";
    "tl" "tgl" "tagalog", "filipino";
    "tr" "tur" "turkish";
    "uk" "ukr" "ukrainian";
    "ur" "urd" "urdu";
    "uz" "uzb" "uzbek";
    "vi" "vie" "vietnamese";
    "yi" "yid" "yiddish";
    "zh" "cmn" "chinese", "mandarin";
    "zu" "zul" "zulu";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_and_names_are_distinct_and_found() {
        let mut seen = HashSet::new();
        for one in LANGUAGES {
            for word in [one.code, one.long_code].iter().chain(one.names) {
                assert!(seen.insert(*word), "{word}");
                assert_eq!(code_of(word), Some(one.code));
            }
            assert_eq!(short_code(one.long_code), Some(one.code));
        }
        for (typed, expected) in [
            ("und", Some("und")),
            ("none", Some("und")),
            ("klingon", None),
            ("", None),
        ] {
            assert_eq!(code_of(typed), expected);
        }
    }
}
