//! Real PST and OST files, which stay outside of the project: these tests say so and pass when they are not there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use embley_mapi::{Attachment, Content, Message, Value};
use embley_model::defect::DefectCode;
use embley_pst::{AttachmentPath, Limits, NodeId, PstFile, PstOptions, ReadAt, subject_text};
use sha2::{Digest, Sha256};

/// A file read by position, as the program does it.
struct Source(File, u64);

impl ReadAt for Source {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    fn len(&self) -> u64 {
        self.1
    }
}

fn note(text: &str) {
    io::stderr().write_all(text.as_bytes()).expect("stderr");
}

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/pst");
    let found = fs::metadata(&path).is_ok();
    if !found {
        note(&format!("not run: {} is not there\n", path.display()));
    }
    found.then_some(path)
}

fn open(path: &Path) -> PstFile {
    let file = File::open(path).expect("opens");
    let bytes = file.metadata().expect("a size").len();
    if path.extension().is_none_or(|extension| extension != "zst") {
        return PstFile::open(Source(file, bytes), &PstOptions::default()).expect("is a PST");
    }
    let mut decoder = zstd::Decoder::new(file).expect("is zstd");
    decoder.window_log_max(27).expect("a window");
    let mut unpacked = Vec::new();
    decoder.read_to_end(&mut unpacked).expect("unpacks");
    PstFile::open(unpacked, &PstOptions::default()).expect("is a PST")
}

/// What a file comes to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    messages: usize,
    associated: usize,
    recovered: usize,
    recipients: usize,
    files: usize,
    embedded: usize,
    search_folders: usize,
}

impl Sums {
    fn message(&mut self, message: &Message) {
        self.recipients += message.recipients.len();
        for attachment in &message.attachments {
            match &attachment.content {
                Content::Message(inner) => {
                    self.embedded += 1;
                    self.message(inner);
                }
                Content::Bytes(_) => self.files += 1,
                other => panic!("attachment without content: {other:?}"),
            }
        }
    }
}

/// Nothing but this may be odd about a file that was closed in good order: a writer's wrong column widths.
const ALLOWED: &[DefectCode] = &[DefectCode::PstForm];

fn sums(pst: &PstFile, is_sound: bool) -> Sums {
    let mut sums = Sums::default();
    let folders = pst.folders();
    sums.search_folders = folders.search_folders.len();
    let salvage = pst.salvage(&folders);
    assert_eq!(salvage.folders, []);
    let load = |sums: &mut Sums, id: NodeId| {
        let message = pst.load(id, &Limits::default()).expect("loads");
        assert!(
            !is_sound || message.defects.iter().all(|defect| ALLOWED.contains(&defect.code)),
            "{:?}",
            message.defects
        );
        sums.message(&message);
    };
    for folder in &folders.folders {
        assert!(!is_sound || folder.defects.is_empty(), "{:?}", folder.defects);
        let (listed, associated) = (pst.messages(folder), pst.associated(folder));
        assert!(!is_sound || listed.defects.is_empty(), "{:?}", listed.defects);
        assert!(!is_sound || associated.defects.is_empty(), "{:?}", associated.defects);
        listed.ids.iter().for_each(|id| load(&mut sums, *id));
        sums.messages += listed.ids.len();
        let mut apart = Sums::default();
        associated.ids.iter().for_each(|id| load(&mut apart, *id));
        sums.associated += associated.ids.len();
    }
    sums.recovered = salvage.messages.len();
    salvage.messages.iter().for_each(|found| load(&mut sums, found.id));
    sums
}

