//! Bytes to text: charsets as declared, then as detected, and loose text files.
//!
//! Not for: markup ([`crate::html`]) or transfer encodings. Main function: [`decode`]. Invariant: bytes are
//! never silently dropped; what cannot be read in any charset tried becomes U+FFFD and raises a defect.

mod wide;

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use mail_parser::decoders::charsets::map::charset_decoder;

pub(crate) use wide::{MAX_WIDE_MAIL_BYTES, unmarked_wide, utf32, wide_mail};

/// Bytes of a text that the charset detector is shown; the rest is read in the charset found.
const DETECT_BYTES: usize = 8 * 1024;

/// So many characters beyond ASCII must be read well for each one that is not, that the charset stands.
const ERRORS_WEIGH: usize = 8;

/// Text made of bytes, and what was odd about it.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// The text; borrowed when the bytes were UTF-8.
    pub text: Cow<'a, str>,
    /// The charset oddity, if there was one.
    pub defect: Option<Defect>,
    /// True when some bytes became U+FFFD.
    pub lossy: bool,
}

impl<'a> Decoded<'a> {
    fn clean(text: Cow<'a, str>) -> Self {
        Self {
            text,
            defect: None,
            lossy: false,
        }
    }
}

/// What a charset label means to us.
enum Charset {
    /// None given, or US-ASCII (RFC 2045 section 5.2: the default).
    Ascii,
    /// A charset of the WHATWG Encoding Standard.
    Known(&'static Encoding),
    /// One that only mail still uses (UTF-7, IBM code pages).
    Table(fn(&[u8]) -> String),
    /// No such charset is known.
    Unknown,
}

/// Returns the text of `bytes`, read in the charset `declared` where that works, else in a detected one.
///
/// The order is: UTF-16 when its byte order mark stands first; UTF-8 or the declared charset when the bytes are valid in it; UTF-8 when they are valid
/// in that although a single-byte charset was declared; the detector's choice when it reads without
/// errors; else whichever reading has the fewest errors, with `TEXT-UNDECODABLE`.
pub fn decode<'a>(bytes: &'a [u8], declared: Option<&str>) -> Decoded<'a> {
    let charset = declared.map_or(Charset::Ascii, lookup);
    if let Some(decoded) = marked_wide(bytes, declared, &charset) {
        return decoded;
    }
    match charset {
        Charset::Ascii => decode_undeclared(bytes, declared),
        Charset::Known(encoding) => decode_known(bytes, encoding, declared.unwrap_or_default()),
        Charset::Table(table) => Decoded::clean(Cow::Owned(table(bytes))),
        Charset::Unknown => {
            let mut decoded = detect(bytes);
            if !decoded.lossy {
                let label = declared.unwrap_or_default();
                let detail = format!("declared \"{}\", read as {}", short(label), decoded.used);
                decoded.inner.defect = Some(Defect::new(DefectCode::TextCharsetUnknown, detail));
            }
            decoded.inner
        }
    }
}

/// The charset meant by a label as mail writes it.
fn lookup(label: &str) -> Charset {
    let label = label.trim().trim_matches(['"', '\'', ' ']);
    if label.is_empty() || label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii") {
        return Charset::Ascii;
    }
    if let Some(encoding) = Encoding::for_label_no_replacement(label.as_bytes())
        && encoding != X_USER_DEFINED
    {
        return Charset::Known(encoding);
    }
    if let Some(encoding) = alias(label) {
        return Charset::Known(encoding);
    }
    if ["cp437", "ibm437", "437", "cspc8codepage437"]
        .iter()
        .any(|name| label.eq_ignore_ascii_case(name))
    {
        return Charset::Table(decode_cp437);
    }
    let replaced = Encoding::for_label(label.as_bytes()).is_some();
    match charset_decoder(label.as_bytes()) {
        Some(table) if !replaced => Charset::Table(table),
        _ => Charset::Unknown,
    }
}

