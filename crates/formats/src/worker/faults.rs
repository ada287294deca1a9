//! Deaths of a worker at chosen members of an archive, so that tests see what that costs, also through the whole program.
//!
//! Not for: stores and jobs without input (`misbehave`). Main function: [`met`]. Invariant: nothing happens without [`FAULTS_VARIABLE`], which the caller hands on
//! from its own environment, as it does with failpoints.
//!
//! The variable holds `NAME:HOW:PLACES` and more of that behind `;`. `NAME` is the archive's own file name, `PLACES` are places of members in it, from 0,
//! with commas between. `HOW` is `abort`, `kill`, `memory` or `hang`, before a member is read, `cut`, which
//! aborts within its content, or `begin`, which aborts before there is any member, every time.

use std::cell::Cell;
use std::hint::black_box;
use std::io::{self, Read};

use rustix::process::{Signal, getpid, kill_process};

use crate::opened::{Member, Members, Opened, Tally};

/// Names the archives and members at which a worker dies.
pub const FAULTS_VARIABLE: &str = "EMBLEY_WORKER_FAULTS";
/// Comes of a member that is cut, if it is so long.
const CUT_BYTES: u64 = 600 << 10;

/// How a worker dies, and where.
struct Fault {
    how: String,
    places: Vec<u64>,
}

/// Empties an archive, and dies where the environment says so.
///
/// # Errors
/// Those of `empty`.
pub(super) fn met(
    name: &[u8],
    members: &mut dyn Members,
    empty: impl FnOnce(&mut dyn Members, &mut dyn FnMut(u64)) -> io::Result<Opened>,
) -> io::Result<Opened> {
    let Ok(text) = std::env::var(FAULTS_VARIABLE) else {
        return empty(members, &mut |_| {});
    };
    let faults = of(&text, name);
    if faults.iter().any(|fault| fault.how == "begin") {
        std::process::abort();
    }
    let at = Cell::new(u64::MAX);
    let is_cut = |place: u64| {
        faults
            .iter()
            .any(|fault| fault.how == "cut" && fault.places.contains(&place))
    };
    let mut cutter = Cutter {
        members,
        at: &at,
        is_cut: &is_cut,
    };
    empty(&mut cutter, &mut |place| {
        at.set(place);
        for fault in faults.iter().filter(|fault| fault.places.contains(&place)) {
            die(&fault.how);
        }
    })
}

fn of(text: &str, name: &[u8]) -> Vec<Fault> {
    let parts = text.split(';').filter_map(|one| {
        let mut words = one.split(':');
        let (whose, how, places) = (words.next()?, words.next()?, words.next()?);
        let places = places.split(',').filter_map(|place| place.parse().ok());
        (whose.as_bytes() == name).then(|| Fault {
            how: how.to_owned(),
            places: places.collect(),
        })
    });
    parts.collect()
}

fn die(how: &str) {
    match how {
        "abort" => std::process::abort(),
        "kill" => loop {
            // Ends the process before it returns, or in a moment.
            let _ = kill_process(getpid(), Signal::KILL);
        },
        "memory" => {
            let mut held = Vec::new();
            loop {
                held.push(black_box(vec![1_u8; 16 << 20]));
            }
        }
        "hang" => loop {
            std::thread::park();
        },
        _ => {}
    }
}

/// Hands members on, and aborts within some of them.
struct Cutter<'a> {
    members: &'a mut dyn Members,
    at: &'a Cell<u64>,
    is_cut: &'a dyn Fn(u64) -> bool,
}

impl Members for Cutter<'_> {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        // What is only named was not told to be read, and the place is still that of the member before.
        let place = self.at.replace(u64::MAX);
        if (self.is_cut)(place) {
            return self.members.member(member, &mut bytes.take(CUT_BYTES).chain(Aborts));
        }
        self.members.member(member, bytes)
    }

    fn tally(&mut self, tally: Tally) {
        self.members.tally(tally);
    }
}

/// Ends the process when it is read.
struct Aborts;

impl Read for Aborts {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        std::process::abort()
    }
}
