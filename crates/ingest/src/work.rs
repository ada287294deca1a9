//! One unit through the free and the decide steps: read, unquote, hash, decide, pack, parse.
//!
//! Runs on any worker; what it returns waits in the number lane. The decide step is passed in ticket order.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use embley_formats::FormatError;
use embley_formats::mail::{self, ParseLimits};
use embley_formats::mailbox::{UnquoteReader, Variant, unquote};
use embley_formats::mapi::bundle;
use embley_formats::opened::is_only_a_container;
use embley_formats::probe::FileKind;
use embley_formats::source::SourceFile;
use embley_model::defect::{Defect, DefectCode};
use embley_model::event::Stage;
use embley_model::id::{Blake3, Sha256};
use embley_store::packs::FrameBuilder;
use sha2::Digest;

use crate::bundles::{FileBundle, HeldBundle};
use crate::dedup::DedupTable;
use crate::error::IngestError;
use crate::load::{Bytes, EntryKind, Loaded, LoadedEntry, load};
use crate::order::Turnstile;
use crate::prepare::{self, Depth, DocumentKind, Given};
use crate::request::IngestOptions;
use crate::unit::{
    FileContext, Outcome, PreparedEntry, PreparedFamily, PreparedItem, PreparedUnit, StreamedOriginal, Unit,
};

/// Said of a bundle that is none.
const NOT_WHOLE: &str = "what the reader of its container gave is not whole";

/// The variant in which nothing is quoted: bytes are read as they stand.
pub(crate) const AS_IT_IS: Variant = Variant::Mboxcl2;

/// What a worker keeps between units.
pub(crate) struct Worker<'a> {
    pub(crate) options: &'a IngestOptions,
    pub(crate) depth: Depth,
    pub(crate) limits: ParseLimits,
    pub(crate) frames: FrameBuilder,
    /// Time spent in `frames` for the unit in hand.
    pub(crate) packing_nanos: u64,
    pub(crate) known_hashes: &'a KnownHashes,
    /// Archives and stores of mail are copied into the case.
    pub(crate) keep_containers: bool,
    /// The worker's number, for the in-flight names.
    pub(crate) slot: usize,
}

/// Hashes of originals that the caller wants left out.
#[derive(Default)]
pub(crate) struct KnownHashes {
    sha256: std::collections::HashSet<[u8; 32]>,
}

impl KnownHashes {
    /// Reads hexadecimal SHA-256 values.
    ///
    /// # Errors
    /// Names the first line that is none.
    pub(crate) fn read(lines: &[String]) -> Result<Self, IngestError> {
        let mut sha256 = std::collections::HashSet::new();
        for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
            let hash = Sha256::from_hex(line).ok_or_else(|| IngestError::Request {
                detail: format!("known hashes: {line:?} is not a SHA-256 in hexadecimal"),
            })?;
            sha256.insert(hash.0);
        }
        Ok(Self { sha256 })
    }
}

/// An entry with the bytes that identify it.
struct Hashed<'b> {
    loaded: LoadedEntry,
    /// A message of properties: all that its reader gave.
    bundle: Option<HeldBundle<'b>>,
    identity: Identity<'b>,
    blake3: Blake3,
    /// Known already for what is streamed.
    sha256: Option<Sha256>,
    size: u64,
}

enum Identity<'b> {
    Memory(Cow<'b, [u8]>),
    File {
        file: Arc<FileContext>,
        range: Range<u64>,
        variant: Option<Variant>,
    },
    Unreadable(Defect),
}

