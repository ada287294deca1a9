//! Bad input of each kind: the words and the exit code that a user gets, and a case that is none the worse for it.

mod damage;
mod evidence;
mod permission;
mod typed;

use std::path::Path;

use embley_tests::{Site, files, made};

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A site with eight messages in its case.
pub(crate) fn with_mail() -> Site {
    let site = Site::new();
    for number in 1..=8 {
        files::write(
            &site.path(&format!("mail/{number}.eml")),
            made::message(number, &format!("xqword{number}")),
        );
    }
    site.ingest(&[site.path("mail")]).expect(0);
    site
}
