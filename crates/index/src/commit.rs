//! What a commit carries besides its segments: versions and the ticket up to which the index is complete.

use std::path::Path;

use embley_model::id::Ticket;
use serde::{Deserialize, Serialize};

use crate::analysis::ANALYSIS_VERSION;
use crate::error::{IndexError, Result};

/// Version of the schema and of the use that is made of it.
pub const INDEX_VERSION: u32 = 3;

/// The payload of a commit, as JSON in `meta.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) format: u32,
    pub(crate) analysis: u32,
    pub(crate) engine: String,
    pub(crate) ticket: Option<Ticket>,
}

impl Payload {
    pub(crate) fn new(ticket: Option<Ticket>) -> Self {
        Self {
            format: INDEX_VERSION,
            analysis: ANALYSIS_VERSION,
            engine: tantivy::version_string().to_owned(),
            ticket,
        }
    }

    pub(crate) fn to_text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|source| IndexError::Engine {
            action: "write the commit payload",
            source: source.into(),
        })
    }

    /// Reads a payload and checks that this program understands the index.
    pub(crate) fn read(folder: &Path, text: Option<&str>) -> Result<Self> {
        let Some(text) = text else {
            return Err(IndexError::damaged(
                folder.join("meta.json"),
                "it does not say its version",
            ));
        };
        let payload: Self = serde_json::from_str(text).map_err(|why| {
            IndexError::damaged(folder.join("meta.json"), format!("its payload cannot be read: {why}"))
        })?;
        let expected = Self::new(payload.ticket);
        if (payload.format, payload.analysis, &payload.engine) == (expected.format, expected.analysis, &expected.engine)
        {
            Ok(payload)
        } else {
            Err(IndexError::Version {
                folder: folder.to_owned(),
                found: payload.words(),
                expected: expected.words(),
            })
        }
    }

    fn words(&self) -> String {
        format!("format {}, analysis {}, {}", self.format, self.analysis, self.engine)
    }
}
