//! Names of members: their charset, and paths that stay inside the container.
//!
//! Not for: writing files; nothing here touches a disk. Main functions: [`clean`], [`Charset::of`]. Invariant: a cleaned path has no leading separator, no
//! empty, `.` or `..` part, no NUL, and at most [`MAX_NAME_BYTES`]; what was changed is said.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use embley_model::defect::{Defect, DefectCode};
use encoding_rs::Encoding;

/// Longest path that is kept.
pub(super) const MAX_NAME_BYTES: usize = 4_096;
/// Bytes of names that a charset is told by.
const DETECT_BYTES: usize = 256 << 10;

/// A path that stays inside, and what had to be done for it.
pub(super) struct Cleaned {
    pub(super) path: Vec<u8>,
    pub(super) defects: Vec<Defect>,
}

/// Makes a stored path relative. `backslash`: it separates folders too.
pub(super) fn clean(stored: &[u8], backslash: bool) -> Cleaned {
    let mut defects = Vec::new();
    let mut path = Vec::with_capacity(stored.len().min(MAX_NAME_BYTES));
    let (mut odd_path, mut nul, mut long) = (false, false, false);
    let is_separator = |byte: &u8| *byte == b'/' || (backslash && *byte == b'\\');
    let mut rest = stored;
    if let [letter, b':', tail @ ..] = stored
        && letter.is_ascii_alphabetic()
        && tail.first().is_none_or(is_separator)
    {
        path.push(*letter);
        odd_path = true;
        rest = tail;
    } else if stored.first().is_some_and(is_separator) {
        odd_path = true;
    }
    for part in rest.split(is_separator) {
        match part {
            b"" | b"." => {}
            b".." => odd_path = true,
            _ => {
                if !path.is_empty() {
                    path.push(b'/');
                }
                for byte in part {
                    if *byte == 0 {
                        nul = true;
                        path.extend_from_slice(b"%00");
                    } else {
                        path.push(*byte);
                    }
                }
            }
        }
        if path.len() > MAX_NAME_BYTES {
            long = true;
            path.truncate(MAX_NAME_BYTES);
            drop_cut_part(&mut path);
            break;
        }
    }
    if odd_path {
        defects.push(Defect::new(
            DefectCode::ArchivePath,
            format!("stored as {}", quote(stored)),
        ));
    }
    if nul {
        defects.push(Defect::new(
            DefectCode::ArchiveName,
            format!("NUL in the name; stored as {}", quote(stored)),
        ));
    }
    if long {
        let text = format!("a name of {} bytes was cut", stored.len());
        defects.push(Defect::new(DefectCode::ArchiveName, text));
    }
    if path.is_empty() {
        defects.push(Defect::new(DefectCode::ArchiveName, "there is no name"));
    }
    Cleaned { path, defects }
}

/// Takes off what a cut made of the last part when it is no name: nothing, `.` or `..`.
fn drop_cut_part(path: &mut Vec<u8>) {
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    if matches!(&path[start..], b"" | b"." | b"..") {
        path.truncate(start.saturating_sub(1));
    }
}

/// A name in printable ASCII, other bytes as `%XX`; cut at 150 characters.
pub(super) fn quote(name: &[u8]) -> String {
    let mut out = String::new();
    for byte in name {
        if out.len() > 150 {
            out.push_str("...");
            break;
        }
        if byte.is_ascii_graphic() && *byte != b'%' || *byte == b' ' {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// How the names of one container without a word on their charset are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// The charset of DOS, which the format assumes (APPNOTE D.1).
    Cp437,
    /// Another one that fits better.
    Other(&'static Encoding),
}

impl Charset {
    /// The charset that fits all these names best.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        let (mut seen, mut all_utf8) = (0, true);
        let mut sample: Vec<u8> = Vec::new();
        for name in names.filter(|name| !name.is_ascii()) {
            all_utf8 &= std::str::from_utf8(name).is_ok();
            seen += name.len();
            detector.feed(name, false);
            detector.feed(b"\n", false);
            sample.extend_from_slice(name);
            sample.push(b'\n');
            if seen > DETECT_BYTES {
                break;
            }
        }
        if seen == 0 || all_utf8 {
            return Self::Other(encoding_rs::UTF_8);
        }
        detector.feed(b"", true);
        let guess = detector.guess(None, Utf8Detection::Deny);
        let decodes = !guess.decode_without_bom_handling(&sample).1;
        if !guess.is_single_byte() && decodes && !lonely(&sample, guess) {
            return Self::Other(guess);
        }
        // Letters of Western names lie low in DOS charsets and high in Windows ones.
        let high = sample.iter().filter(|byte| **byte >= 0xc0).count();
        let low = sample.iter().filter(|byte| matches!(**byte, 0x80..=0xa5)).count();
        if low >= high {
            return Self::Cp437;
        }
        if guess.is_single_byte() {
            Self::Other(guess)
        } else {
            Self::Other(encoding_rs::WINDOWS_1252)
        }
    }

    /// The name of the charset.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Cp437 => "cp437",
            Self::Other(encoding) => encoding.name(),
        }
    }

    /// The name in UTF-8, and whether all of it could be read.
    pub(super) fn decode(self, name: &[u8]) -> (String, bool) {
        match self {
            Self::Cp437 => (name.iter().map(|byte| cp437(*byte)).collect(), true),
            Self::Other(encoding) => {
                let (text, bad) = encoding.decode_without_bom_handling(name);
                (text.into_owned(), !bad)
            }
        }
    }
}

