//! Measures the index on real or made text: analysis, sketch, building, size, merging, query latency.
//!
//! `measure text FILE...`       analysis and sketch of plain files
//! `measure mail FOLDER WORKERS` index every file below a folder, split crudely at "From " lines, and say its size
//! `measure zipf COUNT WORKERS`  make COUNT messages of Zipf-distributed words, index them, run queries
//! `measure queries COUNT [KIND]` run the queries (of one kind) again over what `zipf COUNT` left
//!
//! The index is left in `measure-index` under the system's temporary folder until the next run.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a program for measuring, run by hand"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use embley_index::analysis::{Tokens, sketch};
use embley_index::{IndexDoc, IndexStore, Node, Order, Snapshot, Want, verify};
use embley_model::address::Address;
use embley_model::field::{DEFAULT, Field};
use embley_model::id::Ticket;
use embley_model::item::ItemKind;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["text", files @ ..] => measure_text(files),
        ["mail", folder, workers] => measure_mail(Path::new(folder), workers.parse().unwrap()),
        ["zipf", count, workers] => measure_zipf(count.parse().unwrap(), workers.parse().unwrap()),
        ["queries", count, only @ ..] => {
            queries(count.parse().unwrap(), "as it is", only.first().copied().unwrap_or(""))
        }
        _ => println!("usage: measure text FILE... | mail FOLDER WORKERS | zipf COUNT WORKERS | queries COUNT [KIND]"),
    }
}

fn index_folder() -> PathBuf {
    std::env::temp_dir().join("measure-index")
}

fn folder_bytes(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

fn measure_text(files: &[&str]) {
    let mut tokens = Tokens::new();
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for round in 0..3 {
            tokens.clear();
            let start = Instant::now();
            tokens.text(&text);
            let seconds = start.elapsed().as_secs_f64();
            let start = Instant::now();
            let sketched = sketch(&tokens).is_some();
            let sketch_ns = start.elapsed().as_nanos() as f64;
            println!(
                "{file} round {round}: {:.0} MB/s, {} tokens; sketch {:.2} ns a token ({sketched})",
                text.len() as f64 / 1e6 / seconds,
                tokens.word_count(),
                sketch_ns / f64::from(tokens.word_count())
            );
        }
    }
}

/// A message in pieces, as a parser would hand it over; crude on purpose.
fn crude(item_no: u32, message: &str) -> IndexDoc {
    let mut doc = IndexDoc::new(item_no, ItemKind::Email);
    doc.size = message.len() as u64;
    doc.date = Some(i64::from(item_no) * 60 + 946_684_800);
    let (head, body) = message.split_once("\n\n").unwrap_or((message, ""));
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    let mut texts: Vec<(Field, Tokens)> = Vec::new();
    for line in unfolded.lines() {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        let field = match name.to_ascii_lowercase().as_str() {
            "subject" => Field::Subject,
            "from" => Field::From,
            "to" => Field::To,
            "cc" => Field::Cc,
            "message-id" => {
                doc.keywords.push((Field::MessageId, value.to_owned()));
                continue;
            }
            _ => continue,
        };
        if texts.iter().any(|(earlier, _)| *earlier == field) {
            continue;
        }
        let mut tokens = Tokens::new();
        if field == Field::Subject {
            tokens.text(value);
        } else {
            for one in value.split(',') {
                let (name, addr) = one.split_once('<').unwrap_or(("", one));
                tokens.address(&Address {
                    name: name.trim().to_owned(),
                    addr: addr.trim().trim_end_matches('>').to_owned(),
                });
            }
        }
        texts.push((field, tokens));
    }
    let mut tokens = Tokens::new();
    for line in body.lines().filter(|line| !is_base64(line)) {
        tokens.text(line);
    }
    texts.push((Field::Body, tokens));
    doc.texts = texts;
    doc.keywords.push((Field::Type, "message/rfc822".to_owned()));
    doc
}

/// A parser would have decoded it; images and archives have no words.
fn is_base64(line: &str) -> bool {
    line.len() >= 56
        && line
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
}

fn read_messages(folder: &Path, out: &mut Vec<String>) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read_messages(&path, out);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        if text.starts_with("From ") {
            let mut rest = text.as_str();
            while let Some(at) = rest[1..].find("\nFrom ") {
                out.push(rest[..=at].to_owned());
                rest = &rest[at + 2..];
            }
            out.push(rest.to_owned());
        } else {
            out.push(text);
        }
    }
}

