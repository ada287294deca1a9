//! Writing.

use super::{Digest, Form, Held, Holding, Item, Key, MAGIC, VERSION};
use crate::property::{PropertyName, Value};

/// The bytes of an item.
pub fn write(item: &Item, form: Form) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.push(VERSION);
    out.push(match form {
        Form::Full => 0,
        Form::Identity => 1,
    });
    put_item(&mut out, item);
    out
}

/// The bytes of one value, for ordering.
pub(super) fn value_bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    put_value(&mut out, value);
    out
}

fn put_item(out: &mut Vec<u8>, item: &Item) {
    put_properties(out, &item.properties);
    put_count(out, item.recipients.len());
    for recipient in &item.recipients {
        put_properties(out, recipient);
    }
    put_count(out, item.attachments.len());
    for held in &item.attachments {
        put_held(out, held);
    }
}

fn put_held(out: &mut Vec<u8>, held: &Held) {
    put_properties(out, &held.properties);
    match &held.content {
        Holding::None => out.push(0),
        Holding::Bytes(digest) => {
            out.push(1);
            put_digest(out, digest);
        }
        Holding::Message(item) => {
            out.push(2);
            put_item(out, item);
        }
        Holding::Ole(digest) => {
            out.push(3);
            put_digest(out, digest);
        }
        Holding::TooLong(length) => {
            out.push(4);
            out.extend_from_slice(&length.to_le_bytes());
        }
    }
}

fn put_digest(out: &mut Vec<u8>, digest: &Digest) {
    out.extend_from_slice(&digest.hash);
    out.extend_from_slice(&digest.length.to_le_bytes());
}

fn put_properties(out: &mut Vec<u8>, properties: &[(Key, Value)]) {
    put_count(out, properties.len());
    for (key, value) in properties {
        match key {
            Key::Tag(tag) => {
                out.push(0);
                out.extend_from_slice(&tag.0.to_le_bytes());
            }
            Key::Named(named, kind) => {
                out.push(1);
                out.extend_from_slice(&named.set.0);
                match &named.name {
                    PropertyName::Number(number) => {
                        out.push(0);
                        out.extend_from_slice(&number.to_le_bytes());
                    }
                    PropertyName::Text(text) => {
                        out.push(1);
                        put_bytes(out, text.as_bytes());
                    }
                }
                out.extend_from_slice(&kind.to_le_bytes());
            }
        }
        put_value(out, value);
    }
}

/// A byte for the variant, then the value. The numbers of the variants never change.
fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Integer16(value) => put(out, 1, &value.to_le_bytes()),
        Value::Integer32(value) => put(out, 2, &value.to_le_bytes()),
        Value::Float32(value) => put(out, 3, &value.to_le_bytes()),
        Value::Float64(value) => put(out, 4, &value.to_le_bytes()),
        Value::Currency(value) => put(out, 5, &value.to_le_bytes()),
        Value::FloatingTime(value) => put(out, 6, &value.to_le_bytes()),
        Value::ErrorCode(value) => put(out, 7, &value.to_le_bytes()),
        Value::Boolean(value) => put(out, 8, &[u8::from(*value)]),
        Value::Integer64(value) => put(out, 9, &value.to_le_bytes()),
        Value::String8(bytes) => {
            out.push(10);
            put_bytes(out, bytes);
        }
        Value::Unicode(text) => {
            out.push(11);
            put_bytes(out, text.as_bytes());
        }
        Value::Time(value) => put(out, 12, &value.to_le_bytes()),
        Value::Guid(value) => put(out, 13, value),
        Value::Binary(bytes) => {
            out.push(14);
            put_bytes(out, bytes);
        }
        Value::Multiple(values) => {
            out.push(15);
            put_count(out, values.len());
            for value in values {
                put_value(out, value);
            }
        }
        Value::Unknown(bytes) => {
            out.push(16);
            put_bytes(out, bytes);
        }
    }
}

fn put(out: &mut Vec<u8>, variant: u8, bytes: &[u8]) {
    out.push(variant);
    out.extend_from_slice(bytes);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&(count as u64).to_le_bytes());
}
