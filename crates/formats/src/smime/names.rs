//! Names, numbers and certificates as text ([RFC 5280] 4.1, labels of [RFC 4514] 3 and [X.520]).
//!
//! Not for: whether a certificate is to be believed. Main functions: [`certificate`], [`issuer_and_serial`]. Invariant: what cannot be read gives less text,
//! never an error.

use super::ber::{Element, Elements, oid_text, tag};

/// Attribute values of one name.
const MAX_ATTRIBUTES: usize = 100;
/// Bytes of one value.
const MAX_VALUE_BYTES: usize = 1024;
/// Octets of a serial number or key identifier; RFC 5280 allows 20.
const MAX_NUMBER_BYTES: usize = 64;

/// Subject, addresses, issuer and serial number of a certificate, one line.
pub(super) fn certificate(certificate: &Element<'_>) -> Option<String> {
    let mut inner = certificate.elements().tagged(tag::SEQUENCE)?.elements();
    let _version = inner.tagged(tag::CONTEXT_0);
    let serial = inner.tagged(tag::INTEGER)?;
    let _algorithm = inner.tagged(tag::SEQUENCE)?;
    let issuer = inner.tagged(tag::SEQUENCE)?;
    let _validity = inner.tagged(tag::SEQUENCE)?;
    let subject = inner.tagged(tag::SEQUENCE)?;
    let mut line = format!("Certificate: {}", name(&subject));
    for address in inner
        .filter(|element| element.tag == 0xa3)
        .flat_map(|list| addresses(&list))
    {
        line.push_str("; address ");
        line.push_str(&address);
    }
    line.push_str(&format!("; issuer {}; serial {}", name(&issuer), hex(serial.content)));
    Some(line)
}

/// `rfc822Name` of the subject's alternative names (4.2.1.6).
fn addresses(extensions: &Element<'_>) -> Vec<String> {
    const SUBJECT_ALTERNATIVE_NAME: &[u8] = b"\x55\x1d\x11";
    let Some(list) = extensions.elements().tagged(tag::SEQUENCE) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for extension in list
        .elements()
        .take_while(|element| element.tag == tag::SEQUENCE)
        .take(MAX_ATTRIBUTES)
    {
        let mut inner = extension.elements();
        if inner
            .tagged(tag::OID)
            .is_none_or(|oid| oid.content != SUBJECT_ALTERNATIVE_NAME)
        {
            continue;
        }
        let Some(value) = inner.find(|element| element.tag == tag::OCTETS) else {
            continue;
        };
        if let Some(names) = Elements::of(value.content).tagged(tag::SEQUENCE) {
            let mail = names.elements().filter(|one| one.tag == 0x81).take(MAX_ATTRIBUTES);
            found.extend(mail.map(|one| string(&one)));
        }
    }
    found
}

/// Issuer and serial number, as a signer or recipient is named ([RFC 5652] 10.2.4).
pub(super) fn issuer_and_serial(pair: &Element<'_>) -> Option<String> {
    let mut inner = pair.elements();
    let issuer = inner.tagged(tag::SEQUENCE)?;
    let serial = inner.tagged(tag::INTEGER)?;
    Some(format!("issuer {}; serial {}", name(&issuer), hex(serial.content)))
}

/// A distinguished name in the order in which it is stored.
fn name(name: &Element<'_>) -> String {
    let mut words = Vec::new();
    for set in name.elements().take(MAX_ATTRIBUTES) {
        for attribute in set.elements().take(MAX_ATTRIBUTES) {
            let mut inner = attribute.elements();
            let (Some(kind), Some(value)) = (inner.tagged(tag::OID), inner.next()) else {
                continue;
            };
            words.push(format!("{}={}", label(kind.content), string(&value)));
            if words.len() >= MAX_ATTRIBUTES {
                return words.join(", ");
            }
        }
    }
    words.join(", ")
}

fn label(kind: &[u8]) -> String {
    let known = match kind {
        b"\x55\x04\x03" => "CN",
        b"\x55\x04\x04" => "SN",
        b"\x55\x04\x05" => "serialNumber",
        b"\x55\x04\x06" => "C",
        b"\x55\x04\x07" => "L",
        b"\x55\x04\x08" => "ST",
        b"\x55\x04\x09" => "street",
        b"\x55\x04\x0a" => "O",
        b"\x55\x04\x0b" => "OU",
        b"\x55\x04\x0c" => "title",
        b"\x55\x04\x29" => "name",
        b"\x55\x04\x2a" => "GN",
        b"\x55\x04\x41" => "pseudonym",
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01" => "E",
        b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01" => "UID",
        b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19" => "DC",
        _ => return oid_text(kind),
    };
    known.to_owned()
}

/// A character string by its type ([X.680] 41); line ends become blanks, so that a value stays on its line.
pub(super) fn string(value: &Element<'_>) -> String {
    let content = &value.content[..value.content.len().min(MAX_VALUE_BYTES)];
    let text: String = match value.tag {
        // T61String in practice holds Latin-1.
        0x14 => content.iter().map(|byte| char::from(*byte)).collect(),
        // UniversalString.
        0x1c => content
            .chunks_exact(4)
            .map(|unit| u32::from_be_bytes([unit[0], unit[1], unit[2], unit[3]]))
            .map(|unit| char::from_u32(unit).unwrap_or('\u{fffd}'))
            .collect(),
        // BMPString.
        0x1e => {
            let units = content
                .chunks_exact(2)
                .map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
        }
        _ => String::from_utf8_lossy(content).into_owned(),
    };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Octets in hexadecimal, without a leading zero octet.
pub(super) fn hex(octets: &[u8]) -> String {
    let octets = &octets[..octets.len().min(MAX_NUMBER_BYTES)];
    let octets = match octets {
        [0, rest @ ..] if !rest.is_empty() => rest,
        octets => octets,
    };
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
