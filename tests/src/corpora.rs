//! Third-party mail that lies beside the project, in `../shared/corpora` as seen from its top folder. It is real people's mail and
//! stays out of the project: a test that uses it says so when it is not there, and passes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files;

/// A folder of the corpora; nothing, and a line on stderr, when they are not there.
pub fn folder(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/corpora")
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    // Not by the macro, whose words the test runner keeps to itself when a test passes.
    let said = writeln!(
        std::io::stderr(),
        "NOT RUN on third-party mail: {} is not there",
        folder.display()
    );
    said.expect("stderr can be written");
    None
}

/// The mailboxes and messages that are in the project.
pub fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/mail")
}

/// Unpacks the mail of the corpora below `to`: `enron-inboxes`, `spamassassin-public-corpus`, and `lists` with four mailboxes.
pub fn unpack_mail(mail: &Path, to: &Path) {
    for name in ["enron-inboxes", "spamassassin-public-corpus"] {
        let folder = to.join(name);
        unpack_tar(&mail.join(format!("{name}.tar.zst")), &folder);
    }
    let lists = to.join("lists");
    files::make_folder(&lists);
    for path in files::entries(&mail.join("lists")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".zst").filter(|name| name.ends_with(".mbox")) {
            run(Command::new("zstd")
                .args(["-dq", "--long=27"])
                .arg(&path)
                .arg("-o")
                .arg(lists.join(name)));
        }
    }
}

/// Unpacks a compressed tar archive into a folder, which is made.
pub fn unpack_tar(archive: &Path, to: &Path) {
    files::make_folder(to);
    run(Command::new("tar")
        .args(["-I", "zstd -d --long=27", "-xf"])
        .arg(archive)
        .arg("-C")
        .arg(to));
}

/// Unpacks one file and returns what is in it.
pub fn unpacked(path: &Path) -> Vec<u8> {
    let output = Command::new("zstd")
        .args(["-dqc", "--long=27"])
        .arg(path)
        .output()
        .expect("zstd runs");
    assert!(
        output.status.success(),
        "zstd {}: {}",
        path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
