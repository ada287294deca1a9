//! Text of two or four bytes a character: told by its mark or by where its zeros stand, and mail that was saved so.
//!
//! Not for: UTF-16 that was declared ([`super::decode`]). Main functions: [`utf32`], [`unmarked_wide`], [`wide_mail`]. Invariant: pure over the bytes; what is not plainly
//! of this kind is none.

use std::borrow::Cow;

use embley_model::defect::{Defect, DefectCode};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::Decoded;

/// Bytes of a message in UTF-16, at most, that is read as one.
pub(crate) const MAX_WIDE_MAIL_BYTES: usize = 16 << 20;

/// A message that some program saved in UTF-16, mark first, as UTF-8. `None` for every other, and when its first lines are no header.
pub(crate) fn wide_mail(bytes: &[u8]) -> Option<String> {
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if !marked || bytes.len() > MAX_WIDE_MAIL_BYTES {
        return None;
    }
    let (encoding, skip) = Encoding::for_bom(bytes)?;
    let (text, _) = encoding.decode_without_bom_handling(&bytes[skip..]);
    crate::probe::begins_with_header(text.as_bytes()).then(|| text.into_owned())
}

/// How UTF-32 is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Utf32 {
    little: bool,
    skip: usize,
}

/// Tells UTF-32 (Unicode section 3.10) by its mark, or by zeros where no other text has them.
pub(crate) fn utf32(bytes: &[u8]) -> Option<Utf32> {
    let (little, skip) = match bytes {
        [0xff, 0xfe, 0, 0, ..] => (true, 4),
        [0, 0, 0xfe, 0xff, ..] => (false, 4),
        [first, _, _, 0, ..] if *first != 0 => (true, 0),
        [0, _, _, last, ..] if *last != 0 => (false, 0),
        _ => return None,
    };
    let sample = &bytes[skip..bytes.len().min(4096)];
    let units = sample.as_chunks::<4>().0;
    let letters = units.iter().filter(|unit| {
        let found = char::from_u32(if little {
            u32::from_le_bytes(**unit)
        } else {
            u32::from_be_bytes(**unit)
        });
        found.is_some_and(|c| !c.is_control() || c.is_ascii_whitespace())
    });
    let enough = units.len() >= if skip > 0 { 1 } else { 4 };
    (enough && letters.count() == units.len()).then_some(Utf32 { little, skip })
}

pub(super) fn decode_utf32(bytes: &[u8], how: Utf32) -> Decoded<'static> {
    let (units, rest) = bytes.get(how.skip..).unwrap_or_default().as_chunks::<4>();
    let mut lossy = !rest.is_empty();
    let mut text = String::with_capacity(units.len());
    for unit in units {
        let code = if how.little {
            u32::from_le_bytes(*unit)
        } else {
            u32::from_be_bytes(*unit)
        };
        let found = char::from_u32(code);
        lossy |= found.is_none();
        text.push(found.unwrap_or('\u{FFFD}'));
    }
    let mut decoded = Decoded::clean(Cow::Owned(text));
    if lossy {
        decoded.defect = Some(Defect::new(
            DefectCode::TextUndecodable,
            "read as UTF-32 with replacements",
        ));
        decoded.lossy = true;
    }
    decoded
}

/// UTF-16 without a mark in any script of few blocks: the upper bytes of its units are zero (blanks, digits, line ends) or one more value.
pub(crate) fn unmarked_wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    let pairs = sample.len() / 2;
    if pairs < 8 {
        return None;
    }
    [(UTF_16LE, 1), (UTF_16BE, 0)]
        .into_iter()
        .find_map(|(encoding, upper)| {
            let mut counts = [0_usize; 256];
            for byte in sample.iter().skip(upper).step_by(2) {
                counts[usize::from(*byte)] += 1;
            }
            let most = counts[1..].iter().max().copied().unwrap_or(0);
            if counts[0] == 0 || (counts[0] + most) * 20 < pairs * 19 {
                return None;
            }
            let text = encoding.decode_without_bom_handling_and_without_replacement(sample)?;
            let is_text =
                |c: &char| c.is_alphanumeric() || c.is_ascii_punctuation() || matches!(c, ' ' | '\t' | '\r' | '\n');
            let (all, read) = (text.chars().count(), text.chars().filter(is_text).count());
            (!text.contains('\0') && read * 10 >= all * 9).then_some(encoding)
        })
}