impl Worker<'_> {
    /// Takes one unit through everything up to its place in the number lane.
    ///
    /// # Errors
    /// When the run is being stopped by another worker's failure, or the program is wrong.
    pub(crate) fn run(&mut self, mut unit: Unit, decide: &Turnstile<DedupTable>) -> Result<PreparedUnit, IngestError> {
        let started = self.options.clock.monotonic_nanos();
        let loaded = match load(&mut unit) {
            Ok(loaded) => loaded,
            Err(error) => {
                decide.break_off();
                return Err(error);
            }
        };
        let Loaded {
            files,
            buffers,
            mut entries,
            progress,
            mut discovered,
        } = loaded;
        let count = entries.len() as u64;
        if let Some(file) = files.first() {
            self.options.counters.set_in_flight(self.slot, &file.shown);
        }
        self.lose_entry(&unit, &mut entries);
        let started = self.count(Stage::Read, count, unit.bytes, started);
        let hashed: Vec<Hashed<'_>> = entries
            .into_iter()
            .map(|entry| self.hash(entry, &files, &buffers))
            .collect();
        let started = self.count(Stage::Hash, count, unit.bytes, started);
        let fresh = self.decide(unit.ticket.0, &hashed, decide)?;
        let started = self.count(Stage::Decide, count, unit.bytes, started);
        let mut prepared = Vec::with_capacity(hashed.len());
        for (entry, fresh) in hashed.into_iter().zip(fresh) {
            let entry = self.prepare(entry, fresh, &files)?;
            if let Outcome::New(family) = &entry.outcome {
                discovered[entry.file].children += family.items.len() as u64 - 1;
            }
            prepared.push(entry);
        }
        let packed = self.pack(FrameBuilder::finish)?;
        let packing = std::mem::take(&mut self.packing_nanos);
        self.options.counters.add(Stage::Pack, count, unit.bytes, packing);
        self.count(Stage::Parse, count, unit.bytes, started + packing);
        Ok(PreparedUnit {
            ticket: unit.ticket,
            notes: unit.notes,
            files,
            progress,
            entries: prepared,
            discovered_by_file: discovered,
            packed,
            bytes: unit.bytes,
        })
    }

    fn count(&self, stage: Stage, items: u64, bytes: u64, started: u64) -> u64 {
        let now = self.options.clock.monotonic_nanos();
        self.options
            .counters
            .add(stage, items, bytes, now.saturating_sub(started));
        now
    }

    /// Does something with the frames, and takes the time.
    fn pack<T>(&mut self, work: impl FnOnce(&mut FrameBuilder) -> T) -> T {
        let started = self.options.clock.monotonic_nanos();
        let done = work(&mut self.frames);
        self.packing_nanos += self.options.clock.monotonic_nanos().saturating_sub(started);
        done
    }

    /// For the test of the reconciliation only.
    fn lose_entry(&self, unit: &Unit, entries: &mut Vec<LoadedEntry>) {
        if self.options.lose_entry == Some(unit.ticket.0) && !entries.is_empty() {
            entries.remove(0);
        }
    }

    fn hash<'b>(&self, mut loaded: LoadedEntry, files: &[Arc<FileContext>], buffers: &'b [Vec<u8>]) -> Hashed<'b> {
        let unreadable = |loaded: LoadedEntry, defect: Defect| Hashed {
            loaded,
            bundle: None,
            identity: Identity::Unreadable(defect),
            blake3: Blake3([0; 32]),
            sha256: None,
            size: 0,
        };
        match loaded.bytes.clone() {
            Bytes::None(defect) => unreadable(loaded, defect),
            Bytes::Memory { buffer, range } => {
                let as_found = &buffers[buffer][range];
                let mut held = None;
                let bytes = if let EntryKind::Bundle = loaded.kind {
                    let Some(read) = bundle::read(as_found) else {
                        return unreadable(loaded, Defect::new(DefectCode::WorkerProtocol, NOT_WHOLE));
                    };
                    let canonical = read.canonical;
                    held = Some(HeldBundle::Memory(read));
                    Cow::Borrowed(canonical)
                } else {
                    identity_bytes(as_found, &mut loaded, self.depth)
                };
                let blake3 = if self.depth == Depth::Whole {
                    prepare::blake3_of(&bytes)
                } else {
                    Blake3([0; 32])
                };
                let size = bytes.len() as u64;
                Hashed {
                    loaded,
                    bundle: held,
                    identity: Identity::Memory(bytes),
                    blake3,
                    sha256: None,
                    size,
                }
            }
            Bytes::File { .. } if matches!(loaded.kind, EntryKind::Bundle) => {
                match FileBundle::open(&files[loaded.file].absolute) {
                    Ok(Some(bundle)) => {
                        let canonical = bundle.canonical().to_vec();
                        Hashed {
                            loaded,
                            blake3: prepare::blake3_of(&canonical),
                            sha256: None,
                            size: canonical.len() as u64,
                            identity: Identity::Memory(Cow::Owned(canonical)),
                            bundle: Some(HeldBundle::File(bundle)),
                        }
                    }
                    Ok(None) => {
                        let defect = Defect::new(DefectCode::WorkerProtocol, NOT_WHOLE);
                        unreadable(loaded, defect)
                    }
                    Err(error) => unreadable(loaded, Defect::new(DefectCode::SourceBadRange, error.to_string())),
                }
            }
            Bytes::File { range } => {
                let file = Arc::clone(&files[loaded.file]);
                match streamed_identity(&file, &range, loaded.variant) {
                    Ok(streamed) => {
                        loaded.found.unquoted = streamed
                            .variant
                            .is_some_and(|_| streamed.size != range.end - range.start);
                        loaded.found.second = streamed.second;
                        Hashed {
                            loaded,
                            bundle: None,
                            identity: Identity::File {
                                file,
                                range,
                                variant: streamed.variant,
                            },
                            blake3: streamed.blake3,
                            sha256: Some(streamed.sha256),
                            size: streamed.size,
                        }
                    }
                    Err(error) => unreadable(loaded, Defect::new(DefectCode::SourceBadRange, error.to_string())),
                }
            }
        }
    }

    fn decide(
        &self,
        ticket: u64,
        hashed: &[Hashed<'_>],
        decide: &Turnstile<DedupTable>,
    ) -> Result<Vec<bool>, IngestError> {
        if self.depth == Depth::ParseOnly {
            return Ok(vec![true; hashed.len()]);
        }
        decide.pass(ticket, |table| {
            hashed
                .iter()
                .map(|entry| !matches!(entry.identity, Identity::Unreadable(_)) && table.claim(entry.blake3.half()))
                .collect()
        })
    }

    fn prepare(
        &mut self,
        entry: Hashed<'_>,
        fresh: bool,
        files: &[Arc<FileContext>],
    ) -> Result<PreparedEntry, IngestError> {
        let file = entry.loaded.file;
        let context = &files[file];
        let outcome = match entry.identity {
            Identity::Unreadable(defect) => Outcome::Excepted(defect),
            _ if !fresh => Outcome::Known(entry.blake3.half()),
            Identity::Memory(bytes) => {
                let sha256 = if self.depth == Depth::Whole {
                    prepare::sha256(&bytes)
                } else {
                    Sha256([0; 32])
                };
                if self.known_hashes.sha256.contains(&sha256.0) {
                    Outcome::Excluded
                } else {
                    let referenced = self.is_referenced(&entry.loaded, context);
                    let span = (self.depth == Depth::Whole && !referenced)
                        .then(|| self.pack(|frames| frames.add(&bytes, &entry.blake3)))
                        .transpose()?;
                    let digests = (entry.blake3, sha256);
                    let items = match entry.bundle {
                        Some(bundle) => self.bundle_items(&bundle, &bytes, &entry.loaded, digests, context)?,
                        None => self.items(&bytes, &entry.loaded, digests, context),
                    };
                    Outcome::New(Box::new(PreparedFamily {
                        items,
                        span,
                        streamed: None,
                        referenced,
                    }))
                }
            }
            Identity::File { file, range, variant } => {
                let sha256 = entry.sha256.unwrap_or(Sha256([0; 32]));
                let digests = (entry.blake3, sha256);
                let items = self.large_items(&file, &range, variant, &entry.loaded, digests, entry.size);
                let referenced = self.is_referenced(&entry.loaded, context);
                let streamed = StreamedOriginal {
                    path: file.absolute.clone(),
                    variant,
                    start: range.start,
                    end: range.end,
                };
                Outcome::New(Box::new(PreparedFamily {
                    items,
                    span: None,
                    streamed: (!referenced).then_some(streamed),
                    referenced,
                }))
            }
        };
        Ok(PreparedEntry {
            file,
            found: entry.loaded.found,
            outcome,
        })
    }

    /// True for a container that is hashed and left where it lies. One that came out of another has only the temporary copy, and one that nothing
    /// will open is kept.
    fn is_referenced(&self, loaded: &LoadedEntry, file: &FileContext) -> bool {
        let EntryKind::Loose(FileKind::Other { media_type, .. }) = &loaded.kind else {
            return false;
        };
        !self.keep_containers && file.spool.is_none() && is_only_a_container(media_type)
    }

    fn items(
        &self,
        bytes: &[u8],
        loaded: &LoadedEntry,
        (blake3, sha256): (Blake3, Sha256),
        file: &FileContext,
    ) -> Vec<PreparedItem> {
        let name = String::from_utf8_lossy(&file.name);
        let given = Given {
            filename: Some(&name),
            mtime_nanos: file.stat.mtime_nanos,
            blake3,
            sha256,
            defects: loaded.defects.clone(),
        };
        match &loaded.kind {
            EntryKind::Message => prepare::message(
                bytes,
                Given {
                    filename: None,
                    ..given
                },
                &self.limits,
                self.depth,
            ),
            // Its reader's answer was looked at above.
            EntryKind::Bundle => Vec::new(),
            EntryKind::Loose(kind) => {
                vec![prepare::document(
                    bytes,
                    bytes.len() as u64,
                    kind.into(),
                    given,
                    &self.limits,
                    self.depth,
                )]
            }
        }
    }

    /// The items of a message of properties; contents of attachments go into the frames beside it.
    fn bundle_items(
        &mut self,
        bundle: &HeldBundle<'_>,
        canonical: &[u8],
        loaded: &LoadedEntry,
        (blake3, sha256): (Blake3, Sha256),
        file: &FileContext,
    ) -> Result<Vec<PreparedItem>, IngestError> {
        let mut defects = loaded.defects.clone();
        defects.extend_from_slice(bundle.defects());
        let given = Given {
            filename: None,
            mtime_nanos: file.stat.mtime_nanos,
            blake3,
            sha256,
            defects,
        };
        let mut content = |hash: &[u8; 32]| bundle.content(hash);
        let mut long = bundle.long();
        let (mut items, parts) =
            prepare::properties_message(canonical, given, &mut content, &mut long, &self.limits, self.depth);
        if self.depth == Depth::Whole {
            self.pack(|frames| bundle.keep_parts(&mut items, parts, frames))?;
        }
        Ok(items)
    }

    fn large_items(
        &self,
        file: &FileContext,
        range: &Range<u64>,
        variant: Option<Variant>,
        loaded: &LoadedEntry,
        (blake3, sha256): (Blake3, Sha256),
        size: u64,
    ) -> Vec<PreparedItem> {
        let name = String::from_utf8_lossy(&file.name);
        let mut defects = loaded.defects.clone();
        defects.push(Defect::new(DefectCode::LargeMessage, format!("{size} bytes")));
        let given = Given {
            filename: Some(&name),
            mtime_nanos: file.stat.mtime_nanos,
            blake3,
            sha256,
            defects,
        };
        let source = match SourceFile::open(&file.absolute) {
            Ok(source) => source,
            Err(error) => return vec![unparsed(given, size, &error)],
        };
        match &loaded.kind {
            EntryKind::Message => {
                let given = Given {
                    filename: None,
                    ..given
                };
                match mail::parse_large(&source, range.clone(), variant.unwrap_or(AS_IT_IS), &self.limits) {
                    Ok(family) => prepare::family_items(family, given, self.depth),
                    Err(error) => vec![unparsed(given, size, &error)],
                }
            }
            // Its message is in memory, whatever its length.
            EntryKind::Bundle => vec![unparsed(
                given,
                size,
                &FormatError::Stream {
                    source: std::io::Error::other("a message of properties beyond its limit"),
                },
            )],
            EntryKind::Loose(kind) => {
                let wanted = if matches!(kind, FileKind::Text) {
                    self.limits.max_text_bytes
                } else {
                    0
                };
                let head = source.read_at_most(range.start, wanted).unwrap_or_default();
                vec![prepare::document(
                    &head,
                    size,
                    kind.into(),
                    given,
                    &self.limits,
                    self.depth,
                )]
            }
        }
    }
}

