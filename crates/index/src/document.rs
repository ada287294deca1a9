//! One item as the index takes it, and its hand-over to the engine without copies a token.

use embley_model::address::Address;
use embley_model::field::{Field, Home};
use embley_model::item::ItemKind;
use tantivy::schema::Field as Physical;
use tantivy::schema::document::{Document, ReferenceValue, ReferenceValueLeaf, Value};

use crate::analysis::{Tokens, fold_keyword};
use crate::error::{IndexError, Result};
use crate::schema::IndexSchema;

/// One item to index.
///
/// A text field may stand at most once in `texts` (its parts joined with [`Tokens::gap`]); a keyword field
/// any number of times. The word of `kind` is added to `type` by itself.
#[derive(Clone, Debug)]
pub struct IndexDoc {
    /// The item's number; within one segment they increase.
    pub item_no: u32,
    /// What it is.
    pub kind: ItemKind,
    /// Seconds UTC; `None` for undated items.
    pub date: Option<i64>,
    /// Other date fields, seconds UTC; each at most once.
    pub dates: Vec<(Field, i64)>,
    /// Size of the original in bytes.
    pub size: u64,
    /// Text fields.
    pub texts: Vec<(Field, Tokens)>,
    /// Keyword fields; values are folded here.
    pub keywords: Vec<(Field, String)>,
    senders: Vec<String>,
    recipients: Vec<String>,
}

impl IndexDoc {
    /// An item without any text.
    pub fn new(item_no: u32, kind: ItemKind) -> Self {
        Self {
            item_no,
            kind,
            date: None,
            dates: Vec::new(),
            size: 0,
            texts: Vec::new(),
            keywords: Vec::new(),
            senders: Vec::new(),
            recipients: Vec::new(),
        }
    }

    /// Adds the addresses of a role: their words to the field's text, the whole addresses to what items are counted by. A role without any is left
    /// out.
    pub fn people<'a>(&mut self, role: Field, addresses: impl IntoIterator<Item = &'a Address>) {
        let mut tokens = Tokens::new();
        let counted = if role == Field::From {
            &mut self.senders
        } else {
            &mut self.recipients
        };
        for address in addresses {
            let whole = tokens.address(address);
            if !whole.is_empty() {
                counted.push(whole);
            }
        }
        // An item counts once with each; lists of thousands of recipients are met.
        counted.sort_unstable();
        counted.dedup();
        if !tokens.is_empty() {
            self.texts.push((role, tokens));
        }
    }
}

/// The same in the engine's terms, with buffers that are used again for the next item.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    values: Vec<(Physical, OwnedValue)>,
    spare: Vec<String>,
}

#[derive(Debug)]
enum OwnedValue {
    Text(String),
    U64(u64),
    I64(i64),
}

impl Prepared {
    /// Takes over one item.
    ///
    /// # Errors
    /// [`IndexError::FieldMisuse`] when a field is no text or keyword field, or a text field stands twice.
    /// The content is then undefined until the next call.
    pub(crate) fn fill(&mut self, schema: &IndexSchema, doc: &IndexDoc) -> Result<()> {
        for (_, value) in self.values.drain(..) {
            if let OwnedValue::Text(text) = value {
                self.spare.push(text);
            }
        }
        self.values.push((schema.item, OwnedValue::U64(u64::from(doc.item_no))));
        if let Some(date) = doc.date {
            self.column(schema, Field::Date, OwnedValue::I64(date))?;
        }
        for (at, (field, date)) in doc.dates.iter().enumerate() {
            if *field == Field::Date || doc.dates[..at].iter().any(|(earlier, _)| earlier == field) {
                return Err(misuse(*field, "twice in one item"));
            }
            if field.home() != Home::Date {
                return Err(misuse(*field, "as a date field"));
            }
            self.column(schema, *field, OwnedValue::I64(*date))?;
        }
        self.column(schema, Field::Size, OwnedValue::U64(doc.size))?;
        for (at, (field, tokens)) in doc.texts.iter().enumerate() {
            if field.home() != Home::Text {
                return Err(misuse(*field, "as a text field"));
            }
            if doc.texts[..at].iter().any(|(earlier, _)| earlier == field) {
                return Err(misuse(*field, "twice in one item"));
            }
            if !tokens.is_empty() {
                self.text(schema, *field, tokens.as_indexed())?;
            }
        }
        self.text(schema, Field::Type, doc.kind.word())?;
        for (field, value) in &doc.keywords {
            if field.home() != Home::Keyword {
                return Err(misuse(*field, "as a keyword field"));
            }
            let value = fold_keyword(value);
            if !value.is_empty() {
                self.text(schema, *field, &value)?;
            }
        }
        for (physical, addresses) in [(schema.sender, &doc.senders), (schema.recipient, &doc.recipients)] {
            for address in addresses {
                self.put(physical, address);
            }
        }
        Ok(())
    }

    fn column(&mut self, schema: &IndexSchema, field: Field, value: OwnedValue) -> Result<()> {
        let physical = schema.physical(field).ok_or_else(|| misuse(field, "as a column"))?;
        self.values.push((physical, value));
        Ok(())
    }

    fn text(&mut self, schema: &IndexSchema, field: Field, text: &str) -> Result<()> {
        let physical = schema.physical(field).ok_or_else(|| misuse(field, "in the index"))?;
        self.put(physical, text);
        Ok(())
    }

    fn put(&mut self, physical: Physical, text: &str) {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.push_str(text);
        self.values.push((physical, OwnedValue::Text(buffer)));
    }
}

fn misuse(field: Field, use_as: &'static str) -> IndexError {
    IndexError::FieldMisuse {
        field: field.name(),
        use_as,
    }
}

/// A value lent to the engine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lent<'a> {
    Text(&'a str),
    U64(u64),
    I64(i64),
}

impl<'a> Value<'a> for Lent<'a> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = std::iter::Empty<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(match self {
            Lent::Text(text) => ReferenceValueLeaf::Str(text),
            Lent::U64(value) => ReferenceValueLeaf::U64(*value),
            Lent::I64(value) => ReferenceValueLeaf::I64(*value),
        })
    }
}

/// The engine takes documents by value and asks for `'static`; a counted pointer gives the buffers back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(pub(crate) std::sync::Arc<Prepared>);

impl Document for Shared {
    type Value<'a> = Lent<'a>;
    type FieldsValuesIter<'a> = FieldsValues<'a>;

    fn iter_fields_and_values(&self) -> FieldsValues<'_> {
        FieldsValues(self.0.values.iter())
    }
}

/// Iterator over the values of one item.
pub(crate) struct FieldsValues<'a>(std::slice::Iter<'a, (Physical, OwnedValue)>);

impl<'a> Iterator for FieldsValues<'a> {
    type Item = (Physical, Lent<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(field, value)| {
            let lent = match value {
                OwnedValue::Text(text) => Lent::Text(text),
                OwnedValue::U64(value) => Lent::U64(*value),
                OwnedValue::I64(value) => Lent::I64(*value),
            };
            (*field, lent)
        })
    }
}
