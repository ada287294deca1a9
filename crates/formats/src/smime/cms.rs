//! CMS content types ([RFC 5652], compressed data [RFC 3274], enveloped with authentication [RFC 5083]), and PKCS #7 before them ([RFC 2315]).
//!
//! Main functions: [`kind_of`], [`open`]. Decisions: one layer is taken off; what is inside is a member, and opened as whatever it is. Certificates and names
//! are text of the thing itself. Times of signing are as the signer stated them. Invariant: lists that are listed are bounded, and what is beyond is counted.

use std::io::{self, Read};

use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;
use flate2::read::ZlibDecoder;

use super::ber::{self, Element, Elements, oid_text, tag};
use super::content::Bounded;
use super::envelope::Sealed;
use super::keys::Secrets;
use super::tried::Tried;
use super::{CMS, CMS_CERTIFICATES, CMS_SIGNATURE, Kind, armour, names};
use crate::opened::{Member, Members, OpenLimits, Opened};

/// Certificates, signers and recipients that are listed, each.
const MAX_LISTED: usize = 1_000;
/// Bytes that are decoded to see what base64 holds.
const LOOK_BYTES: usize = 64 << 10;

/// What a structure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Data,
    Signed,
    Enveloped,
    SignedAndEnveloped,
    Digested,
    Encrypted,
    Authenticated,
    Compressed,
    AuthEnveloped,
}

impl Type {
    fn of(oid: &[u8]) -> Option<Self> {
        if let Some([last]) = oid.strip_prefix(b"\x2a\x86\x48\x86\xf7\x0d\x01\x07") {
            return Some(match last {
                1 => Self::Data,
                2 => Self::Signed,
                3 => Self::Enveloped,
                4 => Self::SignedAndEnveloped,
                5 => Self::Digested,
                6 => Self::Encrypted,
                _ => return None,
            });
        }
        match oid.strip_prefix(b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01")? {
            [2] => Some(Self::Authenticated),
            [9] => Some(Self::Compressed),
            [23] => Some(Self::AuthEnveloped),
            _ => None,
        }
    }

    fn is_encrypted(self) -> bool {
        match self {
            Self::Enveloped | Self::SignedAndEnveloped | Self::Encrypted | Self::AuthEnveloped => true,
            Self::Data | Self::Signed | Self::Digested | Self::Authenticated | Self::Compressed => false,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Signed => "signed-data",
            Self::Enveloped => "enveloped-data",
            Self::SignedAndEnveloped => "signed-and-enveloped-data",
            Self::Digested => "digested-data",
            Self::Encrypted => "encrypted-data",
            Self::Authenticated => "authenticated-data",
            Self::Compressed => "compressed-data",
            Self::AuthEnveloped => "auth-enveloped-data",
        }
    }
}

/// Stands for an element that is not there.
const MISSING: Element<'static> = Element {
    tag: tag::OCTETS,
    content: &[],
    cut: true,
};

/// Type and content of a ContentInfo (3); a content that is not there is an empty, cut one.
fn content_info(bytes: &[u8]) -> Option<(Type, Element<'_>)> {
    let outer = Elements::of(bytes).tagged(tag::SEQUENCE)?;
    let mut inner = outer.elements();
    let kind = Type::of(inner.tagged(tag::OID)?.content)?;
    let explicit = inner.tagged(tag::CONTEXT_0);
    let content = explicit.and_then(|explicit| explicit.elements().next());
    Some((kind, content.unwrap_or(MISSING)))
}

pub(super) fn kind_of(head: &[u8]) -> Option<Kind> {
    let plain = armour::plain(&head[..head.len().min(LOOK_BYTES)])?;
    let (kind, content) = content_info(&plain)?;
    let media_type = match kind {
        Type::Signed => match SignedData::read(&content) {
            Some(signed) if signed.encapsulated.1.is_none() && signed.without_digests => CMS_CERTIFICATES,
            Some(signed) if signed.encapsulated.1.is_none() => CMS_SIGNATURE,
            Some(_) | None => CMS,
        },
        Type::Data
        | Type::Enveloped
        | Type::SignedAndEnveloped
        | Type::Digested
        | Type::Encrypted
        | Type::Authenticated
        | Type::Compressed
        | Type::AuthEnveloped => CMS,
    };
    Some(Kind {
        media_type,
        encrypted: kind.is_encrypted(),
    })
}

