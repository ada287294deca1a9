//! What opening documents promises: on documents built here, on damaged ones, and on real ones where they are at hand.

mod built;
mod corpora;
mod hostile;
mod kinds;
mod sealed;

use std::io::{self, Read};

use embley_formats::document::{DocumentFormat, open};
use embley_formats::opened::{Member, Members, OpenLimits, Opened};

/// Takes members and keeps them.
#[derive(Default)]
struct Kept(Vec<(String, Vec<u8>)>);

impl Members for Kept {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut content = Vec::new();
        // A member that breaks off is kept as far as it goes; its error is the taker's to report.
        let (Ok(_) | Err(_)) = bytes.take(64 << 20).read_to_end(&mut content);
        self.0
            .push((String::from_utf8_lossy(&member.path).into_owned(), content));
        Ok(())
    }
}

fn opened(format: DocumentFormat, bytes: &[u8], passwords: &[&str]) -> (Opened, Vec<(String, Vec<u8>)>) {
    let passwords: Vec<String> = passwords.iter().map(|one| (*one).to_owned()).collect();
    let mut kept = Kept::default();
    let opened =
        open(format, bytes, b"name", &passwords, &OpenLimits::default(), &mut kept).expect("the taker never fails");
    (opened, kept.0)
}
