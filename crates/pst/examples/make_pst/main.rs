//! Makes a large PST for measurements: folders of messages with one attachment each.
//!
//! `cargo run -p embley-pst --example make_pst -- FILE [--folders N] [--messages N] [--attachment BYTES] [--first BYTES] [--orphans N]`
#![expect(clippy::print_stdout, reason = "it prints")]

use std::fs::File;
use std::io;

mod maker;

fn main() -> io::Result<()> {
    let mut plan = maker::Plan {
        folders: 50,
        messages: 500,
        attachment: 36_000,
        first_attachment: 36_000,
        orphans: 20,
        overstated: 0,
        searches: 1,
    };
    let mut words = std::env::args().skip(1);
    let path = words.next().ok_or_else(|| io::Error::other("name a file to make"))?;
    while let Some(word) = words.next() {
        let number: u64 = words
            .next()
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| io::Error::other(format!("{word} needs a number")))?;
        let count = u32::try_from(number).map_err(io::Error::other);
        match word.as_str() {
            "--folders" => plan.folders = count?,
            "--messages" => plan.messages = count?,
            "--attachment" => plan.attachment = number,
            "--first" => plan.first_attachment = number,
            "--orphans" => plan.orphans = count?,
            _ => return Err(io::Error::other(format!("{word} is not known"))),
        }
    }
    let length = maker::make(&plan, File::create_new(path)?)?;
    println!("{length} bytes, {} messages", plan.total());
    Ok(())
}