pub(super) fn open(
    bytes: &[u8],
    secrets: &Secrets<'_>,
    limits: &OpenLimits,
    members: &mut dyn Members,
) -> io::Result<Opened> {
    let plain = armour::plain(bytes);
    let Some((kind, content)) = plain.as_deref().and_then(content_info) else {
        return Ok(Opened {
            searchability: Some(Searchability::Failed),
            defects: vec![Defect::new(DefectCode::CmsStructure, "no CMS content begins here")],
            reader: "cms/1".to_owned(),
            ..Opened::default()
        });
    };
    let mut out = Out {
        secrets,
        limits,
        members,
        opened: Opened {
            reader: "cms/1".to_owned(),
            ..Opened::default()
        },
        lines: vec![format!("Type: {}", kind.word())],
    };
    if content.cut {
        out.structure("the structure is cut");
    }
    match kind {
        Type::Data => out.octets(Some(content))?,
        Type::Signed => out.signed(&content)?,
        Type::Digested => out.digested(&content)?,
        Type::Authenticated => out.authenticated(&content)?,
        Type::Compressed => out.compressed(&content)?,
        Type::Enveloped | Type::SignedAndEnveloped | Type::Encrypted | Type::AuthEnveloped => {
            out.encrypted(kind, &content)?;
        }
    }
    Ok(out.end())
}

/// Type of an encapsulated content and its octets, where there are any (5.2).
type Encapsulated<'a> = (&'a [u8], Option<Element<'a>>);

fn encapsulated<'a>(elements: &mut Elements<'a>) -> Option<Encapsulated<'a>> {
    let mut inner = elements.tagged(tag::SEQUENCE)?.elements();
    let kind = inner.tagged(tag::OID)?.content;
    let content = inner
        .tagged(tag::CONTEXT_0)
        .map(|explicit| explicit.elements().next().unwrap_or(MISSING));
    Some((kind, content))
}

/// SignedData (5.1) up to where its lists begin.
struct SignedData<'a> {
    encapsulated: Encapsulated<'a>,
    /// No digest algorithm is named: nobody signed.
    without_digests: bool,
    certificates: Option<Element<'a>>,
    signers: Option<Element<'a>>,
}

impl<'a> SignedData<'a> {
    fn read(content: &Element<'a>) -> Option<Self> {
        let mut inner = content.elements();
        let _version = inner.tagged(tag::INTEGER)?;
        let digests = inner.tagged(tag::SET)?;
        let encapsulated = encapsulated(&mut inner)?;
        let certificates = inner.tagged(tag::CONTEXT_0);
        let _revoked = inner.tagged(0xa1);
        Some(Self {
            encapsulated,
            without_digests: digests.elements().next().is_none(),
            certificates,
            signers: inner.tagged(tag::SET),
        })
    }
}

struct Out<'a> {
    secrets: &'a Secrets<'a>,
    limits: &'a OpenLimits,
    members: &'a mut dyn Members,
    opened: Opened,
    lines: Vec<String>,
}