fn unparsed(given: Given<'_>, size: u64, error: &FormatError) -> PreparedItem {
    let mut given = given;
    given
        .defects
        .push(Defect::new(DefectCode::ParserPanic, error.to_string()));
    prepare::document(
        &[],
        size,
        DocumentKind::UNREAD,
        given,
        &ParseLimits::default(),
        Depth::Whole,
    )
}

/// The bytes that identify an entry (DOMAIN section 6): the unquoted message where the variant is known and quoting can be put
/// back exactly, else the slice as found, with the unquoted hash as a second key.
fn identity_bytes<'b>(as_found: &'b [u8], loaded: &mut LoadedEntry, depth: Depth) -> Cow<'b, [u8]> {
    let Some(variant) = loaded.variant else {
        return Cow::Borrowed(as_found);
    };
    let unquoted = unquote(variant, as_found);
    if unquoted.exact {
        loaded.found.unquoted = matches!(unquoted.bytes, Cow::Owned(_));
        return unquoted.bytes;
    }
    if depth == Depth::Whole {
        loaded.found.second = Some(prepare::blake3_of(&unquoted.bytes));
        loaded.defects.push(Defect::new(DefectCode::BoxVariantInDoubt, ""));
    }
    Cow::Borrowed(as_found)
}

struct StreamedIdentity {
    blake3: Blake3,
    sha256: Sha256,
    size: u64,
    second: Option<Blake3>,
    /// The variant to unquote by; `None` where the slice is the identity.
    variant: Option<Variant>,
}

