//! Items as CASE/UCO JSON-LD (CASE 1.4, UCO 1.4), for other forensic programs: e-mails, files, addresses, what is attached to what, the
//! exhibits that hold them, and the act of exporting.
//!
//! `case.jsonld` is one graph, written node by node. Every node is a `urn:uuid` made from the case's id and the node's own key (RFC 9562
//! version 5), so that the same item has the same name in every export of a case. Only what the vocabulary has words for is said here; the
//! rest is in the list of another form. Source: <https://ontology.caseontology.org/>, <https://ontology.unifiedcyberontology.org/>.

use std::collections::{BTreeMap, HashSet};

use embley_model::address::{Address, Role};
use embley_model::item::ItemKind;
use embley_store::outgoing::Outgoing;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::entry::Entry;
use super::record::Record;
use super::writer::{FormWriter, Lines};
use crate::error::Result;

const NAME: &str = "case.jsonld";
/// The namespace of URLs (RFC 9562, appendix A), in which the names below are made.
const URLS: [u8; 16] = [
    0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
];

/// `case.jsonld`.
pub(super) struct Graph {
    lines: Lines,
    case_id: String,
    /// Addresses that have a node.
    said: HashSet<[u8; 16]>,
    /// Items that have one, in order.
    items: Vec<[u8; 16]>,
    /// Of these, those of each exhibit.
    exhibits: BTreeMap<String, Vec<[u8; 16]>>,
}