impl Out<'_> {
    fn end(mut self) -> Opened {
        self.lines.push(String::new());
        self.opened.text = self.lines.join("\n");
        self.opened
    }

    fn structure(&mut self, detail: impl Into<String>) {
        self.opened.defects.push(Defect::new(DefectCode::CmsStructure, detail));
    }

    fn signed(&mut self, content: &Element<'_>) -> io::Result<()> {
        let Some(signed) = SignedData::read(content) else {
            self.structure("the signed content cannot be found");
            self.opened.searchability = Some(Searchability::Failed);
            return Ok(());
        };
        if let Some(certificates) = &signed.certificates {
            self.list(certificates, "certificates", names::certificate);
        }
        if let Some(signers) = &signed.signers {
            self.list(signers, "signers", signer);
            self.opened
                .defects
                .push(Defect::new(DefectCode::MailSigned, "CMS signed-data"));
        } else if !signed.without_digests {
            self.structure("the list of signers is missing");
        }
        let (kind, content) = signed.encapsulated;
        self.content_type(kind);
        self.octets(content)
    }

    fn digested(&mut self, content: &Element<'_>) -> io::Result<()> {
        let mut inner = content.elements();
        let _version = inner.tagged(tag::INTEGER);
        let _algorithm = inner.tagged(tag::SEQUENCE);
        self.encapsulated(&mut inner)
    }

    /// AuthenticatedData (9.1): its content is in the clear.
    fn authenticated(&mut self, content: &Element<'_>) -> io::Result<()> {
        let mut inner = content.elements();
        let _version = inner.tagged(tag::INTEGER);
        let _originator = inner.tagged(tag::CONTEXT_0);
        if let Some(recipients) = inner.tagged(tag::SET) {
            self.recipients(&recipients);
        }
        let _mac = inner.tagged(tag::SEQUENCE);
        let _digest = inner.tagged(0xa1);
        self.encapsulated(&mut inner)
    }

    fn encapsulated(&mut self, inner: &mut Elements<'_>) -> io::Result<()> {
        match encapsulated(inner) {
            Some((kind, content)) => {
                self.content_type(kind);
                self.octets(content)
            }
            None => {
                self.structure("the content cannot be found");
                self.opened.searchability = Some(Searchability::Failed);
                Ok(())
            }
        }
    }

    fn compressed(&mut self, content: &Element<'_>) -> io::Result<()> {
        const ZLIB: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08";
        let mut inner = content.elements();
        let _version = inner.tagged(tag::INTEGER);
        let algorithm = inner
            .tagged(tag::SEQUENCE)
            .and_then(|one| one.elements().tagged(tag::OID));
        if algorithm.is_none_or(|oid| oid.content != ZLIB) {
            let method = algorithm.map(|oid| oid_text(oid.content)).unwrap_or_default();
            self.structure(format!("compressed by the unknown method {method}"));
            self.opened.searchability = Some(Searchability::FormatNotSupported);
            return Ok(());
        }
        let Some((kind, Some(content))) = encapsulated(&mut inner) else {
            self.structure("the compressed content cannot be found");
            self.opened.searchability = Some(Searchability::Failed);
            return Ok(());
        };
        self.content_type(kind);
        let (octets, cut) = content.octets();
        if cut {
            self.structure("the compressed content is cut");
        }
        self.member(ZlibDecoder::new(&*octets), octets.len())
    }

    /// Recipients, and the content when something that was given opens it.
    fn encrypted(&mut self, kind: Type, content: &Element<'_>) -> io::Result<()> {
        let mut inner = content.elements();
        let _version = inner.tagged(tag::INTEGER);
        let _originator = inner.tagged(tag::CONTEXT_0);
        let recipients = inner.tagged(tag::SET);
        let count = recipients.as_ref().map_or(0, |set| set.elements().count());
        if let Some(recipients) = &recipients {
            self.recipients(recipients);
        } else if kind != Type::Encrypted {
            self.structure("the list of recipients cannot be read");
        }
        let mut tried = Tried::default();
        let sealed = Sealed::read(content).filter(|_| !self.secrets.is_empty());
        let plain = sealed.as_ref().and_then(|sealed| sealed.open(self.secrets, &mut tried));
        tried.count(&mut self.opened);
        let (Some(sealed), Some(plain)) = (sealed, plain) else {
            for note in &tried.notes {
                self.structure(note.clone());
            }
            self.opened.searchability = Some(Searchability::Encrypted);
            let detail = format!("{}, {count} recipients{}", kind.word(), tried.words());
            self.opened.defects.push(Defect::new(DefectCode::MailEncrypted, detail));
            return Ok(());
        };
        let by = plain.by.record(self.secrets, &mut self.opened);
        let detail = format!("{}, {}, opened by {by}", kind.word(), plain.cipher);
        self.opened.defects.push(Defect::new(DefectCode::MailDecrypted, detail));
        self.lines.push(format!("Opened by: {by}"));
        for fault in plain.faults {
            self.structure(fault);
        }
        self.content_type(sealed.content_type);
        self.decrypted(sealed.content_type, &plain.content)
    }

    /// A content that is a structure of this kind again is given as one, whatever its outermost element looks like.
    fn decrypted(&mut self, kind: &[u8], content: &[u8]) -> io::Result<()> {
        let inner = Type::of(kind).filter(|inner| *inner != Type::Data);
        if inner.is_none() || content_info(content).is_some() {
            return self.member(content, content.len());
        }
        let whole = ber::encoded(
            tag::SEQUENCE,
            &[ber::encoded(tag::OID, kind), ber::encoded(tag::CONTEXT_0, content)].concat(),
        );
        self.member(&*whole, whole.len())
    }

    fn recipients(&mut self, recipients: &Element<'_>) {
        self.list(recipients, "recipients", recipient);
    }

    /// One line each; what is beyond the bound is counted, what cannot be read is said.
    fn list(&mut self, set: &Element<'_>, what: &str, read: fn(&Element<'_>) -> Option<String>) {
        let (mut unread, mut beyond) = (0_u64, 0_u64);
        let mut elements = set.elements();
        for (at, element) in elements.by_ref().enumerate() {
            if at >= MAX_LISTED {
                beyond += 1;
                continue;
            }
            match read(&element) {
                Some(line) => self.lines.push(line),
                None => unread += 1,
            }
        }
        if set.cut || !elements.rest().trim_ascii().is_empty() && elements.rest() != [0, 0] {
            self.structure(format!("the list of {what} is damaged"));
        }
        if unread > 0 {
            self.structure(format!("{unread} of the {what} cannot be read"));
        }
        if beyond > 0 {
            self.structure(format!("{beyond} {what} more than {MAX_LISTED} are not listed"));
        }
    }

    fn content_type(&mut self, kind: &[u8]) {
        let word = Type::of(kind).map_or_else(|| oid_text(kind), |kind| kind.word().to_owned());
        self.lines.push(format!("Content: {word}"));
    }

    /// The content as a member, if it is here.
    fn octets(&mut self, content: Option<Element<'_>>) -> io::Result<()> {
        let Some(content) = content else {
            self.lines
                .push("Content is not here: it is signed from outside".to_owned());
            return Ok(());
        };
        let (octets, cut) = if matches!(content.tag, tag::OCTETS | 0x24) {
            content.octets()
        } else {
            // PKCS #7 allows any type: its content octets are what is signed (RFC 5652 5.2.1).
            (content.content.into(), content.cut)
        };
        if cut {
            self.structure("the content is cut");
        }
        self.member(&*octets, octets.len())
    }

    fn member(&mut self, content: impl Read, packed_bytes: usize) -> io::Result<()> {
        let mut bounded = Bounded::new(content, packed_bytes, self.limits);
        let member = Member {
            path: b"message".to_vec(),
            ..Member::default()
        };
        self.members.member(member, &mut bounded)?;
        if let Some(fault) = bounded.fault {
            let code = if bounded.limited {
                DefectCode::ArchiveLimit
            } else {
                DefectCode::CmsStructure
            };
            self.opened
                .defects
                .push(Defect::new(code, format!("the content ends early: {fault}")));
        }
        Ok(())
    }
}

