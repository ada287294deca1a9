//! Code pages: from a Windows code page number, language or RTF character set to text.
//!
//! Not for: which page a message is in (module `strings`). Main function: [`decode`]. Invariant: nothing is lost silently; the answer
//! says whether a byte had no character in that page.

use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS};

/// Number of UTF-8.
pub const UTF_8: u32 = 65001;
/// Number of Western European Windows.
pub const WESTERN: u32 = 1252;
/// Number of ASCII.
pub const ASCII: u32 = 20127;

/// Text of bytes in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text; bytes without a character became U+FFFD, or a C1 control.
    pub text: String,
    /// True when every byte had a printable meaning in the page.
    pub clean: bool,
}

/// Decodes bytes of a page; `None` when the page is not known here. A byte order mark is not looked at.
pub fn decode(page: u32, bytes: &[u8]) -> Option<Decoded> {
    match page {
        437 => Some(by_table(PAGE_437, bytes)),
        850 | 858 => Some(by_table(PAGE_850, bytes)),
        852 => Some(by_table(PAGE_852, bytes)),
        ASCII => {
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes);
            Some(Decoded {
                text: text.into_owned(),
                clean: bytes.is_ascii(),
            })
        }
        65000 => Some(utf7(bytes)),
        other => {
            let encoding = encoding(other)?;
            let (text, broken) = encoding.decode_without_bom_handling(bytes);
            let text = text.into_owned();
            // The Windows pages give unassigned bytes the C1 control of the same number.
            let clean = !broken && !text.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c));
            Some(Decoded { text, clean })
        }
    }
}

/// True when [`decode`] knows the page.
pub fn is_known(page: u32) -> bool {
    matches!(page, 437 | 850 | 852 | 858 | ASCII | 65000) || encoding(page).is_some()
}

/// True when a character of the page can take more than one byte.
pub fn is_multi_byte(page: u32) -> bool {
    matches!(
        page,
        932 | 936 | 949 | 950 | 951 | 10001 | 10002 | 10003 | 10008 | 20932 | 20936 | 20949 | 51949 | 54936 | UTF_8
    ) || (50220..=50229).contains(&page)
        || (51932..=51950).contains(&page)
}

/// The number of an encoding that was detected.
pub(crate) fn of_encoding(encoding: &'static Encoding) -> u32 {
    codepage::from_encoding(encoding).map_or(WESTERN, u32::from)
}

/// The encoding of a page. Pages of the Macintosh for Chinese, Japanese and Korean are read as their Windows neighbours, of which
/// they are dialects.
fn encoding(page: u32) -> Option<&'static Encoding> {
    match page {
        10001 => Some(SHIFT_JIS),
        10002 => Some(BIG5),
        10003 => Some(EUC_KR),
        10008 => Some(GBK),
        51932 => Some(encoding_rs::EUC_JP),
        other => {
            let found = codepage::to_encoding(u16::try_from(other).ok()?)?;
            (found != encoding_rs::REPLACEMENT).then_some(found)
        }
    }
}

/// The ANSI page of a language ([MS-LCID] and the national language support tables), `None` when it has none or is not known.
pub fn of_language(lcid: u32) -> Option<u32> {
    let page = match lcid & 0xFFFF {
        0x0404 | 0x0C04 | 0x1404 | 0x7C04 => 950,
        0x0C1A | 0x1C1A | 0x201A | 0x281A | 0x301A | 0x082C | 0x0843 => 1251,
        language => match language & 0x3FF {
            0x01 | 0x20 | 0x29 => 1256,
            0x02 | 0x19 | 0x22 | 0x23 | 0x2F | 0x3F | 0x40 | 0x44 | 0x50 => 1251,
            0x04 => 936,
            0x05 | 0x0E | 0x15 | 0x18 | 0x1A | 0x1B | 0x1C | 0x24 => 1250,
            0x08 => 1253,
            0x0D => 1255,
            0x11 => 932,
            0x12 => 949,
            0x1E => 874,
            0x1F | 0x2C | 0x43 => 1254,
            0x25..=0x27 => 1257,
            0x2A => 1258,
            0x03 | 0x06 | 0x07 | 0x09 | 0x0A | 0x0B | 0x0C | 0x0F | 0x10 | 0x13 | 0x14 | 0x16 | 0x1D | 0x21 | 0x2D
            | 0x36 | 0x38 | 0x3E | 0x41 | 0x56 => WESTERN,
            _ => return None,
        },
    };
    Some(page)
}