/// Indexes with workers that take blocks of consecutive items in turn, as the pipeline does.
fn build(messages: &(dyn Fn(u32) -> IndexDoc + Sync), count: u32, workers: usize) -> IndexStore {
    const BLOCK: usize = 256;
    let mut store = IndexStore::create_empty(&index_folder()).unwrap();
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let segments = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|_| {
                let mut builder = store.builder(400 << 20);
                let next = &next;
                scope.spawn(move || {
                    let mut finished = Vec::new();
                    loop {
                        let from = next.fetch_add(BLOCK, Ordering::Relaxed) as u32;
                        if from >= count {
                            break;
                        }
                        for item_no in from..count.min(from + BLOCK as u32) {
                            builder.add(&messages(item_no)).unwrap();
                        }
                        if builder.is_full() {
                            finished.extend(builder.finish().unwrap());
                        }
                    }
                    println!("  worker holds {} MB", builder.memory_bytes() >> 20);
                    let write = Instant::now();
                    finished.extend(builder.finish().unwrap());
                    println!("  last segment written in {:.2} s", write.elapsed().as_secs_f64());
                    finished
                })
            })
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| handle.join().unwrap())
            .collect::<Vec<_>>()
    });
    let built = start.elapsed().as_secs_f64();
    let start = Instant::now();
    store.commit(segments, Ticket(1)).unwrap();
    println!(
        "built {count} items in {built:.2} s ({:.0} a second), commit {:.1} ms, {} segments",
        f64::from(count) / built,
        start.elapsed().as_secs_f64() * 1e3,
        store.segment_count()
    );
    store
}

fn sizes(input: u64) {
    let folder = index_folder();
    let mut by_kind = std::collections::BTreeMap::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        let kind = name.rsplit('.').next().unwrap_or_default().to_owned();
        *by_kind.entry(kind).or_insert(0_u64) += file.metadata().unwrap().len();
    }
    let total = folder_bytes(&folder);
    println!(
        "index {total} bytes = {:.4} of {input}: {by_kind:?}",
        total as f64 / input as f64
    );
}

fn measure_mail(folder: &Path, workers: usize) {
    let mut messages = Vec::new();
    read_messages(folder, &mut messages);
    let input: u64 = messages.iter().map(|message| message.len() as u64).sum();
    let start = Instant::now();
    let docs: Vec<IndexDoc> = messages
        .iter()
        .enumerate()
        .map(|(no, message)| crude(no as u32, message))
        .collect();
    println!(
        "{} messages, {input} bytes, analysed in {:.2} s",
        docs.len(),
        start.elapsed().as_secs_f64()
    );
    let mut store = build(&|no| docs[no as usize].clone(), docs.len() as u32, workers);
    sizes(input);
    merge(&mut store, 1);
    sizes(input);
}

fn merge(store: &mut IndexStore, max_segments: usize) {
    let start = Instant::now();
    let merged = store.merge(max_segments).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "merge {} -> {}: {:.2} s, {:.0} items a second",
        merged.before,
        merged.after,
        seconds,
        merged.items_rewritten as f64 / seconds
    );
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// A rank from 0 on with probability about 1 / (rank + 1).
    fn rank(&mut self, count: f64) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (count.powf(unit) - 1.0) as u64
    }
}

const VOCABULARY: f64 = 400_000.0;

/// A pronounceable word for each rank; common ones are short.
fn word(rank: u64) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "con", "de", "er", "fi", "ga", "in", "jo", "ka", "lo", "men", "no", "pre", "qui", "re", "sta", "ti",
        "un", "ver", "wo",
    ];
    let mut text = String::new();
    let mut rest = rank + 1;
    while rest > 0 {
        text.push_str(SYLLABLES[(rest % 20) as usize]);
        rest /= 20;
    }
    text
}

fn made(item_no: u32) -> IndexDoc {
    let mut random = Random(u64::from(item_no) << 20 | 7);
    let mut doc = IndexDoc::new(item_no, ItemKind::Email);
    doc.size = 4000;
    doc.date = (!item_no.is_multiple_of(50)).then(|| 946_684_800 + (random.next() % 300_000_000) as i64);
    let mut text = |length: u64| {
        let mut text = String::new();
        for _ in 0..length {
            text.push_str(&word(random.rank(VOCABULARY)));
            text.push(' ');
        }
        let mut tokens = Tokens::new();
        tokens.text(&text);
        tokens
    };
    let length = 60 + u64::from(item_no.wrapping_mul(2_654_435_761) >> 23);
    let (body, subject) = (text(length), text(6));
    doc.texts = vec![(Field::Body, body), (Field::Subject, subject)];
    for field in [Field::From, Field::To] {
        let person = random.rank(20_000.0);
        let address = Address {
            name: format!("{} {}", word(person), word(person + 40_000)),
            addr: format!("{}.{}@met.example", word(person), word(person + 40_000)),
        };
        doc.people(field, [&address]);
    }
    doc
}

