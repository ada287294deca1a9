//! Address fields (RFC 5322 section 3.4), read by `mail-parser`, checked against the raw text.
//!
//! Invariant: no letter or digit of the field is lost. When the parser's addresses do not hold them all, the
//! whole decoded text is added as a name without an address.

use embley_model::address::Address;
use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address as ParsedAddress, HeaderValue};

use super::{unfold, words};
use crate::text;

/// Returns the addresses of a field's raw value. `hint` is the charset of the message's text, used for
/// bytes beyond ASCII.
pub(crate) fn parse(value: &[u8], hint: Option<&str>) -> Vec<Address> {
    let unfolded = unfold(value);
    if unfolded.is_empty() {
        return Vec::new();
    }
    let decoded = text::decode_header_bytes(&unfolded, hint);
    if let Some(simple) = simple_address(&decoded) {
        return vec![simple];
    }
    let whole = words::make_whole(&decoded);
    // The parser takes the line end as the end of the field.
    let mut line = String::with_capacity(whole.len() + 1);
    line.push_str(&whole);
    line.push('\n');
    let mut out = Vec::new();
    // The parser is trusted with any bytes, but not with the message: a panic costs this field its structure only.
    let parsed = std::panic::catch_unwind(|| {
        let mut found = Vec::new();
        if let HeaderValue::Address(address) = MessageStream::new(line.as_bytes()).parse_address() {
            collect(address, &mut found);
        }
        found
    });
    if let Ok(found) = parsed {
        out = found;
    }
    let plain = words::decode(&decoded);
    let kept: usize = out
        .iter()
        .map(|address| letters(&address.name) + letters(&address.addr))
        .sum();
    if kept < letters(&plain) {
        out.push(Address {
            name: plain.into_owned(),
            addr: String::new(),
        });
    }
    out
}

/// `local@domain` or `<local@domain>` alone: by far the most frequent form.
fn simple_address(text: &str) -> Option<Address> {
    let inner = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(text);
    let plain = inner
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'@' | b'-' | b'_' | b'+'));
    let (local, domain) = inner.split_once('@')?;
    if !plain || local.is_empty() || domain.is_empty() || domain.contains('@') {
        return None;
    }
    Some(Address {
        name: String::new(),
        addr: inner.to_owned(),
    })
}

fn letters(text: &str) -> usize {
    if text.is_ascii() {
        return text.bytes().filter(u8::is_ascii_alphanumeric).count();
    }
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

fn collect(parsed: ParsedAddress<'_>, out: &mut Vec<Address>) {
    match parsed {
        ParsedAddress::List(list) => out.extend(list.into_iter().map(convert)),
        ParsedAddress::Group(groups) => {
            for group in groups {
                if let Some(name) = group.name {
                    out.push(Address {
                        name: name.trim().to_owned(),
                        addr: String::new(),
                    });
                }
                out.extend(group.addresses.into_iter().map(convert));
            }
        }
    }
}

fn convert(addr: Addr<'_>) -> Address {
    let name = addr.name.map(|name| name.trim().to_owned()).unwrap_or_default();
    let addr = addr.address.map(|addr| addr.trim().to_owned()).unwrap_or_default();
    if addr.is_empty() && is_x500(&name) {
        return Address {
            name: String::new(),
            addr: name,
        };
    }
    Address { name, addr }
}

/// An X.500 name as Exchange writes it: `/O=.../CN=...`.
fn is_x500(text: &str) -> bool {
    let starts = |prefix: &str| text.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix));
    starts("/o=") || starts("/cn=") || starts("/ou=") || starts("/c=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &[(&str, &str)]) {
        let found = parse(value.as_bytes(), None);
        let found: Vec<_> = found.iter().map(|a| (a.name.as_str(), a.addr.as_str())).collect();
        assert_eq!(found, expected, "{value}");
    }

    #[test]
    fn usual_forms() {
        check(" a@b.example", &[("", "a@b.example")]);
        check("<a@b.example>", &[("", "a@b.example")]);
        check(
            "\"Smith, John\" <j@x.example>, k@y",
            &[("Smith, John", "j@x.example"), ("", "k@y")],
        );
        check("j@x.example (John Smith)", &[("John Smith", "j@x.example")]);
        check("=?utf-8?Q?J=C3?=\r\n =?utf-8?Q?=B6rg?= <j@x>", &[("Jörg", "j@x")]);
    }

    #[test]
    fn groups_keep_their_names_and_members() {
        check("undisclosed-recipients:;", &[("undisclosed-recipients", "")]);
        check("Friends: a@b, C <c@d>;", &[("Friends", ""), ("", "a@b"), ("C", "c@d")]);
    }

    #[test]
    fn x500_names_are_addresses() {
        check(
            "Smith </O=ENRON/OU=NA/CN=RECIPIENTS/CN=JSMITH>",
            &[("Smith", "/O=ENRON/OU=NA/CN=RECIPIENTS/CN=JSMITH")],
        );
        check("/O=ENRON/CN=JSMITH", &[("", "/O=ENRON/CN=JSMITH")]);
    }

    #[test]
    fn nothing_of_a_broken_field_is_lost() {
        for value in [
            "<<a@b>>,,, \"open quote <c@d>",
            "((nested (comment) a@b",
            "a@b@c;:<d>",
            "just words",
            "\"x\\\"y\" <>",
            "<@route.example,@other:joe@x.example>",
        ] {
            let found = parse(value.as_bytes(), None);
            let kept: usize = found.iter().map(|a| letters(&a.name) + letters(&a.addr)).sum();
            assert!(kept >= letters(value), "{value}: {found:?}");
        }
    }

    #[test]
    fn bytes_beyond_ascii_are_read_by_the_hint_or_as_utf8() {
        assert_eq!(parse("Jörg <j@x>".as_bytes(), None)[0].name, "Jörg");
        assert_eq!(parse(b"J\xf6rg <j@x>", Some("iso-8859-1"))[0].name, "Jörg");
    }
}