/// Hashes a large entry in pieces: as found and unquoted at once, the way [`identity_bytes`] chooses between them.
fn streamed_identity(
    file: &FileContext,
    range: &Range<u64>,
    variant: Option<Variant>,
) -> Result<StreamedIdentity, FormatError> {
    let source = SourceFile::open(&file.absolute)?;
    let slice = digest_stream(&mut UnquoteReader::new(&source, range.clone(), AS_IT_IS))?;
    let Some(variant) = variant else {
        return Ok(StreamedIdentity {
            blake3: slice.0,
            sha256: slice.1,
            size: slice.2,
            second: None,
            variant: None,
        });
    };
    let mut reader = UnquoteReader::new(&source, range.clone(), variant);
    let unquoted = digest_stream(&mut reader)?;
    Ok(if reader.exact() {
        StreamedIdentity {
            blake3: unquoted.0,
            sha256: unquoted.1,
            size: unquoted.2,
            second: None,
            variant: Some(variant),
        }
    } else {
        StreamedIdentity {
            blake3: slice.0,
            sha256: slice.1,
            size: slice.2,
            second: Some(unquoted.0),
            variant: None,
        }
    })
}

fn digest_stream(reader: &mut dyn Read) -> Result<(Blake3, Sha256, u64), FormatError> {
    let mut blake3 = blake3::Hasher::new();
    let mut sha256 = sha2::Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = reader
            .read(&mut buffer)
            .map_err(|source| FormatError::Stream { source })?;
        if read == 0 {
            break;
        }
        blake3.update(&buffer[..read]);
        sha256.update(&buffer[..read]);
        size += read as u64;
    }
    Ok((
        Blake3(*blake3.finalize().as_bytes()),
        Sha256(sha256.finalize().into()),
        size,
    ))
}