/// Labels seen in mail that the Encoding Standard does not list.
fn alias(label: &str) -> Option<&'static Encoding> {
    const ALIASES: &[(&str, &str)] = &[
        ("cp932", "shift_jis"),
        ("cp936", "gbk"),
        ("cp949", "euc-kr"),
        ("cp950", "big5"),
        ("gb18030-2000", "gb18030"),
        ("iso8859_1", "iso-8859-1"),
        ("iso-8859-8-e", "iso-8859-8"),
        ("koi8_r", "koi8-r"),
        ("latin-1", "iso-8859-1"),
        ("unicode-1-1-utf-8", "utf-8"),
        ("utf8mb4", "utf-8"),
        ("utf_8", "utf-8"),
        ("win-1251", "windows-1251"),
    ];
    let found = ALIASES.iter().find(|(name, _)| name.eq_ignore_ascii_case(label));
    let name = match found {
        Some((_, name)) => name,
        None => label.strip_prefix("x-").or_else(|| label.strip_prefix("X-"))?,
    };
    Encoding::for_label_no_replacement(name.as_bytes())
}

/// Code page 437, the character set of the first PCs: neither of the packages has it.
fn decode_cp437(bytes: &[u8]) -> String {
    const HIGH: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
    let high: Vec<char> = HIGH.chars().collect();
    let decode = |byte: &u8| match byte.checked_sub(128) {
        None => *byte as char,
        Some(index) => high.get(usize::from(index)).copied().unwrap_or('\u{FFFD}'),
    };
    bytes.iter().map(decode).collect()
}

/// Text behind the byte order mark of UTF-16 (RFC 2781 section 3.2), whatever else was declared. Letters of another charset could look like the mark, but
/// then hardly all of the bytes are UTF-16.
fn marked_wide<'a>(bytes: &'a [u8], declared: Option<&str>, charset: &Charset) -> Option<Decoded<'a>> {
    let label = declared.unwrap_or_default();
    let says_utf32 = label.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("utf-32"));
    if (says_utf32 || bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff"))
        && let Some(how) = utf32(bytes)
    {
        return Some(wide::decode_utf32(bytes, how));
    }
    if !(bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")) {
        return None;
    }
    if matches!(charset, Charset::Known(encoding) if *encoding == UTF_16LE || *encoding == UTF_16BE) {
        return None;
    }
    let (encoding, skip) = Encoding::for_bom(bytes)?;
    let body = bytes.get(skip..).unwrap_or_default();
    let has_zeros = memchr::memchr(0, &body[..body.len().min(4096)]).is_some();
    if !has_zeros
        && body
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
    {
        return None;
    }
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(body) {
        return Some(disagreement(text, declared, encoding.name()));
    }
    has_zeros.then(|| replaced(body, encoding, declared.unwrap_or_default()))
}

fn decode_undeclared<'a>(bytes: &'a [u8], declared: Option<&str>) -> Decoded<'a> {
    if let Some(text) = plain_utf8(bytes) {
        if text.is_ascii() {
            return Decoded::clean(Cow::Borrowed(text));
        }
        return disagreement(Cow::Borrowed(text), declared, "UTF-8");
    }
    let mut found = detect(bytes);
    if !found.lossy {
        let text = std::mem::take(&mut found.inner.text);
        return disagreement(text, declared, found.used);
    }
    found.inner
}

/// UTF-8 text that holds no escape sequences of a seven-bit Japanese charset.
fn plain_utf8(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let escapes = memchr::memchr_iter(0x1b, bytes).any(|at| {
        let rest = &bytes[at + 1..];
        rest.starts_with(b"$") || rest.starts_with(b"(J")
    });
    (!escapes).then_some(text)
}

fn disagreement<'a>(text: Cow<'a, str>, declared: Option<&str>, used: &str) -> Decoded<'a> {
    let detail = match declared {
        Some(label) => format!("declared \"{}\", read as {used}", short(label)),
        None => format!("no charset declared, read as {used}"),
    };
    Decoded {
        text,
        defect: Some(Defect::new(DefectCode::TextCharsetDisagrees, detail)),
        lossy: false,
    }
}

