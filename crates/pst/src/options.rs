//! What a caller decides: memory for caches, limits for what is held at once.

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PstOptions {
    /// Bytes of blocks and pages that are kept for the next reader.
    pub cache_bytes: usize,
    /// When a page of a tree is damaged: look through the whole file for leaf pages (one pass, some 32 bytes of memory a page).
    pub scan_for_lost_pages: bool,
}

impl Default for PstOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            scan_for_lost_pages: true,
        }
    }
}

/// What one message may hold in memory. What is beyond a limit is left out and said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest content of an attachment in bytes; a longer one is [`Content::TooLong`](embley_mapi::Content::TooLong) and can be streamed.
    pub attachment_bytes: u64,
    /// Longest property in bytes; a longer one is cut.
    pub property_bytes: u64,
    /// All properties and contents of a message together, in bytes.
    pub message_bytes: u64,
    /// Most recipients and attachments of a message, with those of messages inside it.
    pub parts: u32,
    /// Deepest nesting of messages inside messages.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attachment_bytes: 32 << 20,
            property_bytes: 64 << 20,
            message_bytes: 256 << 20,
            parts: 50_000,
            depth: 32,
        }
    }
}
