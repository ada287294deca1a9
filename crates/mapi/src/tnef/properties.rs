//! Lists of properties in TNEF ([MS-OXTNEF] section 2.1.3.4): a count, then type, identifier, name and value of each.
//!
//! Invariant: a count is believed only as far as there are bytes; after a type of unknown size nothing more can be read, and that is said.

use std::collections::HashMap;

use embley_model::defect::{Defect, DefectCode};

use crate::property::{MULTIPLE, NamedProperty, Properties, PropertyKind, PropertyName, PropertySet, Tag, Value};

/// Reads one list.
pub(super) fn read(data: &[u8], out: &mut Properties, defects: &mut Vec<Defect>) {
    let mut input = Input { data, at: 0 };
    if let Err(why) = read_list(&mut input, out, defects) {
        cut(why, &input, defects);
    }
}

/// Reads a table of lists, one a recipient ([MS-OXTNEF] section 2.1.3.5.1).
pub(super) fn read_table(data: &[u8], rows: &mut Vec<Properties>, defects: &mut Vec<Defect>) {
    let mut input = Input { data, at: 0 };
    let Ok(count) = input.word() else {
        cut("no count", &input, defects);
        return;
    };
    for _ in 0..count {
        let mut row = Properties::default();
        let outcome = read_list(&mut input, &mut row, defects);
        if !row.is_empty() {
            rows.push(row);
        }
        if let Err(why) = outcome {
            cut(why, &input, defects);
            return;
        }
    }
}

fn cut(why: &str, input: &Input<'_>, defects: &mut Vec<Defect>) {
    let detail = format!(
        "list of properties: {why} at {} of {} bytes",
        input.at,
        input.data.len()
    );
    defects.push(Defect::new(DefectCode::MapiStructure, detail));
}

fn read_list(input: &mut Input<'_>, out: &mut Properties, defects: &mut Vec<Defect>) -> Result<(), &'static str> {
    let count = input.word()?;
    let mut moved = Moved::default();
    for _ in 0..count {
        let tag = Tag(input.word()?);
        let name = if tag.is_named() { Some(input.name()?) } else { None };
        let multiple = tag.kind_bits() & MULTIPLE != 0;
        let Some(kind) = PropertyKind::of_bits(tag.kind_bits() & !MULTIPLE) else {
            let detail = format!("{:08X}: type of unknown size", tag.0);
            defects.push(Defect::new(DefectCode::MapiProperty, detail));
            return Err("a type of unknown size");
        };
        let value = input.value(kind, multiple);
        let (value, outcome) = match value {
            Ok(value) => (value, Ok(())),
            // The beginning of a value that is cut is kept as what it is: bytes.
            Err((Some(part), why)) => (Value::Unknown(part), Err(why)),
            Err((None, why)) => return Err(why),
        };
        let tag = match name {
            Some(name) => Tag(u32::from(moved.place(out, tag, name)) << 16 | u32::from(tag.kind_bits())),
            None => tag,
        };
        out.insert(tag, value);
        outcome?;
    }
    Ok(())
}

/// Names whose identifier stood for another name already.
struct Moved {
    ids: HashMap<NamedProperty, u16>,
    /// Where the search for a free identifier goes on, downwards.
    next: u16,
}

impl Default for Moved {
    fn default() -> Self {
        Self {
            ids: HashMap::new(),
            next: 0xFFFE,
        }
    }
}

impl Moved {
    /// The identifier for a name: its own, or a free one when that stands for another name. With none free left its own again, and the
    /// first name stays.
    fn place(&mut self, out: &mut Properties, tag: Tag, name: NamedProperty) -> u16 {
        let own = tag.id();
        match out.name_of(own) {
            Some(known) if *known != name => {}
            Some(_) => return own,
            None => {
                out.name(own, name);
                return own;
            }
        }
        if let Some(id) = self.ids.get(&name) {
            return *id;
        }
        while self.next >= 0x8000 && out.name_of(self.next).is_some() {
            self.next -= 1;
        }
        if self.next < 0x8000 {
            return own;
        }
        out.name(self.next, name.clone());
        self.ids.insert(name, self.next);
        self.next
    }
}

struct Input<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let end = self.at.checked_add(count).ok_or("cut")?;
        let bytes = self.data.get(self.at..end).ok_or("cut")?;
        self.at = end;
        Ok(bytes)
    }

    fn word(&mut self) -> Result<u32, &'static str> {
        let bytes = self.bytes(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// Values begin at multiples of four; the last may lack its padding.
    fn align(&mut self) {
        self.at = self.at.next_multiple_of(4).min(self.data.len());
    }

    fn name(&mut self) -> Result<NamedProperty, &'static str> {
        let set = PropertySet(self.bytes(16)?.try_into().map_err(|_| "cut")?);
        let name = match self.word()? {
            0 => PropertyName::Number(self.word()?),
            1 => {
                let length = usize::try_from(self.word()?).map_err(|_| "cut")?;
                let value = PropertyKind::Unicode.decode(self.bytes(length)?);
                self.align();
                match value {
                    Some(Value::Unicode(text)) => PropertyName::Text(text),
                    _ => return Err("a name that is no text"),
                }
            }
            _ => return Err("a name of unknown kind"),
        };
        Ok(NamedProperty { set, name })
    }

    /// A value, or the beginning of one that is cut.
    fn value(&mut self, kind: PropertyKind, multiple: bool) -> Result<Value, (Option<Vec<u8>>, &'static str)> {
        let plain = |why| (None, why);
        if let Some(width) = kind.fixed_bytes() {
            let count = if multiple { self.word().map_err(plain)? } else { 1 };
            let mut values = Vec::new();
            for _ in 0..count {
                let bytes = self.bytes(width).map_err(plain)?;
                self.align();
                values.extend(kind.decode(bytes));
                if width == 0 {
                    break;
                }
            }
            return match (multiple, values.pop()) {
                (false, Some(value)) => Ok(value),
                (false, None) => Err((None, "a value of no bytes")),
                (true, last) => {
                    values.extend(last);
                    Ok(Value::Multiple(values))
                }
            };
        }
        let count = self.word().map_err(plain)?;
        let mut values = Vec::new();
        for _ in 0..count {
            let length = self.word().map_err(plain)?;
            let bytes = match usize::try_from(length)
                .map_err(|_| "cut")
                .and_then(|length| self.bytes(length))
            {
                Ok(bytes) => bytes,
                Err(why) => return Err((Some(self.data[self.at..].to_vec()), why)),
            };
            self.align();
            values.extend(kind.decode(bytes));
        }
        if multiple {
            return Ok(Value::Multiple(values));
        }
        match values.len() {
            0 => kind.decode(&[]).ok_or((None, "a value of no bytes")),
            _ => Ok(values.swap_remove(0)),
        }
    }
}
