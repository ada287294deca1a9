//! A small case with everything that exports stumble over, the commands on it, and golden texts.

use std::path::{Path, PathBuf};

use embley_tests::{Program, Ran, Site, files, made};
use serde_json::Value;

/// Five messages: one whose subject is a formula and whose names are markup, with three attachments; one with `þ`, `®` and a control
/// character; one with a message in it; two plain ones.
pub(crate) fn messages() -> Vec<Vec<u8>> {
    let hostile = "Message-ID: <1@mail.example>\nDate: Mon, 6 Jan 2020 10:00:00 +0000\n\
        From: \"<script>alert(1)</script>\" <ash.birch@mail.example>\nTo: Rowan Elm <rowan.elm@mail.example>\n\
        Cc: Oak <oak@mail.example>\nBcc: hidden@mail.example\nSubject: =?utf-8?q?=3DHYPERLINK=28=22http=3A//evil=22=29?=\nMIME-Version: 1.0\n\
        Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nThe fraud is in the <b>sheet</b>.\n\
        --b\nContent-Type: text/csv; name=\"../../evil\\\"name.csv\"\nContent-Disposition: attachment; filename=\"../../evil name.csv\"\n\n\
        a,b\n1,2\n--b\nContent-Type: image/png; name=dot.png\nContent-Disposition: attachment; filename=dot.png\n\
        Content-Transfer-Encoding: base64\n\n\
        iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\n\
        --b\nContent-Type: text/plain; name=secret.txt\nContent-Disposition: attachment; filename=secret.txt\n\nThe informant is J.\n--b--\n";
    let letters = "Message-ID: <2@mail.example>\nDate: Tue, 7 Jan 2020 11:00:00 +0100\nFrom: =?utf-8?q?=C3=9E=C3=B3r_=C3=BE?= <thor@mail.example>\n\
        To: ash.birch@mail.example\nSubject: =?utf-8?q?Acme=C2=AE_=C3=BE=14end?=\nIn-Reply-To: <1@mail.example>\nReferences: <1@mail.example>\n\
        Content-Type: text/plain; charset=utf-8\n\nA letter from \u{de}\u{f3}r about fraud.\n";
    let nested = "Message-ID: <3@mail.example>\nDate: Wed, 8 Jan 2020 12:00:00 +0000\nFrom: oak@mail.example\nTo: ash.birch@mail.example\n\
        Subject: forwarded\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: text/plain\n\nSee below.\n\
        --c\nContent-Type: message/rfc822\n\nMessage-ID: <4@mail.example>\nDate: Sun, 5 Jan 2020 09:00:00 +0000\n\
        From: elm@mail.example\nTo: oak@mail.example\nSubject: inner\n\nInner words.\n--c--\n";
    let mut all: Vec<Vec<u8>> = [hostile, letters, nested].map(|text| text.as_bytes().to_vec()).into();
    all.push(made::message(5, "contract"));
    all.push(made::message(6, "lunch"));
    all
}

/// A case with these messages, of two custodians.
pub(crate) fn scene() -> Site {
    let site = Site::new();
    let all = messages();
    files::write(&site.path("birch.mbox"), made::mailbox(&all[..3]));
    files::write(&site.path("elm.mbox"), made::mailbox(&all[3..]));
    for (name, custodian) in [("birch.mbox", "Ash Birch"), ("elm.mbox", "Rowan/Elm")] {
        let path = site.path(name);
        let ran = site.ingest(&[path.to_string_lossy().as_ref(), "--custodian", custodian]);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    }
    site
}

/// `export` with these options into `name` beside the case, not yet run.
pub(crate) fn export_program(site: &Site, name: &str, options: &[&str]) -> (Program, PathBuf) {
    let out = site.path(name);
    let key = site.path("key.pem");
    let mut args = vec!["export".to_owned()];
    args.extend(options.iter().map(|option| (*option).to_owned()));
    for (option, path) in [("--out", &out), ("--key", &key)] {
        args.extend([option.to_owned(), path.to_string_lossy().into_owned()]);
    }
    args.extend(["--format", "json"].map(str::to_owned));
    (site.program(&args), out)
}

/// The same, run.
pub(crate) fn export(site: &Site, name: &str, options: &[&str]) -> (Ran, PathBuf) {
    let (program, out) = export_program(site, name, options);
    (program.run(), out)
}

/// The same, which must work.
pub(crate) fn exported(site: &Site, name: &str, options: &[&str]) -> PathBuf {
    let (ran, out) = export(site, name, options);
    ran.expect(0);
    out
}

/// What an export says of itself.
pub(crate) fn record(out: &Path) -> Value {
    serde_json::from_slice(&files::read(&out.join("export.json"))).expect("export.json is JSON")
}

/// A file of an export as text.
pub(crate) fn text(out: &Path, name: &str) -> String {
    String::from_utf8(files::read(&out.join(name))).expect("UTF-8")
}

/// All files of a folder, with `/` in their names.
pub(crate) fn listing(out: &Path) -> Vec<String> {
    let all = files::all_files(out);
    let names = all.iter().map(|path| path.strip_prefix(out).expect("below it"));
    names.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// `verify-export` of a folder, from elsewhere and without the case.
pub(crate) fn verified(out: &Path, options: &[&str]) -> Ran {
    let mut args = vec!["verify-export".to_owned(), out.to_string_lossy().into_owned()];
    args.extend(options.iter().map(|option| (*option).to_owned()));
    args.extend(["--format", "json"].map(str::to_owned));
    Program::new(&args).from(Path::new("/")).run()
}

/// The text with what varies between two makings of the same case taken out, and control characters made visible.
pub(crate) fn golden(out: &Path, text: &str) -> String {
    let record = record(out);
    let mut all = text.to_owned();
    for (of, word) in [
        (&record["when"], "[WHEN]"),
        (&record["case"]["id"], "[CASE-ID]"),
        (&record["tool"], "[TOOL]"),
    ] {
        all = all.replace(of.as_str().expect("a text"), word);
    }
    let tool = record["tool"]
        .as_str()
        .and_then(|tool| tool.split_once(' '))
        .expect("a version")
        .1;
    all = all.replace(
        &format!("\"uco-tool:version\":\"{tool}\""),
        "\"uco-tool:version\":\"[VERSION]\"",
    );
    let mut seen: Vec<String> = Vec::new();
    let mut pieces = all.split("urn:uuid:");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (uuid, rest) = piece.split_at(36);
        let place = seen.iter().position(|one| one == uuid).unwrap_or_else(|| {
            seen.push(uuid.to_owned());
            seen.len() - 1
        });
        out.push_str(&format!("urn:uuid:[{}]{rest}", place + 1));
    }
    let shown = |letter: char| match letter {
        '\n' => "\n".to_owned(),
        '\u{feff}' => "[mark]".to_owned(),
        '\u{14}' => "|".to_owned(),
        '\r' => "[cr]".to_owned(),
        letter if letter.is_control() => format!("[{:02x}]", letter as u32),
        letter => letter.to_string(),
    };
    out.chars().map(shown).collect()
}
