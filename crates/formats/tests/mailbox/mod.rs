//! The splitter on small mailboxes written here, one rule a test, and on random ones.

use embley_formats::mailbox::{Entry, MailboxScanner, ScanState, Variant, requote, split_checked, unquote};
use embley_model::defect::DefectCode;
use proptest::prelude::*;

const DATE: &str = "Thu Jan  1 00:00:00 1970";

/// Everything that a scan says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scan {
    variant: Variant,
    entries: Vec<Entry>,
    defects: Vec<DefectCode>,
    after: ScanState,
}

fn scan(file: &[u8], target: usize) -> Scan {
    scan_from(file, target, None)
}

fn scan_from(file: &[u8], target: usize, state: Option<ScanState>) -> Scan {
    let mut scanner = MailboxScanner::open(file, state).expect("opens");
    let mut scan = Scan {
        variant: scanner.variant(),
        entries: Vec::new(),
        defects: Vec::new(),
        after: scanner.state(),
    };
    while let Some(range) = scanner.next_range(target).expect("reads") {
        for entry in &range.entries {
            if !entry.large {
                let whole = range.slice(&entry.slice());
                let at = usize::try_from(entry.separator.start).expect("small");
                assert_eq!(whole, &file[at..at + whole.len()], "the range has the entry's bytes");
                assert_eq!(whole.len() as u64, entry.slice().end - entry.slice().start);
            }
        }
        scan.defects.extend(range.defects.iter().map(|defect| defect.code));
        scan.entries.extend(range.entries);
        scan.after = range.after;
        assert_eq!(
            scan.after.sums.total(),
            scan.after.offset,
            "the sums are the bytes passed"
        );
    }
    assert!(scan.after.done);
    assert_eq!(
        scan.after.offset,
        file.len() as u64,
        "separator, message, trailer and junk are the file"
    );
    scan
}

/// The messages as text, with the entry's defect codes behind `!`.
fn messages(file: &str) -> Vec<String> {
    let scan = scan(file.as_bytes(), 1);
    let text = |entry: &Entry| {
        let at = |offset: u64| usize::try_from(offset).expect("small");
        let mut text = file[at(entry.message.start)..at(entry.message.end)].to_owned();
        for defect in &entry.defects {
            text.push_str(&format!("!{}", defect.code.text()));
        }
        text
    };
    scan.entries.iter().map(text).collect()
}

fn defects(file: &str) -> Vec<DefectCode> {
    scan(file.as_bytes(), 1).defects
}

#[test]
fn the_empty_line_before_a_separator_belongs_to_no_message() {
    let file = format!("From a {DATE}\nA: 1\n\nx\n\n\nFrom b {DATE}\nB: 2\n\ny\n\n");
    assert_eq!(messages(&file), ["A: 1\n\nx\n\n", "B: 2\n\ny\n"]);
    assert_eq!(defects(&file), []);
    let first = &scan(file.as_bytes(), 1).entries[0];
    assert_eq!((first.trailer.end - first.trailer.start, first.slice().start), (1, 0));
}

#[test]
fn crlf_mailboxes_split_in_the_same_places() {
    let file = format!("From a {DATE}\r\nA: 1\r\n\r\nx\r\n\r\nFrom b {DATE}\r\nB: 2\r\n\r\ny\r\n\r\n");
    assert_eq!(messages(&file), ["A: 1\r\n\r\nx\r\n", "B: 2\r\n\r\ny\r\n"]);
    assert_eq!(defects(&file), []);
}

#[test]
fn bare_cr_mailboxes_split_in_the_same_places() {
    let file = format!("From a {DATE}\rA: 1\r\rx\r\rFrom b {DATE}\rB: 2\r\ry\r\r");
    assert_eq!(messages(&file), ["A: 1\r\rx\r", "B: 2\r\ry\r"]);
    assert_eq!(defects(&file), []);
}

#[test]
fn a_from_line_in_a_body_is_no_separator_without_a_whole_date() {
    let file =
        format!("From a {DATE}\nA: 1\n\nFrom here on\n\nFrom b Jan 1970\n\nFrom 10:00 to 11:00\n\nFrom b@c\nDate: x\n");
    assert_eq!(messages(&file).len(), 1);
}