fn decode_known<'a>(bytes: &'a [u8], encoding: &'static Encoding, label: &str) -> Decoded<'a> {
    if encoding == UTF_8 {
        let body = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        if let Ok(text) = std::str::from_utf8(body) {
            return Decoded::clean(Cow::Borrowed(text));
        }
        return choose(body, UTF_8, label);
    }
    if encoding == UTF_16LE || encoding == UTF_16BE {
        return decode_utf16(bytes, encoding, label);
    }
    if encoding.is_ascii_compatible() && bytes.is_ascii() {
        // No encoding of this kind gives ASCII bytes another meaning, ISO-2022-JP is not one of them.
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Decoded::clean(Cow::Borrowed(text));
        }
    }
    if encoding.is_single_byte() {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return disagreement(Cow::Borrowed(text), Some(label), "UTF-8");
        }
        if is_mostly_utf8(bytes) {
            // Every byte has a meaning in such a charset, but not this one.
            return replaced(bytes, UTF_8, label);
        }
    }
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Decoded::clean(text),
        None => choose(bytes, encoding, label),
    }
}

/// UTF-16 is believed when the bytes look like it; many writers declare it for what is not.
fn decode_utf16<'a>(bytes: &'a [u8], encoding: &'static Encoding, label: &str) -> Decoded<'a> {
    let (found, skip) = Encoding::for_bom(bytes).unwrap_or((encoding, 0));
    let body = bytes.get(skip..).unwrap_or_default();
    let zeros = memchr::memchr_iter(0, &body[..body.len().min(4096)]).count();
    if zeros == 0
        && let Ok(text) = std::str::from_utf8(body)
        && !text.is_empty()
    {
        return disagreement(Cow::Borrowed(text), Some(label), "UTF-8");
    }
    match found.decode_without_bom_handling_and_without_replacement(body) {
        Some(text) => Decoded::clean(text),
        None => choose(body, found, label),
    }
}

/// A reading by the detector, with the name of the charset used.
struct Detected<'a> {
    inner: Decoded<'a>,
    used: &'static str,
    lossy: bool,
}

/// The detector's choice. It is slow, so it sees only lines that tell something, and not too many.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut sample = Vec::with_capacity(DETECT_BYTES.min(bytes.len()));
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if !line.is_ascii() || memchr::memchr2(0x1b, b'~', line).is_some() {
            let room = DETECT_BYTES - sample.len();
            sample.extend_from_slice(&line[..line.len().min(room)]);
            if sample.len() == DETECT_BYTES {
                break;
            }
        }
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&sample, sample.len() < DETECT_BYTES);
    detector.guess(None, Utf8Detection::Allow)
}

/// Hardly anything but text in UTF-8 has many sequences of it: some wrong bytes among them do not make it another charset.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut read_well, mut errors) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        read_well += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        errors += usize::from(!chunk.invalid().is_empty());
        if errors > 16 && read_well <= errors {
            return false;
        }
    }
    read_well > errors.saturating_mul(ERRORS_WEIGH)
}

fn detect(bytes: &[u8]) -> Detected<'_> {
    if std::str::from_utf8(bytes).is_err() && is_mostly_utf8(bytes) {
        return Detected {
            inner: replaced(bytes, UTF_8, ""),
            used: UTF_8.name(),
            lossy: true,
        };
    }
    let encoding = guess(bytes);
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return Detected {
            inner: Decoded::clean(text),
            used: encoding.name(),
            lossy: false,
        };
    }
    Detected {
        inner: replaced(bytes, encoding, ""),
        used: encoding.name(),
        lossy: true,
    }
}

