//! The way out: members pass here one by one, are counted and held against the limits.
//!
//! Not for: reading a format. Main type: [`Outlet`]. Invariant: no byte reaches the taker uncounted; a limit that fires says so, and what was left out where
//! that is known; a panic of a reader is a defect, one of the taker goes on.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use embley_model::defect::{Class, Defect, DefectCode};
use embley_model::item::Searchability;

use super::{Emptying, fault};
use crate::opened::{Member, Members, Onward, OpenLimits, Opened, Resume, Tally};

/// Members' bytes before the ratio is looked at.
const RATIO_FROM_BYTES: u64 = 64 << 20;
/// Oddities of one container that are listed; the rest is counted.
const MAX_DEFECTS: usize = 1_000;
/// Paths that are remembered to tell names that come twice.
const MAX_PATHS: usize = 4_000_000;

/// Goes on, or stops because a limit fired.
pub(super) type Flow = ControlFlow<()>;

/// What becomes of the next member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It came before.
    Passed,
    /// It is handed over without its bytes.
    Named,
    /// It is read.
    Read,
}

/// Counts and hands over.
pub(super) struct Outlet<'a> {
    limits: &'a OpenLimits,
    container_bytes: u64,
    members: &'a mut dyn Members,
    before: &'a mut dyn FnMut(u64),
    resume: Resume,
    opened: Opened,
    count: u64,
    /// Members with bytes or rightly without, as opposed to those that could not be opened at all.
    readable: u64,
    encrypted: u64,
    total_bytes: u64,
    cut: u64,
    more_defects: u64,
    stopped: bool,
    in_taker: bool,
    paths: HashSet<u64>,
    hasher: RandomState,
}

impl<'a> Outlet<'a> {
    pub(super) fn new(
        emptying: &Emptying<'a>,
        container_bytes: u64,
        members: &'a mut dyn Members,
        before: &'a mut dyn FnMut(u64),
    ) -> Self {
        let resume = emptying.resume;
        let mut outlet = Self {
            limits: emptying.limits,
            container_bytes,
            members,
            before,
            resume,
            opened: Opened::default(),
            count: 0,
            readable: resume.tally.readable,
            encrypted: resume.tally.encrypted,
            total_bytes: resume.bytes,
            cut: resume.cut,
            more_defects: 0,
            stopped: false,
            in_taker: false,
            paths: HashSet::new(),
            hasher: RandomState::new(),
        };
        outlet.opened.passwords_tried = resume.tally.passwords_tried;
        if let Some(index) = resume.tally.password_used {
            outlet.password_used(index as usize);
        }
        outlet
    }

    /// Runs a reader. Its panic becomes a defect, the taker's goes on.
    pub(super) fn run(&mut self, reader: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        let outcome = catch_unwind(AssertUnwindSafe(|| reader(self)));
        match outcome {
            Ok(result) => result,
            Err(panic) if self.in_taker => resume_unwind(panic),
            Err(_) => {
                self.defect(DefectCode::ParserPanic, "the reader of the container failed");
                Ok(())
            }
        }
    }

    /// Names a reader; several are joined, outer first.
    pub(super) fn reader(&mut self, name: &str) {
        if !self.opened.reader.is_empty() {
            self.opened.reader.push('+');
        }
        self.opened.reader.push_str(name);
    }

    /// Says something odd about the container.
    pub(super) fn defect(&mut self, code: DefectCode, detail: impl Into<String>) {
        self.push(Defect::new(code, detail));
    }

    /// Says something odd about the container.
    pub(super) fn push(&mut self, defect: Defect) {
        if self.opened.defects.len() < MAX_DEFECTS {
            self.opened.defects.push(defect);
        } else {
            self.more_defects += 1;
        }
    }

    /// Counts a password that was tried.
    pub(super) fn password_tried(&mut self) {
        self.opened.passwords_tried = self.opened.passwords_tried.saturating_add(1);
    }

    /// Notes which password opened it; the first one is said.
    pub(super) fn password_used(&mut self, index: usize) {
        if self.opened.password_used.is_none() {
            self.opened.password_used = u32::try_from(index).ok();
            self.defect(
                DefectCode::ArchivePassword,
                format!("password {} of the list opened it", index + 1),
            );
        }
    }