/// True when a charset of two bytes was told from single bytes between ASCII letters, which is how Western names look in any charset of one byte. Half of a
/// Japanese letter looks like ASCII in Shift_JIS, so there two such letters side by side are asked for.
fn lonely(sample: &[u8], guess: &'static Encoding) -> bool {
    if guess != encoding_rs::SHIFT_JIS {
        return !sample.windows(2).any(|pair| pair[0] >= 0x80 && pair[1] >= 0x80);
    }
    let (text, _) = guess.decode_without_bom_handling(sample);
    let mut before = false;
    !text.chars().any(|letter| {
        let japanese = matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9d}');
        std::mem::replace(&mut before, japanese) && japanese
    })
}

/// Code page 437 from 0x80 on (the Unicode Consortium's mapping `CP437.TXT`).
const CP437: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ",
    "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}"
);

fn cp437(byte: u8) -> char {
    if byte < 0x80 {
        return char::from(byte);
    }
    CP437
        .chars()
        .nth(usize::from(byte - 0x80))
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The bytes of a password in the charsets of old programs, UTF-8 first.
pub(super) fn password_forms(password: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![password.as_bytes().to_vec()];
    if !password.is_ascii() {
        let dos: Option<Vec<u8>> = password
            .chars()
            .map(|letter| {
                if letter.is_ascii() {
                    return u8::try_from(u32::from(letter)).ok();
                }
                let at = CP437.chars().position(|other| other == letter)?;
                u8::try_from(at + 0x80).ok()
            })
            .collect();
        forms.extend(dos);
        let (windows, _, lossy) = encoding_rs::WINDOWS_1252.encode(password);
        if !lossy {
            forms.push(windows.into_owned());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_clean(stored: &[u8], path: &[u8], codes: &[DefectCode]) {
        let cleaned = clean(stored, true);
        let found: Vec<DefectCode> = cleaned.defects.iter().map(|defect| defect.code).collect();
        assert_eq!((cleaned.path.as_slice(), found.as_slice()), (path, codes));
    }

    #[test]
    fn paths_stay_inside_and_what_was_changed_is_said() {
        use DefectCode::{ArchiveName, ArchivePath};
        check_clean(b"a/b.txt", b"a/b.txt", &[]);
        check_clean(b"./a//b.txt", b"a/b.txt", &[]);
        check_clean(b"../../etc/passwd", b"etc/passwd", &[ArchivePath]);
        check_clean(b"/etc/passwd", b"etc/passwd", &[ArchivePath]);
        check_clean(b"C:\\Users\\x.doc", b"C/Users/x.doc", &[ArchivePath]);
        check_clean(b"\\\\server\\share\\x", b"server/share/x", &[ArchivePath]);
        check_clean(b"a\\b", b"a/b", &[]);
        check_clean(b"a\0b", b"a%00b", &[ArchiveName]);
        check_clean(b"..", b"", &[ArchivePath, ArchiveName]);
        check_clean(b"a:b", b"a:b", &[]);
        assert_eq!(clean(b"a\\b", false).path, b"a\\b");
        assert_eq!(clean(&vec![b'x'; 100_000], false).path.len(), MAX_NAME_BYTES);
        // A cut makes no part that leads upwards, and no empty one.
        for (kept, tail) in [(1, "/cut"), (2, "/.cut"), (3, "/..cut")] {
            let whole = vec![b'x'; MAX_NAME_BYTES - kept];
            let long = [&whole[..], tail.as_bytes()].concat();
            assert_eq!(clean(&long, false).path, whole, "{tail}");
        }
    }

    #[test]
    fn charsets_of_old_names_are_told() {
        fn check(names: &[&[u8]], charset: &str, first: &str) {
            let found = Charset::of(names.iter().copied());
            assert_eq!((found.word(), found.decode(names[0]).0.as_str()), (charset, first));
        }
        check(&["Grüße.txt".as_bytes()], "UTF-8", "Grüße.txt");
        check(&[b"M\x81ller.txt", b"Gr\x94\xe1e.txt"], "cp437", "Müller.txt");
        check(&[b"M\xfcller.txt", b"\xc4rger.txt"], "windows-1252", "Müller.txt");
        let gbk = encoding_rs::GBK.encode("审计报告二零一八年.doc").0.into_owned();
        check(&[&gbk], "GBK", "审计报告二零一八年.doc");
        let sjis = encoding_rs::SHIFT_JIS.encode("テスト報告書について.txt").0.into_owned();
        check(&[&sjis], "Shift_JIS", "テスト報告書について.txt");
        let russian = encoding_rs::WINDOWS_1251.encode("Протокол допроса.doc").0.into_owned();
        check(&[&russian], "windows-1251", "Протокол допроса.doc");
        assert_eq!(CP437.chars().count(), 128);
    }

    #[test]
    fn passwords_beyond_ascii_are_tried_in_old_charsets_too() {
        assert_eq!(password_forms("abc").len(), 1);
        let forms = password_forms("straße");
        assert_eq!(forms[1], b"stra\xe1e");
        assert_eq!(forms[2], b"stra\xdfe");
    }
}
