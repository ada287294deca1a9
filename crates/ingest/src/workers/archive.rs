//! An archive emptied by one worker after the other: a member at which one fails costs that member, and the next one goes on behind it.
//!
//! Not for: reading an archive (`embley_formats::archive`), mail stores (`store`). Main function: [`WorkerPool::open_archive`]. A member within whose content a
//! worker fails keeps what came of it; one that is not heard of any more comes with its name, without content. Both get the failure's defect, and the
//! archive lists them. Each worker is told what came before ([`Resume`]), so members, their order and all limits are those of one worker that does not fail.
//!
//! Invariant: it ends. A worker that gives nothing is followed by one that leaves out the next member, then, where members lie packed together, by one that
//! leaves out all of that block; if that gives nothing either, the rest is given up. After [`MOST_IN_A_ROW`] or [`MOST_FAILURES`] failures a last worker
//! gives the names of what is left.

use std::io::{self, Read};

use embley_formats::archive::ArchiveFormat;
use embley_formats::opened::{Members, Onward, Opened, Resume};
use embley_formats::worker::{ItemHeader, Job};
use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;

use super::error::WorkerError;
use super::exchange::{Spent, WorkerGone};
use super::failure::JobFailure;
use super::input::JobInput;
use super::pool::{Order, WorkerPool};

/// Workers that one archive may cost. As for stores: each is a start of a process, and perhaps a wait for one that hangs.
const MOST_FAILURES: u64 = 100;
/// The same without a whole member between them: so many beside one another are no accident.
const MOST_IN_A_ROW: u64 = 20;

/// The job that goes on behind what came before.
type MakeJob<'j> = dyn Fn(Resume) -> Job + 'j;

impl WorkerPool {
    /// Empties an archive.
    ///
    /// # Errors
    /// When no worker can be started, or `members` cannot go on.
    pub(super) fn open_archive(
        &self,
        format: ArchiveFormat,
        job: &MakeJob<'_>,
        input: &JobInput<'_>,
        members: &mut dyn Members,
    ) -> Result<Opened, WorkerError> {
        let prepared = input.prepare().map_err(|source| WorkerError::Input {
            bytes: input.len(),
            source,
        })?;
        let mut place = self.check_out();
        let mut emptying = Emptying {
            members,
            has_blocks: format == ArchiveFormat::SevenZip,
            resume: Resume::default(),
            mark: None,
            costs: Vec::new(),
            came: 0,
            broken: None,
            whole: 0,
            named: 0,
            failures: 0,
            in_a_row: 0,
        };
        loop {
            let resume = emptying.resume;
            let spent = Spent {
                items: resume.members,
                bytes: resume.bytes,
            };
            emptying.came = 0;
            let mut take = |header: ItemHeader, bytes: &mut dyn Read| emptying.take(header, bytes);
            let order = Order::going_on(job(resume), spent);
            match self.run_in::<ItemHeader, Opened>(&mut place.place, &order, &prepared, &mut take)? {
                Ok(answer) => return Ok(emptying.end(answer.answer)),
                Err(failure) => {
                    if !emptying.go_on(&failure) {
                        return Ok(emptying.give_up(&failure));
                    }
                }
            }
        }
    }
}

/// What has come of an archive.
struct Emptying<'m> {
    members: &'m mut dyn Members,
    /// Members may lie packed together, so that one leads to the next.
    has_blocks: bool,
    resume: Resume,
    /// The failure over the next member, which was not heard of.
    mark: Option<JobFailure>,
    /// What members cost workers, for the defects of the archive.
    costs: Vec<Defect>,
    /// Members that the present worker gave.
    came: u64,
    /// The path of the member within which the present worker failed.
    broken: Option<Vec<u8>>,
    whole: u64,
    /// Members of which only the name is known, for no fault of theirs.
    named: u64,
    failures: u64,
    in_a_row: u64,
}