    /// The container as a whole could not be opened.
    pub(super) fn closed(&mut self, searchability: Searchability) {
        self.opened.searchability = Some(searchability);
    }

    /// Members handed over so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// What becomes of the next member. A reader that does not ask may unpack what nobody wants, and nothing else.
    pub(super) fn next(&self) -> Next {
        if self.count < self.resume.members {
            return Next::Passed;
        }
        match self.resume.onward {
            Onward::Names => Next::Named,
            Onward::BehindNext | Onward::AroundBlock if self.count == self.resume.members => Next::Named,
            Onward::Everything | Onward::BehindNext | Onward::AroundBlock => Next::Read,
        }
    }

    /// True when a block of so many members, which come next, is handed over without being unpacked: none of it is wanted, or the way leads around it.
    pub(super) fn is_shut(&self, members: u64) -> bool {
        let end = self.count.saturating_add(members);
        match self.resume.onward {
            Onward::Names => true,
            Onward::AroundBlock if self.count <= self.resume.members => true,
            Onward::BehindNext => end <= self.resume.members.saturating_add(1),
            Onward::Everything | Onward::AroundBlock => end <= self.resume.members,
        }
    }

    /// Passwords tried so far, also by an earlier reader.
    pub(super) fn passwords_tried(&self) -> u64 {
        self.opened.passwords_tried.into()
    }

    /// How many members may still come.
    pub(super) fn room(&self) -> u64 {
        self.limits.max_members.saturating_sub(self.count)
    }

    /// Bytes that one member may have.
    pub(super) fn max_member_bytes(&self) -> u64 {
        self.limits.max_member_bytes
    }

    /// Says that a limit left `members` (with `bytes`, where known) out.
    pub(super) fn left_out(&mut self, members: u64, bytes: Option<u64>) {
        if members == 0 {
            return;
        }
        let bytes = bytes.map_or_else(String::new, |bytes| format!(", {bytes} bytes by their own account"));
        self.defect(
            DefectCode::ArchiveLimit,
            format!("{members} more members were left out{bytes}"),
        );
    }

    /// Hands over a member that has no bytes that can be read, for the reason in its defects.
    pub(super) fn give_closed(&mut self, member: Member) -> io::Result<Flow> {
        self.hand(member, &mut io::empty(), false)
    }

