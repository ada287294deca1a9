//! A file that is open: its store, and the ways to folders and messages.
//!
//! Main type: [`PstFile`]. Invariant: `&self` everywhere; any number of threads may read at once and get the same answers as one.

use embley_mapi::{Properties, Value};
use embley_model::defect::{Defect, DefectCode};

use super::ids;
use super::names::Names;
use crate::PstError;
use crate::log::Log;
use crate::ltp::{Heap, Session, properties};
use crate::ndb::{Header, Ndb, wellknown};
use crate::options::{Limits, PstOptions};
use crate::read::ReadAt;

/// A PST or OST file.
pub struct PstFile {
    pub(super) ndb: Ndb,
    pub(super) names: Names,
    store: Properties,
    defects: Vec<Defect>,
}

impl PstFile {
    /// Opens a file: reads its header, its store and its list of property names.
    ///
    /// # Errors
    /// The source cannot be read, is no PST, or has an unknown version. A store or a list of names that is damaged is a
    /// [defect](Self::defects).
    pub fn open(source: impl ReadAt + 'static, options: &PstOptions) -> Result<Self, PstError> {
        let ndb = Ndb::open(Box::new(source), options)?;
        let none = Names::default();
        let mut session = Session::new(&ndb, &none, Limits::default());
        session.log.extend(&ndb.header.defects);
        let names = match Names::read(&mut session) {
            Ok(names) => names,
            Err(error) => {
                session.log.lost("list of property names", &error);
                Names::default()
            }
        };
        let log = std::mem::take(&mut session.log);
        let (store, defects) = read_store(&ndb, &names, log);
        Ok(Self {
            ndb,
            names,
            store,
            defects,
        })
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.ndb.header
    }

    /// Properties of the message store.
    pub fn store(&self) -> &Properties {
        &self.store
    }

    /// What is odd about the file as a whole.
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// Text of a stored string. 8-bit text is read by the code page of the store, else by Windows-1252.
    pub(super) fn text(&self, value: &Value) -> Option<String> {
        match value {
            Value::Unicode(text) => Some(text.clone()),
            Value::String8(bytes) => {
                let page = match self.store.by_id(ids::CODE_PAGE) {
                    Some((_, Value::Integer32(page))) => u32::try_from(*page).ok(),
                    _ => None,
                };
                let decoded = page.and_then(|page| embley_mapi::codepage::decode(page, bytes));
                let decoded = decoded.or_else(|| embley_mapi::codepage::decode(1252, bytes));
                decoded.map(|decoded| decoded.text)
            }
            _ => None,
        }
    }
}

fn read_store(ndb: &Ndb, names: &Names, log: Log) -> (Properties, Vec<Defect>) {
    let mut session = Session::new(ndb, names, Limits::default());
    session.log = log;
    let node = ndb.node(wellknown::MESSAGE_STORE, &mut session.log);
    let read = node
        .and_then(|node| Heap::open(&mut session, &node))
        .and_then(|heap| properties(&mut session, &heap, |_| true));
    let store = match read {
        Ok(store) => store,
        Err(error) => {
            session.log.lost("message store", &error);
            Properties::default()
        }
    };
    if let Some((_, Value::Integer32(1.. | ..=-1))) = store.by_id(ids::PASSWORD) {
        session.log.add(DefectCode::PstPassword, "");
    }
    (store, session.log.into_defects())
}
