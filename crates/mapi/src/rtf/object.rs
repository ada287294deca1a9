//! Pictures and objects inside rich text ([MS-OLEDS] section 2.2 for objects).

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A picture; its file extension.
    Picture(&'static str),
    /// A file that was put in with the packager.
    Package,
    /// The native data of an OLE object, often a compound file.
    Ole,
    /// `\objdata` that is no OLE 1 object: all its bytes.
    Unknown,
}

/// A picture or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Name of the file in a package, class of an object, else empty.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Hexadecimal digits, two a byte; anything else is passed over.
#[derive(Debug, Default)]
pub(super) struct Hexadecimal {
    pub(super) bytes: Vec<u8>,
    upper: Option<u8>,
}

impl Hexadecimal {
    pub(super) fn text(&mut self, text: &[u8]) {
        for digit in text.iter().filter_map(|byte| char::from(*byte).to_digit(16)) {
            let digit = digit as u8;
            match self.upper.take() {
                None => self.upper = Some(digit),
                Some(upper) => self.bytes.push(upper << 4 | digit),
            }
        }
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        self.upper = None;
        std::mem::take(&mut self.bytes)
    }
}

/// The object in the bytes of `\objdata`.
pub(super) fn of_data(data: Vec<u8>, class: &str) -> Object {
    match native(&data) {
        Some((own_class, bytes)) if own_class.eq_ignore_ascii_case("Package") => match package(bytes) {
            Some((name, content)) => Object {
                kind: ObjectKind::Package,
                name,
                bytes: content.to_vec(),
            },
            None => Object {
                kind: ObjectKind::Ole,
                name: own_class,
                bytes: bytes.to_vec(),
            },
        },
        Some((own_class, bytes)) => Object {
            kind: ObjectKind::Ole,
            name: own_class,
            bytes: bytes.to_vec(),
        },
        None => Object {
            kind: ObjectKind::Unknown,
            name: class.to_owned(),
            bytes: data,
        },
    }
}

/// [MS-OLEDS] sections 2.2.4 and 2.2.5: version, format 2 for an embedded object, class, topic, item, size, data.
fn native(data: &[u8]) -> Option<(String, &[u8])> {
    let mut at = 0;
    let word = |at: &mut usize| -> Option<usize> {
        let bytes = data.get(*at..at.checked_add(4)?)?;
        *at += 4;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    word(&mut at)?;
    if word(&mut at)? != 2 {
        return None;
    }
    let mut class = String::new();
    for part in 0..3 {
        let length = word(&mut at)?;
        let text = data.get(at..at.checked_add(length)?)?;
        if part == 0 {
            class = text
                .iter()
                .take_while(|byte| **byte != 0)
                .map(|byte| char::from(*byte))
                .collect();
        }
        at += length;
    }
    let length = word(&mut at)?;
    // A cut object is kept as far as it goes.
    let end = at.checked_add(length)?.min(data.len());
    Some((class, data.get(at..end)?))
}

/// The packager's data: label, path, both ended by NUL, then kind, path of the copy, size, content.
fn package(data: &[u8]) -> Option<(String, &[u8])> {
    let text = |at: &mut usize| -> Option<String> {
        let rest = data.get(*at..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        *at += end + 1;
        Some(rest[..end].iter().map(|byte| char::from(*byte)).collect())
    };
    let word = |at: &mut usize| -> Option<usize> {
        let bytes = data.get(*at..at.checked_add(4)?)?;
        *at += 4;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let mut at = 2;
    let label = text(&mut at)?;
    text(&mut at)?;
    at += 4;
    let length = word(&mut at)?;
    at = at.checked_add(length)?;
    let length = word(&mut at)?;
    let content = data.get(at..at.checked_add(length)?)?;
    Some((label, content))
}