#[test]
fn a_missing_empty_line_is_a_defect_and_only_unmistakable_separators_may_lack_it() {
    let file =
        format!("From a {DATE}\nA: 1\n\nx\nFrom b {DATE}\nSubject: 2\nB: 3\n\ny\nFrom c {DATE}\nis quoted here\n");
    assert_eq!(
        messages(&file),
        [
            "A: 1\n\nx\n!BOX-NO-BLANK-LINE".to_owned(),
            format!("Subject: 2\nB: 3\n\ny\nFrom c {DATE}\nis quoted here\n")
        ]
    );
}

#[test]
fn messages_of_nothing_are_entries() {
    let file = format!("From a {DATE}\n\nFrom b {DATE}\n\nFrom c {DATE}\nFrom d {DATE}\n");
    assert_eq!(messages(&file), ["", "", "!BOX-NO-BLANK-LINE", ""]);
    let file = format!("From a {DATE}");
    assert_eq!(messages(&file), [""]);
    assert_eq!(defects(&file), [DefectCode::BoxTruncated]);
    assert_eq!(messages(""), [""; 0]);
    assert_eq!(defects(""), [DefectCode::BoxEmpty]);
}

#[test]
fn a_file_that_ends_inside_a_line_is_truncated() {
    let file = format!("From a {DATE}\nA: 1\n\nx");
    assert_eq!(messages(&file), ["A: 1\n\nx"]);
    assert_eq!(defects(&file), [DefectCode::BoxTruncated]);
}

#[test]
fn what_stands_before_the_first_separator_is_junk_unless_it_is_a_message() {
    let file = format!("some junk\n\nFrom a {DATE}\nA: 1\n\nx\n");
    assert_eq!(messages(&file), ["A: 1\n\nx\n"]);
    assert_eq!(defects(&file), [DefectCode::BoxJunkBefore]);
    assert_eq!(scan(file.as_bytes(), 1).after.sums.junk_bytes, 11);

    let file = format!("\n\nFrom a {DATE}\nA: 1\n\nx\n");
    assert_eq!(messages(&file), ["A: 1\n\nx\n"]);
    assert_eq!(scan(file.as_bytes(), 1).after.sums.junk_bytes, 2);

    let file = format!("\u{feff}From a {DATE}\nA: 1\n\nx\n");
    assert_eq!(messages(&file), ["A: 1\n\nx\n"]);
    assert_eq!(scan(file.as_bytes(), 1).after.sums.junk_bytes, 3);

    let file = format!("Received: x\nDate: y\n\nz\n\nFrom a {DATE}\nA: 1\n\nx\n");
    assert_eq!(messages(&file), ["Received: x\nDate: y\n\nz\n", "A: 1\n\nx\n"]);
    assert_eq!(defects(&file), [DefectCode::BoxJunkBefore]);
    assert!(scan(file.as_bytes(), 1).entries[0].separator.is_empty());
    let after_blanks = format!("\n\n{file}");
    assert_eq!(messages(&after_blanks), messages(&file));
    assert_eq!(scan(after_blanks.as_bytes(), 1).after.sums.junk_bytes, 2);

    assert_eq!(messages("no mailbox at all\n"), [""; 0]);
    assert_eq!(scan(b"no mailbox at all\n", 1).after.sums.junk_bytes, 18);
}

#[test]
fn a_separator_inside_an_open_part_is_text_of_that_part() {
    let part = format!("--B\n\nFrom x {DATE}\nReturn-Path: y\nSubject: z\n\nin\n");
    let file = format!(
        "From a {DATE}\nContent-Type: multipart/mixed;\n boundary=\"B\"\n\n{part}--B--\n\nFrom b {DATE}\nB: 2\n\ny\n"
    );
    let found = messages(&file);
    assert_eq!(found.len(), 2);
    assert!(found[0].ends_with("--B--\n!BOX-FROM-INSIDE"), "{found:?}");

    // The part is never closed and its boundary never comes again: a message that lost its end.
    let file =
        format!("From a {DATE}\nContent-Type: multipart/mixed; boundary=B\n\n{part}\nFrom b {DATE}\nB: 2\n\ny\n");
    assert_eq!(messages(&file).len(), 3);

    // What follows is a whole copy of the message that lost its end: its header names the boundary first.
    let head = "Content-Type: multipart/mixed; boundary=QQ\n\n--QQ\n\nx\n";
    let file = format!("From a {DATE}\n{head}\nFrom a {DATE}\n{head}--QQ--\n");
    assert_eq!(messages(&file).len(), 2);
}

