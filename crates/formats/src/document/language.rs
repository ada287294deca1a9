//! Which language a text is in.

/// Characters that a text must have before its language is guessed.
const MIN_CHARS: usize = 40;
/// Bytes that are looked at.
const SAMPLE_BYTES: usize = 16 << 10;
/// Least confidence of the detector, 0 to 1.
const MIN_CONFIDENCE: f64 = 0.8;

/// Returns the language of `text`: ISO 639-1 where that has a code, else ISO 639-3. `None` when the text is short or the
/// detector is not sure. Give it text without quotation and headers.
pub fn language(text: &str) -> Option<&'static str> {
    let end = (0..=text.len().min(SAMPLE_BYTES))
        .rev()
        .find(|at| text.is_char_boundary(*at))?;
    let sample = &text[..end];
    if sample.chars().filter(|c| c.is_alphabetic()).take(MIN_CHARS).count() < MIN_CHARS {
        return None;
    }
    let found = whatlang::detect(sample)?;
    if !found.is_reliable() || found.confidence() < MIN_CONFIDENCE {
        return None;
    }
    let code = found.lang().code();
    Some(
        ISO_639_1
            .iter()
            .find(|(three, _)| *three == code)
            .map_or(code, |(_, two)| two),
    )
}

/// Codes of ISO 639-3 and 639-1 of the languages that the detector knows (ISO 639 code tables); macro-languages as usual in tags.
const ISO_639_1: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_long_enough_text_is_told() {
        let check = |text, expected| assert_eq!(language(text), expected, "{text}");
        check(
            "The officer arrived at the address shortly after the call was received and spoke to two witnesses.",
            Some("en"),
        );
        check(
            "Der Beamte traf kurz nach dem Anruf an der Adresse ein und sprach mit zwei Zeugen des Vorfalls.",
            Some("de"),
        );
        check(
            "Офицер прибыл по адресу вскоре после звонка и поговорил с двумя свидетелями происшествия. Они рассказали, что видели, как двое мужчин вышли из дома и уехали на чёрной машине, а потом вернулись и забрали оставшиеся вещи.",
            Some("ru"),
        );
        check(
            "警官は通報を受けてすぐに現場に到着し、二人の目撃者から話を聞きました。その後、報告書を作成して提出しました。",
            Some("ja"),
        );
        check("yes", None);
        check("", None);
    }

    #[test]
    fn every_language_of_the_detector_has_a_code() {
        for lang in whatlang::Lang::all() {
            assert!(ISO_639_1.iter().any(|(three, _)| *three == lang.code()), "{lang:?}");
        }
    }
}