impl Graph {
    /// Begins the graph.
    pub(super) fn begin(out: &mut Outgoing, record: &Record) -> Result<Self> {
        let mut lines = Lines::create(out, NAME)?;
        let context = json!({
            "case-investigation": "https://ontology.caseontology.org/case/investigation/",
            "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
            "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
            "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
            "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
            "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
            "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        });
        lines.add(&format!("{{\"@context\":{context},\n\"@graph\":[\n"))?;
        let mut graph = Self {
            lines,
            case_id: record.case.id.clone(),
            said: HashSet::new(),
            items: Vec::new(),
            exhibits: BTreeMap::new(),
        };
        let tool = graph.uuid("tool", &record.tool);
        let (name, version) = record.tool.split_once(' ').unwrap_or((&record.tool, ""));
        // The first node: no comma before it.
        let tool = json!({
            "@id": iri(tool), "@type": "uco-tool:Tool", "uco-core:name": name, "uco-tool:version": version,
        });
        graph.lines.add(&tool.to_string())?;
        Ok(graph)
    }

    fn uuid(&self, what: &str, key: &str) -> [u8; 16] {
        let mut hash = Sha1::new();
        hash.update(URLS);
        hash.update(format!("embley:{}:{what}:{key}", self.case_id));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        bytes[6] = (bytes[6] & 0x0F) | 0x50;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        bytes
    }

    fn node(&mut self, node: &Value) -> Result<()> {
        self.lines.add(",\n")?;
        self.lines.add(&node.to_string())
    }

    /// The node of an address, which is written when it is new.
    fn address(&mut self, address: &Address) -> Result<Value> {
        let value = if address.addr.is_empty() {
            &address.name
        } else {
            &address.addr
        };
        let key = format!("{}\n{}", address.addr, address.name);
        let id = self.uuid("address", &key);
        if self.said.insert(id) {
            let mut facet = Map::new();
            facet.insert("@id".to_owned(), json!(iri(self.uuid("address-facet", &key))));
            facet.insert("@type".to_owned(), json!("uco-observable:EmailAddressFacet"));
            facet.insert("uco-observable:addressValue".to_owned(), json!(value));
            if !address.name.is_empty() {
                facet.insert("uco-observable:displayName".to_owned(), json!(address.name));
            }
            self.node(&json!({
                "@id": iri(id), "@type": "uco-observable:EmailAddress", "uco-core:hasFacet": [facet],
            }))?;
        }
        Ok(json!({"@id": iri(id)}))
    }

    fn addresses(&mut self, entry: &Entry, role: Role) -> Result<Vec<Value>> {
        let all: Vec<Address> = entry
            .row
            .participants
            .iter()
            .filter(|one| one.role == role)
            .map(|one| one.address.clone())
            .collect();
        all.iter().map(|address| self.address(address)).collect()
    }

    fn content(&self, entry: &Entry, key: &str) -> Value {
        let sha256 = entry.hit.sha256.to_hex();
        let mut facet = json!({
            "@id": iri(self.uuid("content", key)),
            "@type": "uco-observable:ContentDataFacet",
            "uco-observable:sizeInBytes": {"@type": "xsd:integer", "@value": entry.hit.size.to_string()},
            "uco-observable:hash": [{
                "@id": iri(self.uuid("hash", key)),
                "@type": "uco-types:Hash",
                "uco-types:hashMethod": "SHA256",
                "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": sha256},
            }],
        });
        if !entry.hit.media_type.is_empty() {
            facet["uco-observable:mimeType"] = json!(entry.hit.media_type);
        }
        facet
    }

    fn file(&self, entry: &Entry, key: &str) -> Value {
        let mut facet = json!({
            "@id": iri(self.uuid("file", key)),
            "@type": "uco-observable:FileFacet",
            "uco-observable:sizeInBytes": {"@type": "xsd:integer", "@value": entry.hit.size.to_string()},
        });
        if let Some(name) = &entry.row.filename {
            facet["uco-observable:fileName"] = json!(name);
        }
        facet
    }

    fn message(&mut self, entry: &Entry, key: &str) -> Result<Value> {
        let mut facet = json!({
            "@id": iri(self.uuid("message", key)),
            "@type": "uco-observable:EmailMessageFacet",
            "uco-observable:subject": entry.hit.subject,
        });
        if let Some(from) = self.addresses(entry, Role::From)?.into_iter().next() {
            facet["uco-observable:from"] = from;
        }
        if let Some(sender) = self.addresses(entry, Role::Sender)?.into_iter().next() {
            facet["uco-observable:sender"] = sender;
        }
        for (name, role) in [("to", Role::To), ("cc", Role::Cc), ("bcc", Role::Bcc)] {
            let all = self.addresses(entry, role)?;
            if !all.is_empty() {
                facet[format!("uco-observable:{name}")] = json!(all);
            }
        }
        if let Some(date) = &entry.hit.date {
            facet["uco-observable:sentTime"] = json!({"@type": "xsd:dateTime", "@value": date});
        }
        if let Some(id) = &entry.hit.message_id {
            facet["uco-observable:messageID"] = json!(id);
        }
        if let Some(id) = entry.row.in_reply_to.first() {
            facet["uco-observable:inReplyTo"] = json!(id);
        }
        if !entry.row.labels.is_empty() {
            facet["uco-observable:labels"] = json!(entry.row.labels);
        }
        Ok(facet)
    }
}

impl FormWriter for Graph {
    fn entry(&mut self, _out: &mut Outgoing, entry: &Entry) -> Result<()> {
        let key = entry.hit.item.to_string();
        let id = self.uuid("item", &key);
        let (kind, own) = match entry.hit.kind {
            ItemKind::Email => ("uco-observable:EmailMessage", self.message(entry, &key)?),
            ItemKind::Attachment | ItemKind::Document => ("uco-observable:File", self.file(entry, &key)),
            ItemKind::Record => ("uco-observable:ObservableObject", self.file(entry, &key)),
        };
        let mut node = json!({
            "@id": iri(id),
            "@type": kind,
            "uco-core:name": entry.control,
            "uco-core:hasFacet": [own, self.content(entry, &key)],
        });
        if !entry.hit.tags.is_empty() {
            node["uco-core:tag"] = json!(entry.hit.tags);
        }
        self.node(&node)?;
        if let (Some(parent), Some(_)) = (&entry.hit.parent, &entry.parent) {
            let target = self.uuid("item", &parent.to_string());
            self.node(&json!({
                "@id": iri(self.uuid("attached", &key)),
                "@type": "uco-observable:ObservableRelationship",
                "uco-core:source": {"@id": iri(id)},
                "uco-core:target": {"@id": iri(target)},
                "uco-core:kindOfRelationship": "Attachment_Of",
                "uco-core:isDirectional": true,
            }))?;
        }
        self.items.push(id);
        for exhibit in &entry.hit.exhibits {
            self.exhibits.entry(exhibit.clone()).or_default().push(id);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Outgoing, record: &mut Record) -> Result<()> {
        let named = |ids: &[[u8; 16]]| -> Vec<Value> { ids.iter().map(|id| json!({"@id": iri(*id)})).collect() };
        let performer = self.uuid("person", &record.who);
        self.node(&json!({
            "@id": iri(performer), "@type": "uco-identity:Identity", "uco-core:name": record.who,
        }))?;
        for (exhibit, items) in std::mem::take(&mut self.exhibits) {
            self.node(&json!({
                "@id": iri(self.uuid("exhibit", &exhibit)),
                "@type": "case-investigation:ProvenanceRecord",
                "uco-core:description": format!("the items of exhibit {exhibit} in this export"),
                "case-investigation:exhibitNumber": exhibit,
                "uco-core:object": named(&items),
            }))?;
        }
        let action = self.uuid("export", &record.when);
        let mut node = json!({
            "@id": iri(action),
            "@type": "case-investigation:InvestigativeAction",
            "uco-core:name": "export",
            "uco-core:description": format!("items of the case \"{}\" exported", record.case.name),
            "uco-action:startTime": {"@type": "xsd:dateTime", "@value": record.when},
            "uco-action:performer": {"@id": iri(performer)},
            "uco-action:instrument": [{"@id": iri(self.uuid("tool", &record.tool))}],
        });
        if !self.items.is_empty() {
            node["uco-action:result"] = json!(named(&self.items));
        }
        self.node(&node)?;
        self.lines.add("\n]}\n")?;
        record.conventions.insert(
            "case-uco".to_owned(),
            "CASE 1.4 and UCO 1.4; a node is a urn:uuid of version 5 made from the case's id and the item's id".into(),
        );
        self.lines.close(out)
    }
}

fn iri(uuid: [u8; 16]) -> String {
    let hex = embley_model::id::hex_encode(&uuid);
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
