//! Maildir and Maildir++: which folders are mail folders, what they are called, and the flags in file names.
//!
//! Not for: reading mail. Sources: cr.yp.to/proto/maildir.html; the Maildir++ page of Courier; RFC 3501 section 5.1.3 for
//! the names. Invariant: pure over names.
//!
//! A folder is a mail folder when it has `cur` and one of `new` and `tmp`, or a `cur` with flags in its file names (the
//! copies of some tools leave out empty folders). The topmost one is `INBOX` when it is the root of the walk, is called
//! `Maildir`, or has sub-folders that begin with a dot; else it is called by its own name, as in the trees that mutt and
//! others keep. A mail folder below another one is called by the path between them; a part `.A.B` stands for `A/B`.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Place;

/// The three folders of a mail folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Corner {
    Cur,
    New,
    Tmp,
}

impl Corner {
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"cur" => Some(Self::Cur),
            b"new" => Some(Self::New),
            b"tmp" => Some(Self::Tmp),
            _ => None,
        }
    }
}

/// A folder that was recognised as a Maildir.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mailfolder {
    name: String,
}

impl Mailfolder {
    /// Looks at the names of the folders in a folder. `prefix` is its path below the root with a slash at the end, `top` that of the
    /// topmost mail folder above it.
    pub(super) fn recognise<'a>(
        prefix: &[u8],
        top: Option<&[u8]>,
        folders: impl Iterator<Item = &'a [u8]>,
    ) -> Option<Self> {
        let (mut cur, mut other, mut dotted) = (false, false, false);
        for name in folders {
            match Corner::of(name) {
                Some(Corner::Cur) => cur = true,
                Some(Corner::New | Corner::Tmp) => other = true,
                None => dotted |= name.first() == Some(&b'.'),
            }
        }
        (cur && other).then(|| Self {
            name: folder_name(prefix, top, dotted),
        })
    }

    /// What a folder of this name is in it, with the mail folder's name.
    pub(super) fn corner(&self, name: &[u8]) -> Option<(Corner, String)> {
        Corner::of(name).map(|corner| (corner, self.name.clone()))
    }
}

/// The name of a mail folder.
pub(super) fn folder_name(prefix: &[u8], top: Option<&[u8]>, dotted: bool) -> String {
    let path = prefix.strip_suffix(b"/").unwrap_or(prefix);
    let Some(top) = top else {
        let own = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let is_root = own.is_empty() || own.eq_ignore_ascii_case(b"maildir") || own.eq_ignore_ascii_case(b".maildir");
        return if is_root || dotted { "INBOX".into() } else { decode(own) };
    };
    let mut name = String::new();
    for part in path.get(top.len()..).unwrap_or_default().split(|byte| *byte == b'/') {
        let parts = part.strip_prefix(b".");
        let dots = parts.is_some();
        for piece in parts.unwrap_or(part).split(|byte| dots && *byte == b'.') {
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(&decode(piece));
        }
    }
    name
}

/// A single file given as the source: its place when it lies in `cur` or `new` beside the other one.
pub(super) fn place_of_file(file: &Path) -> Place {
    let corner = file
        .parent()
        .and_then(|folder| folder.file_name())
        .and_then(|name| Corner::of(name.as_bytes()));
    let name = file.file_name().map(|name| name.as_bytes()).unwrap_or_default();
    match corner {
        Some(corner @ (Corner::Cur | Corner::New)) if has_info(name) => Place::Maildir {
            folder: "INBOX".into(),
            flags: flags(name),
            is_new: corner == Corner::New,
        },
        _ => Place::Loose,
    }
}

/// Where the information of a Maildir file name begins: after `:2,`, or what other systems write for the colon.
fn info(name: &[u8]) -> Option<&[u8]> {
    let at = name
        .windows(3)
        .rposition(|mark| matches!(mark, [b':' | b';' | b'!', b'2', b',']))?;
    Some(&name[at + 3..])
}

/// True when a file name has the mark of Maildir information.
pub(super) fn has_info(name: &[u8]) -> bool {
    info(name).is_some()
}

/// The flags of a file name; letters only, empty when there are none.
pub(super) fn flags(name: &[u8]) -> String {
    let letters = info(name)
        .unwrap_or_default()
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .take(64);
    letters.map(|byte| char::from(*byte)).collect()
}

/// A folder name from modified UTF-7 (RFC 3501 section 5.1.3); what is not valid in it is taken as UTF-8.
fn decode(name: &[u8]) -> String {
    decode_modified_utf7(name).unwrap_or_else(|| String::from_utf8_lossy(name).into_owned())
}

fn decode_modified_utf7(name: &[u8]) -> Option<String> {
    let mut out = String::new();
    let mut rest = name;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'&' => {
                let end = rest.iter().position(|byte| *byte == b'-')?;
                let (coded, after) = rest.split_at(end);
                rest = &after[1..];
                if coded.is_empty() {
                    out.push('&');
                } else {
                    out.push_str(&decode_run(coded)?);
                }
            }
            0x20..=0x7e => out.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(out)
}

/// UTF-16 in base 64 with `,` for `/` and no padding.
fn decode_run(coded: &[u8]) -> Option<String> {
    let (mut bits, mut count) = (0u32, 0);
    let mut bytes = Vec::new();
    for byte in coded {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b',' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    (bytes.len() % 2 == 0)
        .then(|| String::from_utf16(&units).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_in_each_spelling() {
        for (name, expected) in [
            ("1.x:2,FRS", "FRS"),
            ("1.x,S=12:2,", ""),
            ("1.x;2,S", "S"),
            ("1.x!2,Sab", "Sab"),
            ("1.x", ""),
            ("1:2,R:2,S", "S"),
            ("1.x:2,S.bak", "S"),
        ] {
            assert_eq!(flags(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn folders_are_named_by_their_place() {
        let name =
            |prefix: &str, top: Option<&str>, dotted| folder_name(prefix.as_bytes(), top.map(str::as_bytes), dotted);
        assert_eq!(name("", None, false), "INBOX");
        assert_eq!(name("john/Maildir/", None, false), "INBOX");
        assert_eq!(name("john/", None, true), "INBOX");
        assert_eq!(name("Mail/sent/", None, false), "sent");
        assert_eq!(name(".A.B/", Some(""), false), "A/B");
        assert_eq!(name("john/Maildir/.A.B/", Some("john/Maildir/"), false), "A/B");
        assert_eq!(name("m/Work/2019/", Some("m/"), false), "Work/2019");
        assert_eq!(name(".Entw&APw-rfe/", Some(""), false), "Entwürfe");
        assert_eq!(name(".R&-D/", Some(""), false), "R&D");
        assert_eq!(name(".bro&ken/", Some(""), false), "bro&ken");
        assert_eq!(name(".Größe/", Some(""), false), "Größe");
    }

    #[test]
    fn cur_alone_is_no_mail_folder_but_with_new_or_tmp_it_is() {
        let check =
            |names: &[&str]| Mailfolder::recognise(b"", None, names.iter().map(|name| name.as_bytes())).is_some();
        assert!(check(&["cur", "new", "tmp"]) && check(&["cur", "new"]) && check(&["tmp", "cur"]));
        assert!(!check(&["cur"]) && !check(&["new", "tmp"]) && !check(&[]));
    }
}