    /// Hands over a member.
    pub(super) fn give(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<Flow> {
        self.hand(member, bytes, true)
    }

    fn hand(&mut self, mut member: Member, bytes: &mut dyn Read, readable: bool) -> io::Result<Flow> {
        if self.stopped {
            return Ok(Flow::Break(()));
        }
        if self.count >= self.limits.max_members {
            self.stop(format!("more than {} members", self.limits.max_members));
            return Ok(Flow::Break(()));
        }
        let next = self.next();
        let place = self.count;
        self.count += 1;
        let is_known = self.paths.len() < MAX_PATHS
            && !member.path.is_empty()
            && !self.paths.insert(self.hasher.hash_one(&member.path));
        let nothing: &mut dyn Read = &mut io::empty();
        let bytes = match next {
            Next::Passed => return Ok(Flow::Continue(())),
            Next::Named => nothing,
            Next::Read => {
                if readable {
                    self.readable += 1;
                } else if member
                    .defects
                    .iter()
                    .any(|defect| defect.code == DefectCode::ArchiveEncrypted)
                {
                    self.encrypted += 1;
                }
                (self.before)(place);
                bytes
            }
        };
        if is_known {
            member.defects.push(Defect::new(DefectCode::ArchiveNameTwice, ""));
        }
        self.members.tally(Tally {
            readable: self.readable,
            encrypted: self.encrypted,
            passwords_tried: self.opened.passwords_tried,
            password_used: self.opened.password_used,
        });
        let mut metered = Metered {
            inner: bytes,
            given: 0,
            end: None,
            stop: None,
            max_member_bytes: self.limits.max_member_bytes,
            total_left: self.limits.max_total_bytes.saturating_sub(self.total_bytes),
            ratio_left: ratio_left(self.limits, self.container_bytes, self.total_bytes),
        };
        self.in_taker = true;
        let taken = self.members.member(member, &mut metered);
        self.in_taker = false;
        let (given, end, stop) = (metered.given, metered.end.take(), metered.stop.take());
        self.total_bytes = self.total_bytes.saturating_add(given);
        taken?;
        if end.is_some() {
            self.cut += 1;
        }
        if let Some(why) = stop {
            self.stop(why);
            return Ok(Flow::Break(()));
        }
        Ok(Flow::Continue(()))
    }

    fn stop(&mut self, why: String) {
        self.stopped = true;
        self.defect(DefectCode::ArchiveLimit, why);
    }

    /// What opening gave.
    pub(super) fn finish(mut self) -> Opened {
        if self.cut > 0 {
            let text = format!("{} members ended with a fault; each says which", self.cut);
            self.defect(DefectCode::ArchiveMember, text);
        }
        if self.encrypted > 0 {
            let text = format!("{} of {} members are encrypted", self.encrypted, self.count);
            self.defect(DefectCode::ArchiveEncrypted, text);
            if self.readable == 0 {
                self.opened.searchability = Some(Searchability::Encrypted);
            }
        }
        let nothing = self.count == 0 && self.opened.searchability.is_none();
        if nothing
            && self
                .opened
                .defects
                .iter()
                .any(|defect| defect.code.class() > Class::Note)
        {
            self.opened.searchability = Some(Searchability::Failed);
        }
        if self.more_defects > 0 {
            let text = format!("{} more oddities of the container are not listed", self.more_defects);
            self.opened
                .defects
                .push(Defect::new(DefectCode::ArchiveStructure, text));
        }
        self.opened
    }
}

/// Bytes that may still come out before the ratio is beyond its limit.
fn ratio_left(limits: &OpenLimits, container_bytes: u64, total_bytes: u64) -> u64 {
    container_bytes
        .saturating_mul(limits.max_ratio)
        .max(RATIO_FROM_BYTES)
        .saturating_sub(total_bytes)
}

/// The bytes of one member, counted. After its end or its error it gives nothing more.
struct Metered<'a> {
    inner: &'a mut dyn Read,
    given: u64,
    /// Why it ended before the member did.
    end: Option<Defect>,
    /// Why nothing may come after it.
    stop: Option<String>,
    max_member_bytes: u64,
    total_left: u64,
    ratio_left: u64,
}

impl Metered<'_> {
    fn left(&self) -> u64 {
        self.max_member_bytes
            .min(self.total_left)
            .min(self.ratio_left)
            .saturating_sub(self.given)
    }

    fn fail(&mut self, defect: Defect) -> io::Error {
        self.end = Some(defect.clone());
        fault::carry(defect)
    }

    /// One read that cannot panic.
    fn read_inner(&mut self, buf: &mut [u8]) -> Result<usize, Defect> {
        loop {
            let inner = &mut self.inner;
            match catch_unwind(AssertUnwindSafe(|| inner.read(&mut *buf))) {
                Ok(Ok(count)) => return Ok(count.min(buf.len())),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(fault::of(&error)),
                Err(_) => return Err(Defect::new(DefectCode::ParserPanic, "the decoder failed")),
            }
        }
    }

    fn beyond(&mut self) -> io::Error {
        let given = self.given;
        let why = if given >= self.max_member_bytes {
            format!("a member has more than {given} bytes")
        } else if given >= self.total_left {
            let why = "the members have more bytes together than allowed".to_owned();
            self.stop = Some(why.clone());
            why
        } else {
            let why = "the members have more bytes than the container's bytes allow".to_owned();
            self.stop = Some(why.clone());
            why
        };
        let text = format!("{why}; cut after {given} bytes");
        self.fail(Defect::new(DefectCode::ArchiveLimit, text))
    }
}

impl Read for Metered<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.end.is_some() || buf.is_empty() {
            return Ok(0);
        }
        let left = self.left();
        if left == 0 {
            return match self.read_inner(&mut [0]) {
                Ok(0) => Ok(0),
                Ok(_) => Err(self.beyond()),
                Err(defect) => Err(self.fail(defect)),
            };
        }
        let most = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        match self.read_inner(&mut buf[..most]) {
            Ok(count) => {
                self.given += count as u64;
                Ok(count)
            }
            Err(defect) => Err(self.fail(defect)),
        }
    }
}