fn measure_zipf(count: u32, workers: usize) {
    println!("(making the text is part of building)");
    let mut store = build(&made, count, workers);
    sizes(u64::from(count) * 4000);
    queries(count, "as built", "");
    merge(&mut store, 1);
    queries(count, "one segment", "");
    let start = Instant::now();
    assert!(verify(&index_folder()).unwrap().is_empty());
    println!("verify {:.2} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    drop(IndexStore::open_or_create(&index_folder()).unwrap());
    println!("open for writing {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
}

fn queries(count: u32, title: &str, only: &str) {
    let start = Instant::now();
    let snapshot = Snapshot::open(&index_folder()).unwrap();
    let opened = start.elapsed().as_secs_f64() * 1e3;
    println!(
        "{title}: {} segments, opened in {opened:.2} ms",
        snapshot.segment_count()
    );
    let mut random = Random(99);
    let term = |rank: u64| Node::Term {
        fields: DEFAULT.to_vec(),
        token: word(rank),
    };
    let phrase = |random: &mut Random, length: usize, common: f64| Node::Phrase {
        fields: DEFAULT.to_vec(),
        tokens: (0..length).map(|_| word(random.rank(common))).collect(),
    };
    let half: roaring::RoaringBitmap = (0..count).filter(|item| item / 1000 % 2 == 0).collect();
    let half = Arc::new(half);
    let mut kinds: Vec<(&str, Vec<Node>)> = Vec::new();
    let mut kind = |name, make: &mut dyn FnMut(&mut Random) -> Node| {
        kinds.push((name, (0..200).map(|_| make(&mut random)).collect()));
    };
    kind("term, 200 commonest", &mut |random| term(random.next() % 200));
    kind("term, 3000 commonest", &mut |random| term(random.next() % 3000));
    kind("term, rare", &mut |random| term(20_000 + random.next() % 300_000));
    kind("AND of 2", &mut |random| {
        Node::And(vec![term(random.rank(3000.0)), term(random.rank(3000.0))])
    });
    kind("a AND (b OR c OR d) NOT e", &mut |random| {
        let any = (0..3).map(|_| term(random.rank(3000.0))).collect();
        let not = Node::Not(Box::new(term(random.rank(3000.0))));
        Node::And(vec![term(random.next() % 50), Node::Or(any), not])
    });
    kind("phrase of 2, common", &mut |random| phrase(random, 2, 100.0));
    kind("phrase of 2 to 4", &mut |random| {
        let length = 2 + (random.next() % 3) as usize;
        phrase(random, length, 3000.0)
    });
    for letters in [3, 4, 1] {
        let name = ["", "prefix of 1", "", "prefix of 3", "prefix of 4"][letters];
        kind(name, &mut |random| Node::Prefix {
            fields: DEFAULT.to_vec(),
            prefix: word(400 + random.next() % 8000).chars().take(letters).collect(),
        });
    }
    kind("term in half the items", &mut |random| {
        Node::And(vec![term(random.next() % 3000), Node::Items(Arc::clone(&half))])
    });
    kind("date range", &mut |random| Node::Range {
        field: Field::Date,
        low: std::ops::Bound::Included(946_684_800 + (random.next() % 200_000_000) as i64),
        high: std::ops::Bound::Unbounded,
    });
    for order in [Order::DateDesc, Order::Relevance] {
        println!("  count + bitmap + 20 by {order:?}: p50 / p99 / max CPU ms, mean hits");
        for (name, nodes) in kinds.iter().filter(|(name, _)| name.contains(only)) {
            report(&snapshot, name, nodes, order);
        }
    }
}

/// CPU time of this thread in nanoseconds (Linux): what a query costs on a machine that does other things too.
/// All of it when RAYON_NUM_THREADS is 1.
fn cpu_ns() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|first| first.parse().ok())
        .unwrap_or(0.0)
}

fn report(snapshot: &Snapshot, name: &str, nodes: &[Node], order: Order) {
    let want = Want {
        items: true,
        top: Some((order, 0, 20)),
    };
    let mut times = Vec::new();
    let mut hits = 0;
    for node in nodes {
        snapshot.run(node, want).unwrap();
        let start = cpu_ns();
        hits += snapshot.run(node, want).unwrap().count;
        times.push((cpu_ns() - start) / 1e6);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "  {name:28} {:7.2} {:7.2} {:7.2}   {}",
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        times[times.len() - 1],
        hits / nodes.len() as u64
    );
}