/// SignerInfo (5.3): who, and when by their own word (11.3).
fn signer(info: &Element<'_>) -> Option<String> {
    const SIGNING_TIME: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05";
    let mut inner = info.elements();
    let _version = inner.tagged(tag::INTEGER)?;
    let mut line = format!("Signer: {}", identifier(&inner.next()?)?);
    let _algorithm = inner.tagged(tag::SEQUENCE);
    let attributes = inner.tagged(tag::CONTEXT_0);
    for attribute in attributes.iter().flat_map(|set| set.elements()).take(MAX_LISTED) {
        let mut inner = attribute.elements();
        if inner.tagged(tag::OID).is_some_and(|oid| oid.content == SIGNING_TIME)
            && let Some(time) = inner.tagged(tag::SET).and_then(|set| set.elements().next())
        {
            line.push_str(&format!("; stated time {}", names::string(&time)));
        }
    }
    Some(line)
}

/// RecipientInfo (6.2): the names or key identifiers of all that it is for.
fn recipient(info: &Element<'_>) -> Option<String> {
    let mut inner = info.elements();
    match info.tag {
        tag::SEQUENCE => {
            let _version = inner.tagged(tag::INTEGER)?;
            Some(format!("Recipient: {}", identifier(&inner.next()?)?))
        }
        // Key agreement: version, originator, perhaps [1], algorithm, then a list of recipients.
        0xa1 => {
            let keys = inner.filter(|element| element.tag == tag::SEQUENCE).last()?;
            let names: Vec<String> = keys
                .elements()
                .take(MAX_LISTED)
                .filter_map(|key| identifier(&key.elements().next()?))
                .collect();
            (!names.is_empty()).then(|| format!("Recipient: {}", names.join(" | ")))
        }
        0xa2 => {
            let _version = inner.tagged(tag::INTEGER)?;
            let id = inner.tagged(tag::SEQUENCE)?.elements().tagged(tag::OCTETS)?;
            Some(format!("Recipient: shared key {}", names::hex(id.content)))
        }
        0xa3 => Some("Recipient: password".to_owned()),
        0xa4 => Some("Recipient: of another kind".to_owned()),
        _ => None,
    }
}

/// Issuer and serial number, or a key identifier, bare or in a sequence (RecipientKeyIdentifier, 6.2.2).
fn identifier(element: &Element<'_>) -> Option<String> {
    match element.tag {
        tag::SEQUENCE => names::issuer_and_serial(element),
        0x80 => Some(format!("key {}", names::hex(element.content))),
        tag::CONTEXT_0 => {
            let key = element.elements().next()?;
            Some(format!("key {}", names::hex(key.content)))
        }
        _ => None,
    }
}