/// Bytes that are not valid in their charset: another one, or the same with replacements.
fn choose<'a>(bytes: &'a [u8], declared: &'static Encoding, label: &str) -> Decoded<'a> {
    if declared != UTF_8
        && declared != ISO_2022_JP
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return disagreement(Cow::Borrowed(text), Some(label), "UTF-8");
    }
    let as_declared = replaced(bytes, declared, label);
    let errors = as_declared.text.matches('\u{FFFD}').count();
    let read_well = as_declared
        .text
        .chars()
        .filter(|c| !c.is_ascii())
        .count()
        .saturating_sub(errors);
    // A stray byte in a long text of the declared charset does not make it another charset.
    if read_well > errors.saturating_mul(ERRORS_WEIGH) {
        return as_declared;
    }
    let detected = detect(bytes);
    if detected.lossy {
        return as_declared;
    }
    disagreement(detected.inner.text, Some(label), detected.used)
}

fn replaced<'a>(bytes: &'a [u8], encoding: &'static Encoding, label: &str) -> Decoded<'a> {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let detail = if label.is_empty() {
        format!("read as {} with replacements", encoding.name())
    } else {
        format!("declared \"{}\", read with replacements", short(label))
    };
    Decoded {
        text,
        defect: Some(Defect::new(DefectCode::TextUndecodable, detail)),
        lossy: true,
    }
}

fn short(label: &str) -> &str {
    let end = (0..=label.len().min(40)).rev().find(|at| label.is_char_boundary(*at));
    &label[..end.unwrap_or(0)]
}

/// Returns the text of a loose file: byte order mark, UTF-16 without one, UTF-8, then the detector.
/// HTML is rendered. Never fails; what was odd is in the defects.
pub fn parse_text(bytes: &[u8]) -> (String, Vec<Defect>, Searchability) {
    loose(bytes, false)
}

/// The same of a file that is HTML, whatever it begins with.
pub fn parse_page(bytes: &[u8]) -> (String, Vec<Defect>, Searchability) {
    loose(bytes, true)
}

fn loose(bytes: &[u8], is_page: bool) -> (String, Vec<Defect>, Searchability) {
    if bytes.is_empty() {
        return (String::new(), Vec::new(), Searchability::Empty);
    }
    let decoded = announced(bytes);
    let lossy = decoded.lossy;
    let defects: Vec<Defect> = decoded.defect.into_iter().collect();
    let text = decoded.text;
    let text = if is_page || crate::html::looks_like_html(&text) {
        crate::html::to_text(&text)
    } else {
        text.into_owned()
    };
    let searchability = if lossy {
        Searchability::PartlyDecoding
    } else if has_words(&text) {
        Searchability::Searched
    } else {
        Searchability::NoText
    };
    (text, defects, searchability)
}

/// The characters of a file that nobody declared. A charset that was guessed is said.
fn announced(bytes: &[u8]) -> Decoded<'_> {
    if let Some(how) = utf32(bytes) {
        return wide::decode_utf32(bytes, how);
    }
    let Some((encoding, skip)) = loose_encoding(bytes) else {
        let found = detect(bytes);
        return if found.lossy {
            found.inner
        } else {
            disagreement(found.inner.text, None, found.used)
        };
    };
    let body = bytes.get(skip..).unwrap_or_default();
    match encoding.decode_without_bom_handling_and_without_replacement(body) {
        Some(text) => Decoded::clean(text),
        None => replaced(body, encoding, ""),
    }
}

/// An encoding that the bytes themselves announce, and how many bytes of mark to skip.
fn loose_encoding(bytes: &[u8]) -> Option<(&'static Encoding, usize)> {
    if let Some(found) = Encoding::for_bom(bytes) {
        return Some(found);
    }
    let head = &bytes[..bytes.len().min(4096)];
    if head.len() >= 8 {
        let pairs = head.len() / 2;
        let even = head.iter().step_by(2).filter(|byte| **byte == 0).count();
        let odd = head.iter().skip(1).step_by(2).filter(|byte| **byte == 0).count();
        if odd * 3 > pairs && even * 16 < pairs {
            return Some((UTF_16LE, 0));
        }
        if even * 3 > pairs && odd * 16 < pairs {
            return Some((UTF_16BE, 0));
        }
    }
    if memchr::memchr(0, head).is_some()
        && let Some(encoding) = unmarked_wide(bytes)
    {
        return Some((encoding, 0));
    }
    let is_plain = plain_utf8(bytes).is_some();
    is_plain.then_some((UTF_8, 0))
}