/// Name; messages, associated, recovered, recipients, files, embedded messages, search folders. The numbers of messages are those of
/// the folders' own counts; they were compared with another reader's, which leaves out kinds of items that it does not know.
const EXPECTED: &[(&str, [usize; 7])] = &[
    // Its header is older than its pages: the message is on a page that was written after it, and no other reader finds it.
    (
        "aspose/AddingBulkMessagesWithImprovedPerformance.pst",
        [0, 0, 1, 0, 1, 0, 1],
    ),
    ("aspose/Outlook_1.pst", [17, 10, 0, 18, 30, 4, 6]),
    ("aspose/PersonalStorage1.pst", [0, 0, 0, 0, 0, 0, 1]),
    ("aspose/PersonalStorage2.pst", [0, 0, 0, 0, 0, 0, 1]),
    ("aspose/PersonalStorageFile.pst", [18, 0, 0, 0, 0, 0, 2]),
    ("aspose/PersonalStorageFile1.pst", [72, 0, 0, 0, 0, 0, 2]),
    ("aspose/PersonalStorageFile2.pst", [24, 0, 0, 0, 0, 0, 2]),
    ("aspose/PersonalStorage_New.pst", [0, 0, 0, 0, 0, 0, 1]),
    ("aspose/SampleContacts1.pst", [6, 0, 0, 0, 0, 0, 1]),
    ("aspose/passwordprotectedPST.pst", [18, 0, 0, 27, 12, 5, 2]),
    ("aspose/source.pst", [17, 10, 0, 18, 30, 4, 6]),
    ("aspose/Chunks/Test_part1.pst.zst", [61, 0, 0, 41, 33, 10, 1]),
    ("aspose/Sources/PersonalStorage1.pst", [0, 0, 0, 0, 0, 0, 1]),
    ("aspose/pathToPst/Personal folders_part0.pst", [0, 0, 0, 0, 0, 0, 1]),
    ("go-pst/support.pst", [17, 0, 0, 1073, 2, 0, 1]),
    ("hoover-testdata/flags_jane_doe.pst", [8, 3, 0, 8, 0, 0, 6]),
    ("java-libpst/dist-list.pst", [4, 3, 0, 0, 0, 2, 6]),
    ("outlook-pst-rs/Empty.pst", [0, 0, 0, 0, 0, 0, 1]),
    ("pst-extractor/enron.pst.zst", [71, 0, 0, 127, 70, 0, 1]),
    (
        "pst-extractor/pstextractortestpdf@outlook.com.ost.zst",
        [162, 17, 0, 2, 12, 0, 3],
    ),
    ("tika/testPST.pst.zst", [7, 0, 0, 9, 1, 1, 2]),
];

#[test]
fn every_file_is_read_to_its_last_message() {
    let Some(folder) = corpus() else { return };
    for (name, expected) in EXPECTED {
        let pst = open(&folder.join(name));
        let is_sound = !name.contains("AddingBulk");
        let odd = pst
            .defects()
            .iter()
            .filter(|defect| defect.code != DefectCode::PstPassword)
            .count();
        assert_eq!(odd == 0, is_sound, "{name}: {:?}", pst.defects());
        let sums = sums(&pst, is_sound);
        let found = [
            sums.messages,
            sums.associated,
            sums.recovered,
            sums.recipients,
            sums.files,
            sums.embedded,
            sums.search_folders,
        ];
        assert_eq!(found, *expected, "{name}: {sums:?}");
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Unicode(text)) => text.clone(),
        Some(Value::String8(bytes)) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::new(),
    }
}

fn name_of(attachment: &Attachment) -> String {
    let value = |id| text(attachment.properties.by_id(id).map(|(_, value)| value));
    let long = value(0x3707);
    if long.is_empty() { value(0x3704) } else { long }
}

type Files = BTreeMap<(String, [u8; 32]), usize>;

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Names and hashes of the files of all messages, streamed as well as loaded; and subjects.
fn ours(pst: &PstFile) -> (Files, BTreeMap<String, usize>) {
    let (mut files, mut subjects) = (Files::new(), BTreeMap::new());
    for folder in pst.folders().folders {
        for id in pst.messages(&folder).ids {
            let message = pst.load(id, &Limits::default()).expect("loads");
            let value = |id| text(message.properties.by_id(id).map(|(_, value)| value));
            *subjects.entry(subject_text(&value(0x0037)).to_owned()).or_default() += 1;
            for (position, attachment) in message.attachments.iter().enumerate() {
                let Content::Bytes(bytes) = &attachment.content else {
                    continue;
                };
                let mut streamed = Vec::new();
                let path = AttachmentPath(vec![position]);
                let (length, _) = pst.attachment_to(id, &path, &mut streamed).expect("streams");
                assert_eq!((length, &streamed), (bytes.len() as u64, bytes));
                *files.entry((name_of(attachment), digest(bytes))).or_default() += 1;
            }
        }
    }
    (files, subjects)
}

