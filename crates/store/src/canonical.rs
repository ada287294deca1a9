//! JSON in one spelling only: RFC 8785 (JCS), for values without fractions.
//!
//! Members sorted by name as UTF-16, no white space, strings escaped only where JSON demands it. Main function: [`canonical`]. Invariant:
//! values that are equal as data give equal bytes; what has no such spelling here (numbers that are not whole, or beyond 2^53) is refused.

use std::fmt::Write;

use serde_json::Value;

/// The largest whole number that every reader of JSON keeps exactly (RFC 7493).
const LARGEST: u64 = 1 << 53;

/// The canonical text of a value; nothing when it has a number that is not whole or too large.
pub fn canonical(value: &Value) -> Option<String> {
    let mut out = String::new();
    write_value(value, &mut out)?;
    Some(out)
}

/// `serde_json` parses at most 128 levels, so this cannot go deeper.
fn write_value(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            let whole = number.as_i64().filter(|whole| whole.unsigned_abs() <= LARGEST)?;
            write!(out, "{whole}").ok()?;
        }
        Value::String(text) => write_string(text, out),
        Value::Array(values) => {
            out.push('[');
            for (position, value) in values.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_value(value, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_by(|(one, _), (two, _)| one.encode_utf16().cmp(two.encode_utf16()));
            out.push('{');
            for (position, (name, value)) in sorted.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write_value(value, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                let _: std::fmt::Result = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_and_strings_escaped_as_the_standard_says() {
        let value = json!({"b": [1, -2, true, null], "a": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "": {}});
        assert_eq!(
            canonical(&value).as_deref(),
            Some("{\"\":{},\"a\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",\"b\":[1,-2,true,null]}")
        );
        // RFC 8785 section 3.2.3: by UTF-16 units, not by code points.
        let names = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let order: Vec<char> = canonical(&names)
            .expect("canonical")
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        assert_eq!(order, ['2', '1', '4', '6', '7', '1', '5', '3']);
    }

    #[test]
    fn numbers_without_an_exact_spelling_are_refused() {
        for value in [json!(1.5), json!(u64::MAX), json!((1_u64 << 53) + 1), json!([1e300])] {
            assert_eq!(canonical(&value), None, "{value}");
        }
        assert_eq!(canonical(&json!(1_u64 << 53)).as_deref(), Some("9007199254740992"));
    }
}