#[test]
fn a_message_quoted_by_mailtool_is_text() {
    let file = format!(
        "From a {DATE}\nA: 1\n\n----- Begin Included Message -----\n\nFrom b {DATE}\nTo: x\nB: 2\n\ny\n\n----- End Included Message -----\n\nFrom c {DATE}\nC: 3\n\nz\n"
    );
    assert_eq!(messages(&file).len(), 2);
}

#[test]
fn patches_separate_only_in_a_mailbox_of_patches() {
    let patch = format!(
        "From {} Mon Sep 17 00:00:00 2001\nFrom: a\nDate: b\n\nx\n\n",
        "0123456789".repeat(4)
    );
    assert_eq!(messages(&patch.repeat(3)).len(), 3);
    let file = format!("From a {DATE}\nA: 1\n\n{patch}{patch}");
    assert_eq!(messages(&file).len(), 1);
}

#[test]
fn separators_without_a_date_separate_only_where_the_file_begins_with_one() {
    let one = "From 18@xxx\nX-GM-THRID: 1\nSubject: a\n\nx\n\n";
    assert_eq!(messages(&one.repeat(3)).len(), 3);
    assert_eq!(messages(&format!("From a {DATE}\nA: 1\n\n{one}")).len(), 1);
    assert_eq!(
        messages("From - \nSubject: a\nTo: b\n\nx\n\nFrom - Wed Dec 10 12:00:00 1997\nC: d\n\ny\n").len(),
        2
    );
}

fn counted(body: &str) -> String {
    format!("From a {DATE}\nContent-Length: {}\n\n{body}\n", body.len())
}

#[test]
fn content_length_decides_where_it_leads_to_a_separator() {
    let inner = format!("x\n\nFrom b {DATE}\nTo: y\nB: 1\n\nz\n");
    let file = [counted(&inner), counted("two\n"), counted(&inner)].concat();
    assert_eq!(scan(file.as_bytes(), 1).variant, Variant::Mboxcl2);
    let found = messages(&file);
    assert_eq!(found.len(), 3);
    assert!(found[0].ends_with(&inner) && found[2].ends_with(&inner), "{found:?}");
}

#[test]
fn a_content_length_that_leads_elsewhere_is_a_defect_and_separators_decide() {
    let wrong = format!("From a {DATE}\nContent-Length: 3\n\nbody\n\n");
    let file = [counted("one\n"), counted("two\n"), wrong, counted("four\n")].concat();
    let found = messages(&file);
    assert_eq!(found.len(), 4);
    assert_eq!(found[2], "Content-Length: 3\n\nbody\n!BOX-CONTENT-LENGTH");
}

#[test]
fn a_content_length_beyond_the_end_says_that_the_file_is_truncated() {
    let cut = format!("From a {DATE}\nContent-Length: 300\n\nbody\n");
    let file = [counted("one\n"), counted("two\n"), cut].concat();
    assert_eq!(messages(&file).len(), 3);
    assert_eq!(defects(&file), [DefectCode::BoxTruncated]);
}

#[test]
fn a_content_length_in_a_file_that_does_not_count_is_not_looked_at() {
    let file = format!("From a {DATE}\nContent-Length: 3\n\nbody\n\n").repeat(3);
    assert_eq!(scan(file.as_bytes(), 1).variant, Variant::Mboxrd);
    assert_eq!(messages(&file), ["Content-Length: 3\n\nbody\n"; 3]);
}

fn variant(body: &str) -> Variant {
    let file = format!("From a {DATE}\nA: 1\n\n{body}\n\nFrom b {DATE}\nB: 2\n\ny\n");
    scan(file.as_bytes(), 1).variant
}

#[test]
fn the_variant_follows_from_the_quoted_lines() {
    assert_eq!(variant("no quoted line"), Variant::Mboxrd);
    assert_eq!(variant("a\n>From b\nc"), Variant::Mboxrd);
    assert_eq!(variant("> a\n>>From b\n> c"), Variant::Mboxrd);
    assert_eq!(variant("> a\n>From b\n> c"), Variant::InDoubt);
    assert_eq!(variant("> a\n>From b\n> c\n\nd\n>From e\nf"), Variant::Mboxo);
    assert_eq!(variant("> a\n>From b\n> c\n\nd\n>>From e\nf"), Variant::InDoubt);
    assert_eq!(variant("a\nFrom b\n>From c\n"), Variant::InDoubt);
    assert_eq!(variant("a\nFrom b\n"), Variant::InDoubt);
    assert_eq!(
        scan([counted("a\n>From b\n"), counted("c\n")].concat().as_bytes(), 1).variant,
        Variant::Mboxcl
    );
    assert_eq!(
        scan([counted("a\nFrom b\n>From c\n"), counted("c\n")].concat().as_bytes(), 1).variant,
        Variant::Mboxcl2
    );
    assert_eq!(
        defects(&format!("From a {DATE}\nA: 1\n\nFrom b\n")),
        [DefectCode::BoxVariantInDoubt]
    );
}

