//! Opens containers and prints what is in them: for comparing with other programs by hand.
//!
//! `open_archive [--password WORD]... FILE...`: a line a member (size, SHA-256, path, defects), then what was odd about the container.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example that is run by hand"
)]

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use embley_formats::archive::{format_of, open};
use embley_formats::opened::{Member, Members, OpenLimits};
use embley_formats::probe::{FileKind, HEAD_BYTES, probe};
use embley_formats::walk::Place;
use sha2::{Digest, Sha256};

fn main() {
    let mut passwords = Vec::new();
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--password" {
            passwords.extend(arguments.next().map(|word| word.to_string_lossy().into_owned()));
        } else if let Err(error) = one(Path::new(&argument), &passwords) {
            eprintln!("{}: {error}", argument.to_string_lossy());
        }
    }
}

fn one(path: &Path, passwords: &[String]) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    (&mut file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    let name = path.file_name().unwrap_or_default().as_bytes();
    let length = file.metadata()?.len();
    let media_type = match probe(&head, name, &Place::Loose, length).0 {
        FileKind::Other { media_type, .. } => media_type,
        _ => "text or mail",
    };
    println!("== {} {media_type} {length}", path.display());
    let Some(format) = format_of(media_type) else {
        println!("no container");
        return Ok(());
    };
    let opened = open(format, &mut file, name, passwords, &OpenLimits::default(), &mut Print)?;
    for defect in &opened.defects {
        println!("! {} {} {:?}", defect.code.text(), defect.detail, defect.range);
    }
    println!(
        "-- {} {:?} tried {} used {:?}",
        opened.reader, opened.searchability, opened.passwords_tried, opened.password_used
    );
    Ok(())
}

struct Print;

impl Members for Print {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut hash = Sha256::new();
        let mut size = 0_u64;
        let mut buf = vec![0; 64 << 10];
        let mut fault = String::new();
        loop {
            match bytes.read(&mut buf) {
                Ok(0) => break,
                Ok(count) => {
                    hash.update(&buf[..count]);
                    size += count as u64;
                }
                Err(error) => fault = format!(" ENDS: {error}"),
            }
        }
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let path = String::from_utf8_lossy(&member.path);
        println!(
            "{size} {hash} {:?} {path}{fault}",
            member.mtime_nanos.unwrap_or(0) / 1_000_000_000
        );
        for defect in member.defects {
            println!("    {} {}", defect.code.text(), defect.detail);
        }
        Ok(())
    }
}
