//! What the frames say: jobs, answers, and how a worker is confined.
//!
//! Not for: bytes on the socket (`frame`). Main types: [`Job`], [`Request`], [`AnswerHeader`]. Invariant: both sides are the same binary, and
//! [`PROTOCOL_VERSION`] in the greeting catches a binary that was replaced while the caller ran.

use embley_model::defect::DefectCode;
use serde::{Deserialize, Serialize};

use crate::opened::{Member, OpenLimits, Resume, Tally};
use crate::smime::keys::SecretKey;

/// Changed with every change of the frames or of what they say.
pub const PROTOCOL_VERSION: u32 = 5;

/// One thing to be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// A document, archive, mail store or message file: members, then an [`Opened`](crate::opened::Opened).
    Open {
        /// What detection said it is.
        media_type: String,
        /// Its file name, for formats that are told by it; bytes, as it stands.
        name: Vec<u8>,
        /// Tried in order on what is encrypted.
        passwords: Vec<String>,
        /// Private keys to try, for what they may open; empty for everything else.
        keys: Vec<SecretKey>,
        /// Bounds.
        limits: OpenLimits,
        /// For an archive, what a worker gave that was lost over it; other readers give everything again.
        resume: Resume,
    },
    /// A PST or OST, or the share that one of several workers has in it: members, then an [`Opened`](crate::opened::Opened) about the whole store.
    Store {
        /// Which members.
        share: Share,
        /// Bounds.
        limits: OpenLimits,
    },
    /// Recognition of characters in an image or in the pages of a PDF that have no text: an [`Opened`](crate::opened::Opened) without members. For workers
    /// that may run helpers.
    Ocr {
        /// What detection said it is.
        media_type: String,
        /// Its file name; bytes, as it stands.
        name: Vec<u8>,
        /// Language data to use, such as `eng+deu`.
        languages: String,
        /// Time for all of it. The caller must wait longer, or everything is lost when it is over.
        seconds: u64,
        /// Bounds.
        limits: OpenLimits,
    },
    /// For tests of the caller; refused unless the worker was started for tests.
    Test(TestJob),
}

/// Which members of a mail store a worker gives, where several read one store. All of them walk the tables of folders, which is cheap and gives them the
/// same list of members; each loads its own only. Members are dealt out in turns of [`Share::TURN`], not in halves, so that whoever puts them together again
/// in their order never waits for one worker while it must keep what another gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Share {
    /// Whose it is, from 0.
    pub index: u64,
    /// How many there are; 1 at least.
    pub of: u64,
    /// Members of this share that are passed over, because a worker that failed later gave them.
    pub given: u64,
    /// The first member that is given is the one at which a worker failed: it comes with its path and is not loaded.
    pub lost: bool,
}

impl Share {
    /// Members that are one worker's turn. Enough for neighbours to find the same pages in the cache, few enough to be read ahead.
    pub const TURN: u64 = 16;

    /// All of a store.
    pub const WHOLE: Self = Self {
        index: 0,
        of: 1,
        given: 0,
        lost: false,
    };

    /// Whose member this is, by its place in the store.
    pub fn owner(position: u64, of: u64) -> u64 {
        position / Self::TURN % of.max(1)
    }
}

/// Ways to misbehave, and to look at the walls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestJob {
    /// Gives the input back, as this many members and as text.
    Echo {
        /// How many times.
        times: u64,
    },
    /// Ends by SIGSEGV, after one member.
    Segfault,
    /// Aborts.
    Abort,
    /// Recurses until the stack ends.
    Overflow,
    /// Panics.
    Panic,
    /// Reads a store as [`Job::Store`] does, and fails on the way.
    Store {
        /// Which members.
        share: Share,
        /// Aborts when it is to load the member at one of these places in the store.
        abort: Vec<u64>,
        /// Aborts within the content of the member at one of these.
        cut: Vec<u64>,
    },
    /// Never ends.
    Hang,
    /// Sleeps for ever without using the processor.
    Sleep,
    /// Allocates this many bytes and writes to them.
    Eat {
        /// How many.
        bytes: u64,
    },
    /// Writes rubbish to standard output, standard error and standard input, then answers in good order.
    Babble {
        /// How many bytes on each.
        bytes: u64,
    },
    /// Writes rubbish to the socket.
    Garble,
    /// Says that a member is shorter than what it sends, or sends more than the limits allow.
    Flood,
    /// Leaves a file in the folder for temporary files.
    Litter,
    /// Tries what it should not be able to do; the answer's text is a JSON list of [`TouchOutcome`].
    Touch {
        /// Files to open for reading.
        read: Vec<String>,
        /// Files to make.
        write: Vec<String>,
        /// TCP ports of 127.0.0.1 to connect to.
        connect: Vec<u16>,
        /// Programs to run.
        run: Vec<String>,
    },
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchOutcome {
    /// What was tried, such as `read /etc/passwd`.
    pub what: String,
    /// The error of the system; nothing when it worked.
    pub refused: Option<String>,
}

/// A job and the bytes it is about: the descriptor that travels with the frame, from `offset`, `length` bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What to do.
    pub job: Job,
    /// First byte.
    pub offset: u64,
    /// How many.
    pub length: u64,
}

/// A member, before its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemHeader {
    /// Its path and what is odd about it.
    #[serde(flatten)]
    pub member: Member,
    /// What an archive's reader has counted, this member with it.
    #[serde(default)]
    pub tally: Tally,
}

/// The end of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemEnd {
    /// Why its content broke off; nothing when it is whole.
    pub error: Option<String>,
}

/// The answer of a job; its text came before, in frames of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerHeader<A> {
    /// The answer, for `Open` an [`Opened`](crate::opened::Opened) without its text.
    pub answer: A,
    /// Bytes of the text that was sent.
    pub blob_bytes: u64,
}

/// A failure that the worker could still speak of. It ends after that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFault {
    /// `PARSER-PANIC` for a panic.
    pub code: DefectCode,
    /// What and where.
    pub detail: String,
}

/// How much of landlock holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Landlock {
    /// Everything that this program asks for.
    Full,
    /// What the kernel knows of it.
    Partial,
    /// Nothing: the kernel is too old or was built or started without it.
    None,
}

/// The first thing that a worker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL_VERSION`] of the worker.
    pub version: u32,
    /// Whether files and network are closed to it.
    pub landlock: Landlock,
    /// Version of the kernel's landlock interface, as far as it is used; 0 for none. Network rules need 4.
    pub landlock_abi: u32,
    /// What could not be confined, for people.
    pub weak: Vec<String>,
}