impl Emptying<'_> {
    fn take(&mut self, header: ItemHeader, bytes: &mut dyn Read) -> io::Result<()> {
        let ItemHeader { mut member, tally } = header;
        let mut is_whole = false;
        if let Some(failure) = self.mark.take() {
            let defect = failure.defect();
            self.cost(&member.path, &defect);
            member.defects.push(defect);
        } else if self.resume.onward == Onward::Names {
            self.named += 1;
            let text = format!("not read: {} workers failed over members before it", self.failures);
            member.defects.push(Defect::new(DefectCode::ArchiveLimit, text));
        } else {
            is_whole = true;
        }
        self.came += 1;
        self.resume.members += 1;
        self.resume.tally = tally;
        let path = member.path.clone();
        let mut content = Content {
            bytes,
            given: 0,
            end: None,
        };
        let taken = self.members.member(member, &mut content);
        content.finish();
        self.resume.bytes = self.resume.bytes.saturating_add(content.given);
        match content.end {
            Some(End::Whole) | None => {}
            Some(End::Broken) => self.resume.cut += 1,
            Some(End::WorkerGone) => {
                self.resume.cut += 1;
                self.broken = Some(path);
                is_whole = false;
            }
        }
        if is_whole {
            self.whole += 1;
            self.in_a_row = 0;
        }
        taken
    }

    /// Counts a failure; how the next worker goes on, or false when there is no way.
    fn go_on(&mut self, failure: &JobFailure) -> bool {
        self.failures += 1;
        self.in_a_row += 1;
        let onward = self.resume.onward;
        self.resume.onward = match (self.broken.take(), onward) {
            (_, Onward::Names) => return false,
            (Some(path), _) => {
                self.cost(&path, &failure.defect());
                Onward::Everything
            }
            // Not even what is left out was come to: what breaks stands before it.
            (None, Onward::BehindNext) if self.came == 0 && self.has_blocks => Onward::AroundBlock,
            (None, Onward::BehindNext | Onward::AroundBlock) if self.came == 0 => return false,
            (None, Onward::Everything | Onward::BehindNext | Onward::AroundBlock) => {
                self.mark = Some(failure.clone());
                Onward::BehindNext
            }
        };
        if self.failures >= MOST_FAILURES || self.in_a_row >= MOST_IN_A_ROW {
            self.resume.onward = Onward::Names;
        }
        true
    }

    /// Notes a member that cost a worker.
    fn cost(&mut self, path: &[u8], defect: &Defect) {
        let detail = format!("{}: {}", String::from_utf8_lossy(path), defect.detail);
        self.costs.push(Defect::new(defect.code, detail));
    }

    /// What is said when the last worker came to the end.
    fn end(mut self, mut opened: Opened) -> Opened {
        if let Some(failure) = self.mark.take() {
            let defect = failure.defect();
            let detail = format!("behind the last member: {}", defect.detail);
            self.costs.push(Defect::new(defect.code, detail));
        }
        if self.named > 0 {
            opened.searchability = Some(Searchability::Failed);
            opened.defects.push(self.counts("are named and not read"));
        }
        opened.defects.append(&mut self.costs);
        opened
    }

    /// What is said when no worker comes to the end.
    fn give_up(mut self, failure: &JobFailure) -> Opened {
        let mut opened = failure.opened();
        opened.defects.push(self.counts("are named; the rest is given up"));
        opened.defects.append(&mut self.costs);
        opened
    }

    fn counts(&self, named: &str) -> Defect {
        let text = format!(
            "{} workers failed: {} members came whole, {} cost a worker, {} {named}",
            self.failures,
            self.whole,
            self.costs.len(),
            self.named
        );
        Defect::new(DefectCode::ArchiveLimit, text)
    }
}

/// How a content ended.
enum End {
    Whole,
    /// For a reason that its reader gave.
    Broken,
    /// With its worker.
    WorkerGone,
}

/// The content of a member, counted.
struct Content<'b> {
    bytes: &'b mut dyn Read,
    given: u64,
    end: Option<End>,
}

impl Content<'_> {
    /// Passes over what the taker left, which counts too.
    fn finish(&mut self) {
        let mut scratch = [0; 8192];
        while self.end.is_none() {
            // An error is kept as the end.
            let _ = self.read(&mut scratch);
        }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        match self.bytes.read(buf) {
            Ok(0) => self.end = Some(End::Whole),
            Ok(count) => {
                self.given = self.given.saturating_add(count as u64);
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.end = Some(if WorkerGone::is(&error) {
                    End::WorkerGone
                } else {
                    End::Broken
                });
                return Err(error);
            }
        }
        Ok(0)
    }
}
