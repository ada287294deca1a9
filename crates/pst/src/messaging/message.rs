//! Messages: properties, recipients, attachments ([MS-PST] section 2.4.5).

use embley_mapi::{Message, Properties};

use super::attachment::read_attachments;
use super::store::PstFile;
use crate::PstError;
use crate::ltp::{Heap, Session, Table, properties};
use crate::ndb::{Node, NodeId, SubNodes, wellknown};
use crate::options::Limits;

impl PstFile {
    /// Reads a message, or any other object of a folder, with all it holds up to `limits`.
    ///
    /// # Errors
    /// The node is not in the file, or holds no properties that can be read. Other damage is a defect of the message.
    pub fn load(&self, id: NodeId, limits: &Limits) -> Result<Message, PstError> {
        let mut session = Session::new(&self.ndb, &self.names, *limits);
        let node = self.ndb.node(id, &mut session.log)?;
        let mut message = read_message(&mut session, &node, &mut Vec::new())?;
        message.defects = session.log.into_defects();
        Ok(message)
    }

    /// Reads the properties of a message only: no recipients, no attachments.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn properties(&self, id: NodeId, limits: &Limits) -> Result<Message, PstError> {
        let mut session = Session::new(&self.ndb, &self.names, *limits);
        let node = self.ndb.node(id, &mut session.log)?;
        let heap = Heap::open(&mut session, &node)?;
        Ok(Message {
            properties: properties(&mut session, &heap, |_| true)?,
            defects: session.log.into_defects(),
            ..Message::default()
        })
    }
}

/// Reads the message on `node`; its defects are left in the session. `above` holds the nodes of the messages around it.
///
/// # Errors
/// It has no properties that can be read.
pub(super) fn read_message(
    session: &mut Session<'_>,
    node: &Node,
    above: &mut Vec<(u64, u64)>,
) -> Result<Message, PstError> {
    let heap = Heap::open(session, node)?;
    let properties = properties(session, &heap, |_| true)?;
    let recipients = read_recipients(session, heap.sub);
    above.push((node.data, node.sub));
    let attachments = read_attachments(session, heap.sub, above);
    above.pop();
    Ok(Message {
        properties,
        recipients,
        attachments,
        defects: Vec::new(),
    })
}

/// One set of properties a recipient; none when the message has no table of them.
fn read_recipients(session: &mut Session<'_>, sub: SubNodes) -> Vec<Properties> {
    let node = match sub.find(session.ndb, wellknown::RECIPIENT_TABLE, &mut session.log) {
        Ok(Some(node)) => node,
        Ok(None) => return Vec::new(),
        Err(error) => {
            session.log.lost("recipients", &error);
            return Vec::new();
        }
    };
    match Table::open(session, &node) {
        Ok(table) => table.rows(session).into_iter().map(|(_, row)| row).collect(),
        Err(error) => {
            session.log.lost("recipients", &error);
            Vec::new()
        }
    }
}

/// A stored subject without the two characters that say where its prefix ends ([MS-PST] section 2.5.3.1.1.1).
pub fn subject_text(stored: &str) -> &str {
    let mut characters = stored.chars();
    if characters.next() == Some('\u{1}') {
        characters.next();
        characters.as_str()
    } else {
        stored
    }
}