/// What the other reader writes: `N` a message, `N-NAME` a file of it.
fn theirs(folder: &Path, files: &mut Files, subjects: &mut BTreeMap<String, usize>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            theirs(&path, files, subjects);
            continue;
        }
        let bytes = fs::read(&path).expect("reads");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if let Some((_, name)) = name.split_once('-') {
            // Made by the other reader out of a body.
            if name == "rtf-body.rtf" {
                continue;
            }
            *files.entry((name.to_owned(), digest(&bytes))).or_default() += 1;
            continue;
        }
        // Folded lines are put together again.
        let head = String::from_utf8_lossy(&bytes)
            .replace('\r', "")
            .replace("\n ", " ")
            .replace("\n\t", " ");
        let subject = head
            .lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix("Subject: "));
        // Encoded words would need a reader of mail: they are left out. So are empty ones: the other reader takes an associated item of a
        // top folder for mail.
        if let Some(subject) = subject.filter(|subject| !subject.contains("=?") && !subject.is_empty()) {
            *subjects.entry(subject.to_owned()).or_default() += 1;
        }
    }
}

#[test]
fn files_and_subjects_are_those_of_an_independent_reader() {
    let Some(folder) = corpus() else { return };
    let (mut compared, mut found_subjects) = (0, 0);
    for (name, _) in EXPECTED {
        // A header that is older than its pages stops the other reader.
        if name.contains("AddingBulk") {
            continue;
        }
        let place = std::env::temp_dir().join(format!("embley-pst-{}-{compared}", std::process::id()));
        fs::create_dir_all(&place).expect("a folder");
        let input = place.join("input.pst");
        let bytes = fs::read(folder.join(name)).expect("reads");
        let bytes = if name.ends_with(".zst") {
            zstd::decode_all(&bytes[..]).expect("unpacks")
        } else {
            bytes
        };
        let mut file = File::create_new(&input).expect("a file");
        file.write_all(&bytes).expect("writes");
        let out = place.join("out");
        fs::create_dir(&out).expect("a folder");
        let run = Command::new("readpst")
            .args(["-S", "-D", "-j", "0", "-q", "-o"])
            .arg(&out)
            .arg(&input)
            .output();
        let Ok(run) = run else {
            note("not run: readpst is not installed\n");
            return;
        };
        let (mut their_files, mut their_subjects) = (Files::new(), BTreeMap::new());
        if run.status.success() {
            theirs(&out, &mut their_files, &mut their_subjects);
        }
        let (files, subjects) = ours(&open(&folder.join(name)));
        for (file, count) in &their_files {
            assert!(
                files.get(file) >= Some(count),
                "{name}: {file:?} {count} times, here {:?}",
                files.get(file)
            );
            compared += count;
        }
        for (subject, count) in &their_subjects {
            let here = subjects
                .iter()
                .filter(|(known, _)| known.trim_end() == subject.trim_end())
                .map(|(_, count)| count)
                .sum::<usize>();
            assert!(here >= *count, "{name}: {subject:?} {count} times, here {here}");
            found_subjects += count;
        }
        #[expect(clippy::disallowed_methods, reason = "a folder of this test")]
        fs::remove_dir_all(&place).expect("goes");
    }
    assert!(
        compared > 100 && found_subjects > 100,
        "{compared} files, {found_subjects} subjects"
    );
    note(&format!(
        "{compared} files and {found_subjects} subjects are the same\n"
    ));
}
