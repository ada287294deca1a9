//! Text strings (ISO 32000-1, 7.9.2.2) and dates (7.9.4) of a PDF.

/// A text string: UTF-16 or UTF-8 with a mark, else PDFDocEncoding.
pub(super) fn text_string(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, skip)) => encoding.decode_without_bom_handling(&bytes[skip..]).0.into_owned(),
        None => bytes.iter().map(|byte| character(*byte)).collect(),
    }
}

/// PDFDocEncoding (annex D.2): Latin-1, but for two ranges.
fn character(byte: u8) -> char {
    const ACCENTS: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '\u{2dc}'];
    const UPPER: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ', 'ﬂ', 'Ł',
        'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
    ];
    match byte {
        0x18..=0x1f => ACCENTS[usize::from(byte - 0x18)],
        0x80..=0xa0 => UPPER[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

/// A date (7.9.4), `D:YYYYMMDDHHmmSSOHH'mm`, as RFC 3339; parts that are missing have their first value, a missing zone is UTC by the same clause.
pub(super) fn date(text: &str) -> Option<String> {
    let text = text.trim().strip_prefix("D:").unwrap_or(text.trim());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count().min(14);
    if digits < 4 {
        return None;
    }
    let part = |from: usize, default: &'static str| {
        if digits >= from + 2 {
            text[from..from + 2].to_owned()
        } else {
            default.to_owned()
        }
    };
    let zone: String = text[digits..].chars().filter(|c| !matches!(c, '\'')).collect();
    let zone = match zone.chars().next() {
        Some('+' | '-') if zone.len() >= 3 && zone[1..].bytes().all(|byte| byte.is_ascii_digit()) => {
            let minutes = zone.get(3..5).unwrap_or("00");
            format!("{}:{minutes}", &zone[..3])
        }
        _ => "Z".to_owned(),
    };
    Some(format!(
        "{}-{}-{}T{}:{}:{}{zone}",
        &text[..4],
        part(4, "01"),
        part(6, "01"),
        part(8, "00"),
        part(10, "00"),
        part(12, "00")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_decoded_by_mark_or_as_the_standard_says() {
        assert_eq!(text_string(b"\xfe\xff\x01\x5e\0a"), "Şa");
        assert_eq!(text_string(b"\x8dq\x8e \x93x \xe9 \xa0"), "“q” ﬁx é €");
        assert_eq!(text_string(b"\xef\xbb\xbf\xc3\xa9"), "é");
    }

    #[test]
    fn dates_become_rfc_3339() {
        assert_eq!(
            date("D:20200102030405+01'30'").as_deref(),
            Some("2020-01-02T03:04:05+01:30")
        );
        assert_eq!(date("D:20200102030405Z").as_deref(), Some("2020-01-02T03:04:05Z"));
        assert_eq!(date("D:2020").as_deref(), Some("2020-01-01T00:00:00Z"));
        assert_eq!(date("yesterday"), None);
        assert_eq!(date("D:20200102030405+é"), Some("2020-01-02T03:04:05Z".to_owned()));
    }
}
