//! What a caller decides: memory for caches, limits for what is held at once.

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PstOptions {
    /// Bytes of blocks and pages that are kept for the next reader.
    pub cache_bytes: usize,
    /// When the whole file is looked through for leaf pages that the trees do not reach (one pass, some 40 bytes of memory a page).
    pub scan: ScanMode,
}

/// When a file is looked through for lost pages of its trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanMode {
    /// Never.
    Never,
    /// When the header or a page on the way to something is damaged.
    WhenDamaged,
    /// Also in a sound file: pages that were given up may still name messages that were deleted.
    Always,
}

impl Default for PstOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            scan: ScanMode::WhenDamaged,
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
