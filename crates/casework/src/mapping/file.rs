//! The text of a map, read and checked. Every refusal names the input, the record and the field.

use std::collections::BTreeMap;

use embley_model::record::{FieldKind, RecordType};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::join::Join;
use super::rule::{Condition, FieldRule, Filling, RecordRule};
use super::template::Template;
use super::{Input, Mapping, date};

/// The formats of field maps that this program reads.
const FORMATS: [u32; 2] = [1, 2];

type Checked<T> = std::result::Result<T, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapFile {
    format: u32,
    name: String,
    #[serde(default)]
    about: String,
    source_system: Option<String>,
    #[serde(default = "semicolon")]
    list_separator: char,
    zone: Option<String>,
    #[serde(default)]
    dates: Vec<String>,
    #[serde(default)]
    empty: Vec<String>,
    #[serde(default)]
    words: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    key: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    input: Vec<InputFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputFile {
    name: String,
    #[serde(default)]
    files: Vec<String>,
    sheet: Option<String>,
    #[serde(default = "one")]
    header_row: u64,
    #[serde(default)]
    join: Vec<JoinFile>,
    #[serde(default)]
    record: Vec<RecordFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinFile {
    name: String,
    #[serde(default)]
    files: Vec<String>,
    sheet: Option<String>,
    #[serde(default = "one")]
    header_row: u64,
    key: String,
    on: String,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordFile {
    #[serde(rename = "type")]
    record_type: String,
    id: Option<String>,
    #[serde(default)]
    key: Vec<String>,
    #[serde(default)]
    when: Vec<WhenFile>,
    #[serde(default)]
    once: bool,
    fields: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhenFile {
    any: Option<Vec<String>>,
    column: Option<String>,
    is: Option<Vec<String>>,
    is_not: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    from: Option<String>,
    value: Option<Value>,
    objects: Option<Vec<BTreeMap<String, String>>>,
    #[serde(default)]
    dates: Vec<String>,
    zone: Option<String>,
    words: Option<String>,
    list: Option<char>,
}

fn semicolon() -> char {
    ';'
}

fn one() -> u64 {
    1
}

/// Reads a map.
pub(super) fn read(text: &str) -> Checked<Mapping> {
    let file: MapFile = toml::from_str(text).map_err(|cause| cause.to_string())?;
    if !FORMATS.contains(&file.format) {
        return Err(format!(
            "it has format {}, this program reads formats {} and {}",
            file.format, FORMATS[0], FORMATS[1]
        ));
    }
    if file.format == 1 && !file.input.is_empty() {
        return Err("inputs come with format 2".to_owned());
    }
    file.dates.iter().try_for_each(|format| date::check_format(format))?;
    let words: BTreeMap<_, _> = file
        .words
        .into_iter()
        .map(|(name, words)| (name, words.into_iter().map(|(from, to)| (fold(&from), to)).collect()))
        .collect();
    let mut map = Mapping {
        name: file.name,
        about: file.about,
        source_system: file.source_system.filter(|system| !system.trim().is_empty()),
        list_separator: file.list_separator,
        zone: file.zone.as_deref().map(zone).transpose()?,
        dates: file.dates,
        empty: file.empty,
        words,
        inputs: Vec::new(),
        key: keys(file.key)?,
    };
    for input in file.input {
        let name = input.name.clone();
        if map.inputs.iter().any(|known| known.name == name) {
            return Err(format!("two inputs are called \"{name}\""));
        }
        let input = self::input(input, &map).map_err(|why| format!("input \"{name}\": {why}"))?;
        map.inputs.push(input);
    }
    if !map.inputs.is_empty() && map.source_system.is_none() {
        return Err("it names no source_system".to_owned());
    }
    Ok(map)
}

/// A source word as vocabularies compare it.
pub(super) fn fold(word: &str) -> String {
    word.trim().to_lowercase()
}

fn keys(declared: BTreeMap<String, Vec<String>>) -> Checked<BTreeMap<RecordType, Vec<String>>> {
    let mut key = BTreeMap::new();
    for (word, columns) in declared {
        let record_type = record_type(&word)?;
        for column in &columns {
            if record_type.field(column).is_none() {
                return Err(format!("{word} has no field \"{column}\""));
            }
        }
        if columns.is_empty() {
            return Err(format!("the key of {word} has no column"));
        }
        key.insert(record_type, columns);
    }
    Ok(key)
}

fn record_type(word: &str) -> Checked<RecordType> {
    RecordType::from_word(word).ok_or_else(|| format!("record type \"{word}\" is not known"))
}

fn zone(name: &str) -> Checked<TimeZone> {
    TimeZone::get(name).map_err(|cause| format!("zone \"{name}\" is not known: {cause}"))
}

fn input(file: InputFile, map: &Mapping) -> Checked<Input> {
    if file.record.is_empty() {
        return Err("it gives no record".to_owned());
    }
    let mut input = Input {
        name: file.name,
        files: file.files,
        sheet: file.sheet,
        header_row: file.header_row.max(1),
        joins: Vec::new(),
        records: Vec::new(),
    };
    for join in file.join {
        if join.files.is_empty() && join.sheet.is_none() {
            return Err(format!("join \"{}\": it names neither files nor a sheet", join.name));
        }
        if join.name.contains('.') || input.joins.iter().any(|known| known.name == join.name) {
            return Err(format!("join \"{}\": a name has no dot and comes once", join.name));
        }
        input.joins.push(Join {
            key: Template::parse(&join.key)?,
            on: Template::parse(&join.on)?,
            name: join.name,
            files: join.files,
            sheet: join.sheet,
            header_row: join.header_row.max(1),
            optional: join.optional,
        });
    }
    for (at, record) in file.record.into_iter().enumerate() {
        let word = record.record_type.clone();
        let rule = rule(record, map).map_err(|why| format!("record {} ({word}): {why}", at + 1))?;
        input.records.push(rule);
    }
    Ok(input)
}

fn rule(file: RecordFile, map: &Mapping) -> Checked<RecordRule> {
    let record_type = record_type(&file.record_type)?;
    let mut fields = Vec::new();
    for (name, value) in file.fields {
        if ["record_type", "source_system", "record_id", "source_row", "raw"].contains(&name.as_str()) {
            return Err(format!("field {name} is not for maps; an id is given as `id` or `key`"));
        }
        let kind = record_type.field(&name);
        let rule = field(value, kind, map).map_err(|why| format!("field {name}: {why}"))?;
        fields.push((name, rule));
    }
    if file.id.is_none() && file.key.is_empty() {
        return Err("it has neither id nor key".to_owned());
    }
    let when = file.when.into_iter().map(condition).collect::<Checked<_>>()?;
    Ok(RecordRule {
        record_type,
        id: file.id.as_deref().map(Template::parse).transpose()?,
        key: file.key,
        when,
        once: file.once,
        fields,
    })
}

fn condition(file: WhenFile) -> Checked<Condition> {
    match (file.any, file.column, file.is, file.is_not) {
        (Some(columns), None, None, None) if !columns.is_empty() => Ok(Condition::Any(columns)),
        (None, Some(column), Some(words), None) => Ok(Condition::Is(column, words)),
        (None, Some(column), None, Some(words)) => Ok(Condition::IsNot(column, words)),
        _ => Err("when: give `any`, or `column` with `is` or `is_not`".to_owned()),
    }
}

fn field(value: toml::Value, kind: Option<FieldKind>, map: &Mapping) -> Checked<FieldRule> {
    let file = match value {
        toml::Value::String(text) => FieldFile {
            from: Some(text),
            value: None,
            objects: None,
            dates: Vec::new(),
            zone: None,
            words: None,
            list: None,
        },
        other => FieldFile::deserialize(other).map_err(|cause| cause.to_string())?,
    };
    file.dates.iter().try_for_each(|format| date::check_format(format))?;
    if let Some(words) = &file.words
        && !map.words.contains_key(words)
    {
        return Err(format!("there is no vocabulary \"{words}\""));
    }
    let filling = match (file.from, file.value, file.objects) {
        (Some(text), None, None) => Filling::Text(Template::parse(&text)?),
        (None, Some(value), None) => Filling::Constant(value),
        (None, None, Some(objects)) => {
            let mut all = Vec::new();
            for object in objects {
                let mut members = Vec::new();
                for (name, text) in object {
                    members.push((name, member(&text)?));
                }
                all.push(members);
            }
            Filling::Objects(all)
        }
        _ => return Err("give one of `from`, `value`, `objects`".to_owned()),
    };
    Ok(FieldRule {
        filling,
        kind,
        dates: file.dates,
        zone: file.zone.as_deref().map(zone).transpose()?,
        words: file.words,
        list: file.list,
    })
}

/// A member of an object: a text with braces is made of columns, another one is a constant.
fn member(text: &str) -> Checked<Template> {
    if text.contains(['{', '}']) {
        return Template::parse(text);
    }
    Ok(Template::constant(text))
}
