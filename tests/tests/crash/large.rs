//! One message of hundreds of megabytes, or of two gigabytes, inside the memory ceiling and out again byte for byte.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use embley_tests::rss::Watch;
use embley_tests::{Site, files, made};
use sha2::{Digest, Sha256};

/// What was written, so that it can be asked for.
struct Written {
    message_sha256: String,
    part_sha256: String,
    message_bytes: u64,
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A mailbox of three: a small message, one with a part of `megabytes` in base64 between two texts, and a small one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test makes its own evidence, here while it is written"
)]
fn write_mailbox(path: &Path, megabytes: u64) -> Written {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a temporary file"));
    let mut whole = Sha256::new();
    let mut part = Sha256::new();
    let mut bytes = 0;
    let mut put = |out: &mut BufWriter<File>, text: &[u8]| {
        whole.update(text);
        bytes += text.len() as u64;
        out.write_all(text).expect("the temporary file takes it");
    };
    out.write_all(&made::entry(&made::message(1, "xqbefore")))
        .expect("the temporary file takes it");
    out.write_all(made::SEPARATOR.as_bytes())
        .expect("the temporary file takes it");
    put(
        &mut out,
        b"Message-ID: <large@mail.example>\nDate: Mon, 6 Jan 2020 11:00:00 +0000\nFrom: Ash Birch <ash.birch@mail.example>\n\
          To: Rowan Elm <rowan.elm@mail.example>\nSubject: the large one\nMIME-Version: 1.0\n\
          Content-Type: multipart/mixed; boundary=\"frontier\"\n\n--frontier\nContent-Type: text/plain; charset=us-ascii\n\n\
          The word before the part is xqhead.\n--frontier\nContent-Type: application/octet-stream; name=\"image.bin\"\n\
          Content-Disposition: attachment; filename=\"image.bin\"\nContent-Transfer-Encoding: base64\n\n",
    );
    // Lines of 57 bytes, a megabyte of them once encoded, and a first line that is different in every megabyte.
    let mut dice = embley_tests::Dice::new(81);
    let block: Vec<u8> = (0..57 * 13_797).map(|_| dice.below(256) as u8).collect();
    let lines: Vec<u8> = block.chunks(57).flat_map(base64_line).collect();
    for number in 0..megabytes {
        let mut first = [0; 57];
        first[..8].copy_from_slice(&number.to_le_bytes());
        part.update(first);
        put(&mut out, &base64_line(&first));
        part.update(&block);
        put(&mut out, &lines);
    }
    put(&mut out, b"--frontier\nContent-Type: text/plain; charset=us-ascii\n\nThe word behind the part is xqtail.\n--frontier--\n");
    out.write_all(b"\n").expect("the temporary file takes it");
    out.write_all(&made::entry(&made::message(3, "xqbehind")))
        .expect("the temporary file takes it");
    out.flush().expect("the temporary file takes it");
    Written {
        message_sha256: hex(whole.finalize()),
        part_sha256: hex(part.finalize()),
        message_bytes: bytes,
    }
}

/// RFC 4648 section 4; `bytes` is a multiple of three long.
fn base64_line(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut line = Vec::with_capacity(bytes.len() / 3 * 4 + 1);
    for group in bytes.chunks_exact(3) {
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        line.extend([18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift & 63) as usize]));
    }
    line.push(b'\n');
    line
}

fn check(megabytes: u64, ceiling_bytes: u64) {
    let site = Site::new();
    let mailbox = site.path("large.mbox");
    let written = write_mailbox(&mailbox, megabytes);
    let running = site.ingest_program(&[&mailbox]).start();
    let watch = Watch::start(running.id());
    running
        .wait()
        .expect(0)
        .says(&["3 entries found = 3 new", "all sums close"]);
    let (most, looks) = watch.finish();
    println!(
        "{} bytes in one message: at most {} MiB of anonymous memory",
        written.message_bytes,
        most >> 20
    );
    assert!(looks >= 10, "memory was looked at {looks} times only");
    assert!(
        most <= ceiling_bytes,
        "{} MiB of anonymous memory, and {} are allowed",
        most >> 20,
        ceiling_bytes >> 20
    );
    for word in ["xqbefore", "xqhead", "xqtail", "xqbehind"] {
        assert_eq!(site.count(word), 1, "{word}");
    }
    let hit = site.hits("xqtail").remove(0);
    assert_eq!(
        (&hit["sha256"], &hit["size"]),
        (&written.message_sha256.as_str().into(), &written.message_bytes.into())
    );
    let part = site.hits("filename:\"image.bin\"").remove(0);
    assert_eq!(part["sha256"], written.part_sha256, "the decoded part");
    for (hit, expected) in [(&hit, &written.message_sha256), (&part, &written.part_sha256)] {
        let number = hit["item_no"].as_u64().expect("a number").to_string();
        let mut digest = Sha256::new();
        let show = site.program(&["show", &number, "--raw"]);
        let (ran, most) = show.run_streaming(|bytes| digest.update(bytes));
        ran.expect(0);
        assert!(
            most <= ceiling_bytes,
            "show held {} MiB, and {} are allowed",
            most >> 20,
            ceiling_bytes >> 20
        );
        assert_eq!(&hex(digest.finalize()), expected, "item {number} as it comes out");
    }
    files::remove(&mailbox);
    site.ok(&["verify", "--deep"]);
}

#[test]
fn a_message_of_a_quarter_gigabyte_stays_inside_the_ceiling() {
    check(250, 600 << 20);
}

#[test]
fn a_message_of_two_gigabytes_stays_inside_the_ceiling() {
    if std::env::var_os("EMBLEY_SLOW").is_none() {
        println!("not run: set EMBLEY_SLOW=1 for a message of two gigabytes");
        return;
    }
    check(2_020, 1_536 << 20);
}
