//! Lists a PST or OST: folders with their counts, subjects, attachments, defects, and the time it took.
//!
//! `cargo run -p embley-pst --example list_pst -- FILE [--subjects] [--threads N] [--carve]`
#![expect(clippy::print_stdout, reason = "it prints")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use embley_mapi::{Attachment, Content, Message, Value};
use embley_model::defect::Defect;
use embley_pst::{Limits, NodeId, PstFile, PstOptions, ReadAt, ScanMode, subject_text};

struct Source {
    file: File,
    bytes: u64,
}

impl ReadAt for Source {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn len(&self) -> u64 {
        self.bytes
    }
}

#[derive(Default)]
struct Tally {
    messages: u64,
    failed: u64,
    recipients: u64,
    attachments: BTreeMap<&'static str, u64>,
    defects: BTreeMap<String, u64>,
}

impl Tally {
    fn defects(&mut self, at: &str, defects: &[Defect], shown: bool) {
        for defect in defects {
            *self.defects.entry(defect.code.text().to_owned()).or_default() += 1;
            if shown {
                println!("    ! {at} {}: {}", defect.code.text(), defect.detail);
            }
        }
    }

    fn message(&mut self, id: NodeId, message: &Message, shown: bool) {
        self.defects(&id.to_string(), &message.defects, shown);
        self.recipients += message.recipients.len() as u64;
        for attachment in &message.attachments {
            self.defects(&format!("{id} attachment"), &attachment.defects, shown);
            *self.attachments.entry(kind(attachment)).or_default() += 1;
            if let Content::Message(inner) = &attachment.content {
                self.message(id, inner, shown);
            }
        }
    }
}

fn kind(attachment: &Attachment) -> &'static str {
    match attachment.content {
        Content::None => "none",
        Content::Bytes(_) => "bytes",
        Content::Message(_) => "message",
        Content::Ole(_) => "ole",
        Content::TooLong(_) => "too long",
    }
}

fn text(message: &Message, id: u16) -> String {
    match message.properties.by_id(id) {
        Some((_, Value::Unicode(text))) => subject_text(text).to_owned(),
        Some((_, Value::String8(bytes))) => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            subject_text(&text).to_owned()
        }
        _ => String::new(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    let path = arguments.next().ok_or("which file?")?;
    let (mut subjects, mut threads, mut options) = (false, 1usize, PstOptions::default());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--subjects" => subjects = true,
            "--carve" => options.scan = ScanMode::Always,
            "--threads" => threads = arguments.next().ok_or("how many threads?")?.parse()?,
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    #[expect(clippy::disallowed_methods, reason = "an example that measures")]
    let now = std::time::Instant::now;
    let started = now();
    let file = File::open(&path)?;
    let bytes = file.metadata()?.len();
    let pst = PstFile::open(Source { file, bytes }, &options)?;
    let mut tally = Tally::default();
    println!(
        "{path}: {bytes} bytes, {:?}, {:?}",
        pst.header().version,
        pst.header().crypt
    );
    tally.defects("file", pst.defects(), true);
    let folders = pst.folders();
    tally.defects("folders", &folders.defects, true);
    let salvage = pst.salvage(&folders);
    tally.defects("salvage", &salvage.defects, true);
    let limits = Limits::default();
    let mut queue = Vec::new();
    for folder in folders.folders.iter().chain(&salvage.folders) {
        let listed = pst.messages(folder);
        let associated = pst.associated(folder);
        println!(
            "  {:?} /{}  stated {:?}, listed {}, associated {}, unread {:?}, {}",
            folder.kind,
            folder.path.join("/"),
            folder.stated_messages,
            listed.ids.len(),
            associated.ids.len(),
            folder.stated_unread,
            folder.class.as_deref().unwrap_or("-"),
        );
        tally.defects("folder", &folder.defects, true);
        tally.defects("list", &listed.defects, true);
        tally.defects("associated list", &associated.defects, true);
        queue.extend(listed.ids.iter().map(|id| (*id, 'm')));
        queue.extend(associated.ids.iter().map(|id| (*id, 'a')));
    }
    for found in &salvage.messages {
        println!(
            "  recovered {} of {} associated {}",
            found.id, found.parent, found.is_associated
        );
        queue.push((found.id, 'r'));
    }
    let listed_at = started.elapsed();
    let next = AtomicUsize::new(0);
    let (queue, pst) = (&queue, &pst);
    let worker = || {
        let mut loaded = Vec::new();
        while let Some((id, mark)) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
            loaded.push((*id, *mark, pst.load(*id, &limits)));
        }
        loaded
    };
    let mut loaded: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    loaded.sort_by_key(|(id, mark, _)| (*mark != 'm', *mark, *id));
    let mut marks: BTreeMap<char, u64> = BTreeMap::new();
    for (id, mark, message) in &loaded {
        *marks.entry(*mark).or_default() += 1;
        match message {
            Ok(message) => {
                tally.messages += 1;
                if subjects {
                    println!("  {mark} {id} [{}] {:?}", text(message, 0x001A), text(message, 0x0037));
                    for attachment in &message.attachments {
                        let name = Message {
                            properties: attachment.properties.clone(),
                            ..Message::default()
                        };
                        let long = text(&name, 0x3707);
                        let short = text(&name, 0x3704);
                        let length = match &attachment.content {
                            Content::Bytes(bytes) | Content::Ole(bytes) => bytes.len(),
                            _ => 0,
                        };
                        println!("      {} {long:?} {short:?} {length}", kind(attachment));
                    }
                }
                tally.message(*id, message, subjects);
            }
            Err(error) => {
                tally.failed += 1;
                println!("  {mark} {id} not read: {error}");
            }
        }
    }
    println!(
        "  read {} {marks:?}, failed {}, recipients {}, attachments {:?}, search folders {}, nodes {}, defects {:?}",
        tally.messages,
        tally.failed,
        tally.recipients,
        tally.attachments,
        folders.search_folders.len(),
        salvage.node_count,
        tally.defects
    );
    println!(
        "  listed in {listed_at:?}, all in {:?}, {threads} threads",
        started.elapsed()
    );
    Ok(())
}
