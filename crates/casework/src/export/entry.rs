//! One item of an export, with everything that any form says of it.
//!
//! Main type: [`Entry`]. Not for: choosing items, writing.

use embley_model::address::Role;
use embley_model::id::hex_encode;
use embley_search::Hit;
use embley_store::catalogue::ItemRow;

/// One item.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its number in this export.
    pub(super) control: String,
    /// Its place in the export, from 1.
    pub(super) position: u64,
    /// The first and the last control number of its family, as far as the family is exported.
    pub(super) family: (String, String),
    /// The control number of the item that it is a part of, when that is exported.
    pub(super) parent: Option<String>,
    /// Exported members of its family below it, when it is a top-level item.
    pub(super) attachments: u64,
    /// What a search says of it.
    pub(super) hit: Hit,
    /// Its row.
    pub(super) row: ItemRow,
    /// Where its top-level item was found.
    pub(super) paths: Vec<String>,
    /// Its original, when this form carries originals and it could be read.
    pub(super) native: Option<Native>,
    /// Its text, when this form carries texts and there is one.
    pub(super) text: Option<Text>,
}

/// The original of an item as it was written.
#[derive(Clone, Debug)]
pub(super) struct Native {
    /// Path in the export.
    pub(super) path: String,
    /// Path of a rendering as mail, for a message of properties.
    pub(super) rendered: Option<String>,
    /// MD5, hexadecimal.
    pub(super) md5: String,
    /// SHA-1, hexadecimal.
    pub(super) sha1: String,
    /// Why there is no rendering where there should be one.
    pub(super) lack: Option<super::natives::Lack>,
    /// Pages, when it is an image that a load file of images can name.
    pub(super) pages: Option<u32>,
}

/// The text of an item.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// Path in the export, when it is a file of its own.
    pub(super) path: Option<String>,
    /// The text itself, for forms that show it.
    pub(super) body: String,
}

impl Entry {
    /// The addresses of these roles.
    pub(super) fn addresses(&self, role: Role) -> Vec<String> {
        let all = self.row.participants.iter().filter(|one| one.role == role);
        all.map(|one| one.address.display()).collect()
    }

    /// MD5 of the raw Message-ID with its brackets (EDRM Message Identification Hash).
    pub(super) fn mih(&self) -> String {
        let mih = self.row.keys.as_ref().and_then(|keys| keys.mih);
        mih.map_or_else(String::new, |key| hex_encode(&key.0))
    }

    /// A line that names it: subject, else file name, else its kind.
    pub(super) fn title(&self) -> &str {
        let name = self.row.filename.as_deref().unwrap_or_default();
        [self.hit.subject.trim(), name.trim()]
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or(self.hit.kind.word())
    }
}
