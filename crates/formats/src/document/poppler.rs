//! The program `pdftotext` as a second engine, where it is installed.
//!
//! Main function: [`text`]. The file goes in by standard input, so that no path and no name leaves this process; a password is never given. A program that
//! does not end in time is ended.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use embley_model::defect::DefectCode;

use super::draft::Draft;

/// Name for the record; its version is not asked.
pub(super) const READER: &str = "pdftotext";
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The text of the file, pages divided by form feeds; `None` when the program is missing, fails, or says nothing.
pub(super) fn text(bytes: &[u8], draft: &mut Draft<'_>) -> Option<String> {
    let room = draft.room() as u64;
    let child = Command::new("pdftotext")
        .args(["-q", "-enc", "UTF-8", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    // A missing program is no oddity of the evidence; what it would have given is judged by the caller.
    let mut child = child.ok()?;
    let mut input = child.stdin.take()?;
    let output = child.stdout.take()?;
    let owned = bytes.to_vec();
    let writer = std::thread::spawn(move || {
        // The program may close its end early; what it read shows in what it says.
        let _closed_early = input.write_all(&owned);
    });
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut out = Vec::new();
        let outcome = output.take(room).read_to_end(&mut out);
        // The receiver is gone only when it has stopped waiting.
        let _nobody_waits = sender.send(outcome.map(|_| out));
    });
    let answer = receiver.recv_timeout(PATIENCE);
    if answer.is_err() {
        draft.defect(
            DefectCode::DocLimit,
            format!("{READER} took longer than {} s and was ended", PATIENCE.as_secs()),
        );
    }
    // Also after the limit of text was reached: the rest is not wanted. It has ended already in all other cases.
    let _already_gone = child.kill();
    let status = child.wait();
    let joined = writer.join().is_ok() && reader.join().is_ok();
    let out = answer.ok()?.ok()?;
    if !joined || status.is_err() {
        return None;
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}