#[test]
fn a_message_over_the_limit_comes_alone_and_without_bytes() {
    let line = format!("{}\n", "x".repeat(1023));
    let body = line.repeat(33 * 1024);
    let small = format!("From a {DATE}\nA: 1\n\nx\n\n");
    let file = format!("{small}From b {DATE}\nB: 2\n\n{body}\n{small}");
    let scan_all = scan(file.as_bytes(), 1 << 20);
    assert_eq!(
        scan_all.entries.iter().map(|entry| entry.large).collect::<Vec<_>>(),
        [false, true, false]
    );
    let large = &scan_all.entries[1];
    assert_eq!(large.message.end - large.message.start, 6 + body.len() as u64);
    assert_eq!(large.defects[0].code, DefectCode::LargeMessage);

    let mut scanner = MailboxScanner::open(file.as_bytes(), None).expect("opens");
    let sizes: Vec<_> = std::iter::from_fn(|| scanner.next_range(1 << 20).expect("reads"))
        .map(|range| (range.entries.len(), range.bytes.len()))
        .collect();
    assert_eq!(sizes, [(1, small.len()), (1, 0), (1, small.len())]);
}

#[test]
fn the_limit_for_large_messages_is_exact_whatever_the_range() {
    let line = format!("{}\n", "x".repeat(1023));
    let body = line.repeat(32 * 1024);
    for (cut, large) in [(0, false), (1, true)] {
        let message = format!("\n{}{}", "y".repeat(cut), &body[1..]);
        let inside = "Content-Type: multipart/mixed; boundary=Q\n\n--Q\n";
        let file =
            format!("From a {DATE}\n{message}\nFrom b {DATE}\n{inside}{body}\nFrom c {DATE}\nX: y\nTo: z\n--Q--\n");
        let whole = scan(file.as_bytes(), 1);
        assert_eq!(
            whole.entries.iter().map(|entry| entry.large).collect::<Vec<_>>(),
            [large, true]
        );
        assert_eq!(
            whole.entries[0].message.end - whole.entries[0].message.start,
            (body.len() + cut) as u64
        );
        assert_eq!(scan(file.as_bytes(), usize::MAX / 2), whole);
        assert!(whole.after.looked > 0);
    }
}

#[test]
fn a_state_that_does_not_fit_the_file_is_refused() {
    let file = format!("From a {DATE}\nA: 1\n\nx\n\n").repeat(3);
    let mut scanner = MailboxScanner::open(file.as_bytes(), None).expect("opens");
    let state = scanner.next_range(1).expect("reads").expect("a range").after;
    assert!(MailboxScanner::open(file.as_bytes(), Some(state)).is_ok());
    let moved = file.replacen("A: 1", "A: 12", 1);
    assert!(MailboxScanner::open(moved.as_bytes(), Some(state)).is_err());
    assert!(MailboxScanner::open(&file.as_bytes()[..10], Some(state)).is_err());
}

/// A medium that cannot read some of its bytes.
struct Failing<'a> {
    bytes: &'a [u8],
    bad: std::ops::Range<u64>,
}

impl embley_formats::source::ReadAt for Failing<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
        if self.bad.contains(&offset) {
            return Err(std::io::Error::other("bad sector"));
        }
        let before = self.bad.start.saturating_sub(offset);
        let most = if offset < self.bad.start {
            usize::try_from(before).unwrap_or(usize::MAX)
        } else {
            usize::MAX
        };
        let length = buf.len().min(most);
        self.bytes.read_at(&mut buf[..length], offset)
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

