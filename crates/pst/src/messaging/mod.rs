//! Folders, messages, recipients and attachments ([MS-PST] section 2.4).
//!
//! Main type: [`PstFile`]. Invariant: nothing that a folder lists disappears: it is a message, or a defect of its folder.

mod attachment;
mod folder;
mod message;
mod names;
mod nodeset;
mod salvage;
mod store;

pub use attachment::{AttachmentPath, AttachmentReader};
pub use folder::{Folder, FolderKind, Folders, ItemList, SearchFolder};
pub use message::subject_text;
pub(crate) use names::Names;
pub use nodeset::NodeSet;
pub use salvage::{Origin, Recovered, Salvage};
pub use store::PstFile;

/// Identifiers of the properties that the structure of a file needs ([MS-OXPROPS]).
mod ids {
    pub(super) const DISPLAY_NAME: u16 = 0x3001;
    pub(super) const CONTENT_COUNT: u16 = 0x3602;
    pub(super) const CONTENT_UNREAD: u16 = 0x3603;
    pub(super) const ASSOCIATED_COUNT: u16 = 0x3617;
    pub(super) const CONTAINER_CLASS: u16 = 0x3613;
    pub(super) const ATTACH_DATA: u16 = 0x3701;
    pub(super) const ATTACH_METHOD: u16 = 0x3705;
    pub(super) const PASSWORD: u16 = 0x67FF;
    pub(super) const CODE_PAGE: u16 = 0x66C3;
}