/// The page of an RTF character set (`\fcharset`; RTF 1.9.1, font table), `None` for the default and for symbols.
pub fn of_rtf_charset(charset: i32) -> Option<u32> {
    let page = match charset {
        0 => WESTERN,
        77 => 10000,
        78 => 10001,
        79 => 10003,
        80 => 10008,
        81 => 10002,
        89 => 10007,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178..=180 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        254 => 437,
        255 => 850,
        _ => return None,
    };
    Some(page)
}

fn by_table(table: &str, bytes: &[u8]) -> Decoded {
    let high: Vec<char> = table.chars().collect();
    let text = bytes
        .iter()
        .map(|byte| match byte.checked_sub(128) {
            None => char::from(*byte),
            Some(at) => high.get(usize::from(at)).copied().unwrap_or('\u{fffd}'),
        })
        .collect();
    Decoded { text, clean: true }
}

/// UTF-7 (RFC 2152): runs of modified base 64 of UTF-16 between `+` and anything that is not base 64.
fn utf7(bytes: &[u8]) -> Decoded {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    let mut clean = true;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        if *byte != b'+' {
            clean &= byte.is_ascii();
            units.push(u16::from(*byte));
            continue;
        }
        if bytes.get(at) == Some(&b'-') {
            at += 1;
            units.push(u16::from(b'+'));
            continue;
        }
        let (mut bits, mut count) = (0_u32, 0_u32);
        while let Some(value) = bytes.get(at).copied().and_then(sextet) {
            at += 1;
            bits = (bits << 6) | u32::from(value);
            count += 6;
            if count >= 16 {
                count -= 16;
                units.push((bits >> count) as u16);
                bits &= (1 << count) - 1;
            }
        }
        clean &= bits == 0 && count < 6;
        if bytes.get(at) == Some(&b'-') {
            at += 1;
        }
    }
    let text = String::from_utf16_lossy(&units);
    clean &= !text.contains('\u{fffd}');
    Decoded { text, clean }
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Characters 0x80 to 0xFF of page 437 (Unicode Consortium mapping table `CP437.TXT`).
const PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
/// Characters 0x80 to 0xFF of page 850 (Unicode Consortium mapping table `CP850.TXT`).
const PAGE_850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";
/// Characters 0x80 to 0xFF of page 852 (Unicode Consortium mapping table `CP852.TXT`).
const PAGE_852: &str = "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×č\
áíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐\
└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀\
ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: u32, bytes: &[u8], text: &str) {
        assert_eq!(
            decode(page, bytes),
            Some(Decoded {
                text: text.to_owned(),
                clean: true
            }),
            "page {page}"
        );
    }

    #[test]
    fn pages_of_the_dos_years() {
        for table in [PAGE_437, PAGE_850, PAGE_852] {
            assert_eq!(table.chars().count(), 128);
        }
        check(437, b"\x80\x9c\xe3", "Ç£π");
        check(850, b"\xe7\x9d", "þØ");
        check(852, b"\xfd\x9f", "řč");
    }

    #[test]
    fn pages_of_windows() {
        check(1250, b"\xec\x9a", "ěš");
        check(1251, b"\xcf\xf0", "Пр");
        check(932, b"\x83e\x83X", "テス");
        check(949, b"\xc7\xd1", "한");
        check(20127, b"abc", "abc");
        assert!(!decode(20127, b"\xe9").expect("known").clean);
        assert!(!decode(1252, b"\x81").expect("known").clean);
        assert!(!decode(932, b"\x83").expect("known").clean);
        assert_eq!(decode(12345, b"a"), None);
    }

    #[test]
    fn utf7_of_the_rfc() {
        check(65000, b"A+ImIDkQ.", "A\u{2262}\u{391}.");
        check(65000, b"Hi Mom +Jjo--!", "Hi Mom \u{263a}-!");
        check(65000, b"1 +- 1", "1 + 1");
    }

    #[test]
    fn languages() {
        assert_eq!(of_language(1031), Some(1252));
        assert_eq!(of_language(0x0404), Some(950));
        assert_eq!(of_language(0x0804), Some(936));
        assert_eq!(of_language(1049), Some(1251));
        assert_eq!(of_language(0x1_0411), Some(932));
        assert_eq!(of_language(0), None);
    }
}
