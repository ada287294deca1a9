//! Walls around a worker: limits of the system, no new rights, landlock, no sockets.
//!
//! Not for: limits in time, which the caller keeps. Main function: [`confine`]. Invariant: called on the first thread before there are others, because
//! landlock holds for the calling thread and those it starts. What the kernel cannot do is said in the greeting, and the worker goes on: the
//! reader's own bounds and the process boundary still hold.
//!
//! The network is closed twice: landlock closes TCP where the kernel knows that, and a filter of system calls (seccomp) refuses every socket but those
//! within the machine. What stays possible: in workers that may run helpers, whatever bsdtar, pdftotext and tesseract can do with the system's
//! libraries and one folder for temporary files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::helpers::HELPERS;
use super::message::Landlock;
use super::serve::WorkerLimits;

/// The newest landlock interface that was looked at; older kernels give what they have.
const NEWEST: ABI = ABI::V9;

/// What [`confine`] could do.
pub(super) struct Walls {
    pub(super) landlock: Landlock,
    pub(super) abi: u32,
    pub(super) weak: Vec<String>,
}

/// Sets everything but the number of processes, which must wait until all threads run ([`no_children`]).
///
/// # Errors
/// When the limit of memory cannot be set: without it a bomb would cost more than one item.
pub(super) fn confine(limits: &WorkerLimits) -> io::Result<Walls> {
    let mut weak = Vec::new();
    lower(Resource::As, mapped_bytes()?.saturating_add(limits.memory_bytes))?;
    let mut try_lower = |what: &str, resource: Resource, value: u64| {
        if let Err(error) = lower(resource, value) {
            weak.push(format!("{what}: {error}"));
        }
    };
    try_lower("core files", Resource::Core, 0);
    try_lower("file size", Resource::Fsize, limits.file_bytes);
    try_lower("open files", Resource::Nofile, limits.open_files);
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        weak.push(format!("no new privileges: {error}"));
    }
    let (landlock, abi) = match close(limits) {
        Ok(state) => state,
        Err(error) => {
            weak.push(format!("landlock: {error}"));
            (Landlock::None, 0)
        }
    };
    if landlock == Landlock::None {
        weak.push("landlock: files are not closed to workers".to_owned());
    }
    if let Err(error) = no_sockets() {
        weak.push(format!(
            "seccomp: {error}; the network is closed only as far as landlock does that"
        ));
    }
    Ok(Walls { landlock, abi, weak })
}

/// Forbids new processes and threads. The system does not hold this against root; there landlock forbids running programs.
pub(super) fn no_children(weak: &mut Vec<String>) {
    if let Err(error) = lower(Resource::Nproc, 0) {
        weak.push(format!("processes: {error}"));
    }
}

/// Refuses sockets of any family but that of the machine's own files, also those that io_uring would make. For this thread and those it starts.
fn no_sockets() -> Result<(), seccompiler::Error> {
    let other_family = SeccompCondition::new(
        0,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Ne,
        u64::from(libc::AF_UNIX.unsigned_abs()),
    )?;
    let rules = BTreeMap::from([
        (libc::SYS_socket, vec![SeccompRule::new(vec![other_family])?]),
        (libc::SYS_io_uring_setup, Vec::new()),
    ]);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EACCES.unsigned_abs()),
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)
}

/// Lets the process use `seconds` of processor time more than now.
pub(super) fn grant_cpu(seconds: u64) -> io::Result<()> {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let used = u64::try_from(used.tv_sec).unwrap_or(0).saturating_add(1);
    let now = getrlimit(Resource::Cpu);
    let wanted = used.saturating_add(seconds);
    let current = now.maximum.map_or(wanted, |most| most.min(wanted));
    Ok(setrlimit(
        Resource::Cpu,
        Rlimit {
            current: Some(current),
            maximum: now.maximum,
        },
    )?)
}

/// Addresses in use now: the program itself and its libraries, which are no reader's doing and differ between builds.
fn mapped_bytes() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages = text.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or_else(|| io::Error::other("/proc/self/statm cannot be read"))?;
    Ok(pages.saturating_mul(rustix::param::page_size() as u64))
}

/// Sets both bounds, never above what holds already.
fn lower(resource: Resource, value: u64) -> io::Result<()> {
    let value = getrlimit(resource).maximum.map_or(value, |most| most.min(value));
    Ok(setrlimit(
        resource,
        Rlimit {
            current: Some(value),
            maximum: Some(value),
        },
    )?)
}

fn close(limits: &WorkerLimits) -> Result<(Landlock, u32), RulesetError> {
    let temp = [limits.temp.as_path()];
    let inside = AccessFs::from_all(NEWEST)
        & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSock);
    let devices = ["/dev/null", "/dev/zero", "/dev/urandom"];
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(temp, inside))?
        .add_rules(path_beneath_rules(devices, AccessFs::ReadFile | AccessFs::WriteFile))?;
    if limits.helpers {
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        rules = rules
            .add_rules(path_beneath_rules(readable(), read))?
            .add_rules(path_beneath_rules(
                runnable(limits.path.as_deref()),
                AccessFs::ReadFile | AccessFs::Execute,
            ))?;
    }
    let status = rules.restrict_self()?;
    let landlock = match status.ruleset {
        RulesetStatus::FullyEnforced => Landlock::Full,
        RulesetStatus::PartiallyEnforced => Landlock::Partial,
        RulesetStatus::NotEnforced => Landlock::None,
    };
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as u32,
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
    };
    Ok((landlock, abi))
}

/// What programs of the system read to start and to do their work: libraries, fonts, language data.
fn readable() -> impl Iterator<Item = PathBuf> {
    [
        "/usr/lib",
        "/usr/lib32",
        "/usr/lib64",
        "/usr/libexec",
        "/usr/share",
        "/usr/local/lib",
        "/usr/local/share",
        "/lib",
        "/lib32",
        "/lib64",
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/ld.so.preload",
        "/etc/fonts",
        "/etc/locale.alias",
        "/etc/localtime",
        "/var/cache/fontconfig",
        "/sys/devices/system/cpu",
    ]
    .into_iter()
    .map(PathBuf::from)
    .chain(std::env::var_os("TESSDATA_PREFIX").map(PathBuf::from))
}

/// The helpers, wherever the path has them, and the loader that starts programs.
fn runnable(path: Option<&OsStr>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in path.map(std::env::split_paths).into_iter().flatten() {
        found.extend(HELPERS.iter().map(|helper| folder.join(helper.name)));
    }
    for folder in ["/lib", "/lib64", "/usr/lib", "/usr/lib64"] {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        found.extend(
            entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| is_loader(path)),
        );
    }
    found
}

fn is_loader(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.starts_with("ld-") && name.contains(".so")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_is_told_from_other_libraries() {
        assert!(is_loader(Path::new("/lib64/ld-linux-x86-64.so.2")));
        assert!(is_loader(Path::new("/lib/ld-musl-aarch64.so.1")));
        assert!(!is_loader(Path::new("/lib/libldap.so.2")));
    }
}