#[test]
fn a_bad_sector_costs_the_message_it_is_in_and_its_range_is_said() {
    let one = format!("From a {DATE}\nA: 1\n\n{}\n", "body\n".repeat(4000));
    let file = one.repeat(12);
    let length = one.len() as u64;
    let failing = Failing {
        bytes: file.as_bytes(),
        bad: 5 * length + 3000..5 * length + 9000,
    };
    let mut scanner = MailboxScanner::open(failing, None).expect("opens");
    let (mut entries, mut passed) = (0, Vec::new());
    loop {
        match scanner.next_range(1) {
            Ok(Some(range)) => entries += range.entries.len(),
            Ok(None) => break,
            Err(embley_formats::FormatError::Read { offset, .. }) => {
                assert!((5 * length..6 * length).contains(&offset));
                passed.push(scanner.pass_unreadable(offset).expect("goes on"));
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(
        (entries, &passed[..]),
        (11, std::slice::from_ref(&(5 * length..6 * length)))
    );
    assert_eq!(scanner.state().sums.total(), file.len() as u64);
    assert_eq!(scanner.state().sums.junk_bytes, length);
}

/// Mailboxes made of the pieces that matter to splitting, whole ones and broken ones.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "From a Thu Jan  1 00:00:00 1970\n",
        "\nFrom a Thu Jan  1 00:00:00 1970\n",
        "\r\nFrom a Thu Jan  1 00:00:00 1970\r\n",
        "\nFrom a@b\n",
        "\nFrom 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n",
        "From here\n",
        ">From b\n",
        ">>From c\n",
        "> quoted\n",
        "Subject: s\nTo: t\n",
        "Content-Length: 8\n",
        "Content-Length: 20\n",
        "Content-Type: multipart/mixed; boundary=BB\n",
        "--BB\n",
        "--BB--\n",
        "----- Begin Included Message -----\n",
        "----- End Included Message -----\n",
        "\n",
        "\n",
        "\r\n",
        "body text\n",
        "no end",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|parts| parts.concat().into_bytes())
}

/// Messages that a mailbox writer may be given.
fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = prop::sample::select(vec![
        "From here\n",
        ">From b\n",
        ">>From c\n",
        "x\n",
        "\n",
        "From a Thu Jan  1 00:00:00 1970\n",
        "> > From\n",
        "y\r\n",
    ]);
    let body = prop::collection::vec(piece, 0..12)
        .prop_map(|parts| format!("Subject: x\nTo: y\n\n{}z\n", parts.concat()).into_bytes());
    prop::collection::vec(body, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_range_size_and_every_resume_gives_the_same_entries(file in pieces(), target in 1usize..200) {
        let whole = scan(&file, usize::MAX / 2);
        let mut joined = Vec::new();
        let mut at = 0;
        for entry in &whole.entries {
            prop_assert!(entry.ordinal == 0 || entry.separator.start == at);
            joined.extend_from_slice(&file[usize::try_from(entry.slice().start)?..usize::try_from(entry.slice().end)?]);
            prop_assert!(entry.separator.end == entry.message.start && entry.message.end == entry.trailer.start);
            at = entry.slice().end;
        }
        let junk = usize::try_from(whole.after.sums.junk_bytes)?;
        prop_assert_eq!(&joined[..], &file[junk..]);
        prop_assert_eq!(&scan(&file, target), &whole);
        prop_assert_eq!(split_checked(&file, target), Ok(whole.entries.clone()));

        let mut scanner = MailboxScanner::open(&file[..], None)?;
        let mut before = Vec::new();
        while let Some(range) = scanner.next_range(target)? {
            before.extend(range.entries);
            let rest = scan_from(&file, target, Some(range.after));
            let resumed: Vec<_> = before.iter().cloned().chain(rest.entries).collect();
            prop_assert_eq!(&resumed, &whole.entries);
            prop_assert_eq!(rest.after, whole.after);
        }
    }

    #[test]
    fn what_a_writer_puts_in_comes_out_again(messages in bodies()) {
        let mut file = Vec::new();
        for message in &messages {
            file.extend_from_slice(format!("From a {DATE}\n").as_bytes());
            file.extend_from_slice(&requote(Variant::Mboxrd, message));
            file.push(b'\n');
        }
        let scan = scan(&file, 100);
        prop_assert_eq!(scan.entries.len(), messages.len());
        for (entry, message) in scan.entries.iter().zip(&messages) {
            let found = &file[usize::try_from(entry.message.start)?..usize::try_from(entry.message.end)?];
            prop_assert_eq!(&unquote(Variant::Mboxrd, found).bytes[..], &message[..]);
            // Whatever variant it takes the file for, what it calls exact can be made what was found.
            let unquoted = unquote(scan.variant, found);
            if unquoted.exact {
                prop_assert_eq!(&requote(scan.variant, &unquoted.bytes)[..], found);
            }
        }
    }
}
