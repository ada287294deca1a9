//! Where the feed gets files from: sources that are walked, and containers whose members come out as files.
//!
//! Main type: [`Entrance`]. Not for: how a container is opened (`opening::containers`).

use std::sync::Arc;

use embley_formats::walk::Walked;
use embley_model::defect::Defect;
use embley_model::id::{ItemNo, SourceId};

use crate::error::IngestError;
use crate::request::SourceSpec;

/// A source with its number in the case.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedSource {
    pub(crate) spec: SourceSpec,
    pub(crate) source: SourceId,
}

/// Where files come from.
pub(crate) enum Entrance<'a> {
    /// A source as given: walked in order.
    Source(ResolvedSource),
    /// A container that is in the case: opened when its turn comes.
    Container(Box<dyn Container + 'a>),
}

/// A container whose members are handed out as files.
pub(crate) trait Container: Send {
    /// The source in which it was found.
    fn source(&self) -> ResolvedSource;
    /// Its item.
    fn item(&self) -> ItemNo;
    /// Opens it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn members(self: Box<Self>) -> Result<Box<dyn Iterator<Item = Met> + Send>, IngestError>;
}

/// A name met on the way, and the temporary copy that holds its bytes when it is a member of a container.
pub(crate) struct Met {
    pub(crate) walked: Walked,
    pub(crate) spool: Option<Arc<tempfile::TempPath>>,
    /// What its container said of it.
    pub(crate) defects: Vec<Defect>,
}

impl From<Walked> for Met {
    fn from(walked: Walked) -> Self {
        Self {
            walked,
            spool: None,
            defects: Vec::new(),
        }
    }
}

/// What is known of a member of a container beside its place.
pub(crate) type Spool = (Option<Arc<tempfile::TempPath>>, Vec<Defect>);