/// True when the text has at least one letter or digit.
pub(crate) fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Text of header bytes without a declared charset: UTF-8, else `hint`, else the detector's choice.
pub(crate) fn decode_header_bytes<'a>(bytes: &'a [u8], hint: Option<&str>) -> Cow<'a, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    if let Some(Charset::Known(encoding)) = hint.map(lookup)
        && encoding != UTF_8
        && encoding.is_ascii_compatible()
        && let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes)
    {
        return text;
    }
    let encoding = guess(bytes);
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => text,
        None => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], declared: Option<&str>, text: &str, code: Option<DefectCode>) {
        let decoded = decode(bytes, declared);
        assert_eq!(decoded.text, text, "{declared:?}");
        assert_eq!(decoded.defect.map(|defect| defect.code), code, "{declared:?}");
    }

    #[test]
    fn valid_bytes_are_read_as_declared_without_a_defect() {
        check(b"plain", None, "plain", None);
        check(b"plain", Some("us-ascii"), "plain", None);
        check(b"caf\xe9", Some("iso-8859-1"), "café", None);
        check("café".as_bytes(), Some("UTF-8"), "café", None);
        check(b"\xc4\xe3\xba\xc3", Some("gb2312"), "你好", None);
        check(b"\x1b$B%O%m!<\x1b(B", Some("iso-2022-jp"), "ハロー", None);
        check(b"+ZYeB9FH6ckh5Pg-, 1980.", Some("utf-7"), "文致出版社, 1980.", None);
        check(b"\x81\xe1\xff", Some("cp437"), "üß\u{a0}", None);
        check(b"\x9b", Some("ibm850"), "ø", None);
        check(b"\xff\xfeh\0i\0", Some("utf-16"), "hi", None);
    }

    #[test]
    fn bytes_not_valid_as_declared_are_detected_and_said() {
        let code = Some(DefectCode::TextCharsetDisagrees);
        check("café".as_bytes(), Some("us-ascii"), "café", code);
        check("café".as_bytes(), None, "café", code);
        check("café".as_bytes(), Some("iso-8859-1"), "café", code);
        check(b"\x1b$B%O%m!<\x1b(B", None, "ハロー", code);
        let russian = encoding_rs::WINDOWS_1251.encode("Привет, как дела у вас сегодня").0;
        check(&russian, Some("utf-8"), "Привет, как дела у вас сегодня", code);
    }

    #[test]
    fn a_mark_of_utf_16_holds_whatever_was_declared() {
        let code = Some(DefectCode::TextCharsetDisagrees);
        for declared in [None, Some("us-ascii"), Some("iso-8859-1"), Some("utf-8")] {
            check(b"\xff\xfeh\0i\0", declared, "hi", code);
            check(b"\xfe\xff\0h\0i", declared, "hi", code);
            check(b"\xff\xfe\x1f\x04\x40\x04", declared, "Пр", code);
        }
        check(
            b"\xff\xfeh\0i\0\0",
            None,
            "hi\u{FFFD}",
            Some(DefectCode::TextUndecodable),
        );
        check(b"\xfe\xffa word", Some("iso-8859-1"), "þÿa word", None);
    }

    #[test]
    fn one_bad_byte_does_not_make_utf_8_another_charset() {
        let code = Some(DefectCode::TextUndecodable);
        let bytes = [
            "Grüße über Größe, schöne Häuser und Bäume, süß\n".as_bytes(),
            b"\xff",
            b"zqword",
        ]
        .concat();
        for declared in [None, Some("iso-8859-1"), Some("utf-8"), Some("nonsense")] {
            let decoded = decode(&bytes, declared);
            assert!(
                decoded.text.starts_with("Grüße über Größe"),
                "{declared:?}: {}",
                decoded.text
            );
            assert!(
                decoded.text.ends_with("\u{FFFD}zqword"),
                "{declared:?}: {}",
                decoded.text
            );
            assert_eq!(decoded.defect.map(|defect| defect.code), code, "{declared:?}");
        }
        let (text, defects, searchability) = parse_text(&bytes);
        assert!(text.starts_with("Grüße") && defects[0].code == DefectCode::TextUndecodable);
        assert_eq!(searchability, Searchability::PartlyDecoding);
        // Many wrong bytes, and some that are right by chance, are another charset.
        let latin = [&b"Gr\xfc\xdfe \xfcber Gr\xf6\xdfe\n"[..], "é".as_bytes()].concat();
        assert!(decode(&latin, None).text.starts_with("Grüße"));
    }

    #[test]
    fn unknown_charset_is_detected_and_said() {
        check(
            "naïve".as_bytes(),
            Some("x-nonsense"),
            "naïve",
            Some(DefectCode::TextCharsetUnknown),
        );
        check(
            b"plain",
            Some("unknown-8bit"),
            "plain",
            Some(DefectCode::TextCharsetUnknown),
        );
    }

    #[test]
    fn a_stray_byte_in_good_text_is_replaced_not_reinterpreted() {
        let mut bytes = "äöü äöü äöü äöü äöü äöü".as_bytes().to_vec();
        bytes.push(0xff);
        let decoded = decode(&bytes, Some("utf-8"));
        assert!(decoded.text.starts_with("äöü") && decoded.text.ends_with('\u{FFFD}'));
        assert_eq!(
            decoded.defect.map(|defect| defect.code),
            Some(DefectCode::TextUndecodable)
        );
    }

    #[test]
    fn loose_text_is_read_with_and_without_marks() {
        assert_eq!(parse_text(b"\xEF\xBB\xBFabc").0, "abc");
        assert_eq!(parse_text(b"\xff\xfea\0b\0").0, "ab");
        let wide: Vec<u8> = "hello world, hello".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse_text(&wide).0, "hello world, hello");
        assert_eq!(parse_text("größe".as_bytes()).0, "größe");
        assert_eq!(parse_text(b"").2, Searchability::Empty);
        assert_eq!(parse_text(b"-- --").2, Searchability::NoText);
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}Grüße und Привет");
            for unit in [u32::to_le_bytes, u32::to_be_bytes] {
                let wide: Vec<u8> = text.chars().flat_map(|c| unit(u32::from(c))).collect();
                assert_eq!(parse_text(&wide).0, "Grüße und Привет", "{mark:?}");
            }
        }
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            let wide: Vec<u8> = "Добрый день, как дела?".encode_utf16().flat_map(unit).collect();
            assert_eq!(parse_text(&wide).0, "Добрый день, как дела?");
        }
        let russian = encoding_rs::WINDOWS_1251.encode("Привет, как дела у вас сегодня").0;
        let (text, defects, _) = parse_text(&russian);
        assert_eq!(text, "Привет, как дела у вас сегодня");
        assert_eq!(defects[0].detail, "no charset declared, read as windows-1251");
        assert!(parse_text(b"<html><body>a<b>b</b>c</body></html>").0.contains("abc"));
        for piece in [
            "<table><tr><td>fra<b>g</b></table>",
            "<P class=x>fra<b>g</b></P>",
            "<br/>frag",
            "\n<!-- x --><i>frag</i>",
        ] {
            assert_eq!(parse_text(piece.as_bytes()).0.trim(), "frag", "{piece}");
        }
        assert_eq!(
            parse_text(b"<someone@mail.example> wrote <b>").0,
            "<someone@mail.example> wrote <b>"
        );
        assert_eq!(parse_page(b"caf&eacute; <b>fra</b>g").0, "café frag");
    }
}
