//! One benchmark a stage, over mail of the seeded corpus: `cargo bench -p embley-benches`. Throughput is in bytes of mail.
//!
//! Absolute figures belong to one machine and one hour; compare runs taken in turn.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use embley_corpus::{CorpusConfig, MessageStream};
use embley_formats::identity;
use embley_formats::mail::{ParseLimits, parse_message};
use embley_formats::mailbox::{MailboxScanner, Variant, requote, unquote};
use embley_index::analysis::{Tokens, sketch};
use embley_index::{IndexDoc, IndexStore, Node, Order, Snapshot, Want};
use embley_model::field::{DEFAULT, Field};
use embley_model::id::{Blake3, Ticket};
use embley_model::item::ItemKind;
use embley_store::packs::FrameBuilder;
use sha2::Digest;

const MESSAGES: u64 = 2_000;

/// Messages, and the same as one mboxrd.
struct Mail {
    messages: Vec<Vec<u8>>,
    mailbox: Vec<u8>,
    bytes: u64,
}

fn mail() -> Mail {
    let mut stream = MessageStream::new(&CorpusConfig::new(MESSAGES, 1)).expect("the settings are fine");
    let mut messages = Vec::new();
    let mut mailbox = Vec::new();
    while let Some(message) = stream.next_message() {
        mailbox.extend_from_slice(b"From maker@example.org Mon May 14 16:39:00 2001\n");
        mailbox.extend_from_slice(&requote(Variant::Mboxrd, message.bytes));
        mailbox.extend_from_slice(b"\n\n");
        messages.push(message.bytes.to_vec());
    }
    let bytes = messages.iter().map(|message| message.len() as u64).sum();
    Mail {
        messages,
        mailbox,
        bytes,
    }
}

fn texts(mail: &Mail) -> Vec<String> {
    let limits = ParseLimits::default();
    mail.messages
        .iter()
        .map(|message| parse_message(message, &limits).items.swap_remove(0).text)
        .collect()
}

fn docs(texts: &[String]) -> Vec<IndexDoc> {
    (1..)
        .zip(texts)
        .map(|(number, text)| {
            let mut tokens = Tokens::new();
            tokens.text(text);
            let mut doc = IndexDoc::new(number, ItemKind::Email);
            doc.date = Some(i64::from(number));
            doc.texts.push((Field::Body, tokens));
            doc
        })
        .collect()
}

fn stages(criterion: &mut Criterion) {
    let mail = mail();
    let texts = texts(&mail);
    let limits = ParseLimits::default();
    let mut group = criterion.benchmark_group("stage");
    group.throughput(Throughput::Bytes(mail.bytes)).sample_size(20);
    group.bench_function("split", |bench| {
        bench.iter(|| {
            let mut scanner = MailboxScanner::open(&mail.mailbox[..], None).expect("memory can be read");
            let mut entries = 0;
            while let Some(range) = scanner.next_range(1 << 20).expect("memory can be read") {
                entries += range.entries.len();
            }
            assert_eq!(entries, mail.messages.len());
        });
    });
    group.bench_function("unquote", |bench| {
        bench.iter(|| {
            mail.messages
                .iter()
                .filter(|message| unquote(Variant::Mboxrd, message).exact)
                .count()
        });
    });
    group.bench_function("hash-blake3", |bench| {
        bench.iter(|| {
            for message in &mail.messages {
                black_box(blake3::hash(message));
            }
        });
    });
    group.bench_function("hash-sha256", |bench| {
        bench.iter(|| {
            for message in &mail.messages {
                black_box(sha2::Sha256::digest(message));
            }
        });
    });
    group.bench_function("pack", |bench| {
        let mut frames = FrameBuilder::new().expect("memory for zstd");
        let hash = Blake3([7; 32]);
        bench.iter(|| {
            for message in &mail.messages {
                frames.add(message, &hash).expect("zstd takes anything");
            }
            frames.finish().expect("zstd takes anything").stored_bytes()
        });
    });
    group.bench_function("parse", |bench| {
        bench.iter(|| {
            mail.messages
                .iter()
                .map(|message| parse_message(message, &limits).items.len())
                .sum::<usize>()
        });
    });
    group.bench_function("tokens-and-sketch", |bench| {
        bench.iter(|| {
            for text in &texts {
                let mut tokens = Tokens::new();
                tokens.text(text);
                black_box(sketch(&tokens));
            }
        });
    });
    group.bench_function("keys", |bench| {
        let families: Vec<_> = mail
            .messages
            .iter()
            .map(|message| parse_message(message, &limits))
            .collect();
        bench.iter(|| {
            for family in &families {
                let Some(meta) = &family.items[0].mail else { continue };
                black_box(identity::mail_keys(meta, family.items[0].text.split(' '), &[]));
            }
        });
    });
    group.bench_function("index-segment", |bench| {
        let docs = docs(&texts);
        bench.iter(|| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let store = IndexStore::open_or_create(folder.path()).expect("a new index");
            let mut builder = store.builder(256 << 20);
            for doc in &docs {
                builder.add(doc).expect("numbers increase");
            }
            builder
                .finish()
                .expect("the disk has room")
                .map(|segment| segment.item_count())
        });
    });
    group.finish();
}

fn queries(criterion: &mut Criterion) {
    let docs = docs(&texts(&mail()));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new index");
    let mut builder = store.builder(256 << 20);
    for doc in &docs {
        builder.add(doc).expect("numbers increase");
    }
    let segment = builder.finish().expect("the disk has room").into_iter().collect();
    store.commit(segment, Ticket(1)).expect("the disk has room");
    let snapshot = Snapshot::open(folder.path()).expect("the index that was just written");
    let term = |token: &str| Node::Term {
        fields: DEFAULT.to_vec(),
        token: token.to_owned(),
    };
    let shapes = [
        ("term", term("the")),
        ("and", Node::And(vec![term("the"), term("of")])),
        (
            "phrase",
            Node::Phrase {
                fields: DEFAULT.to_vec(),
                tokens: vec!["of".into(), "the".into()],
            },
        ),
        (
            "prefix",
            Node::Prefix {
                fields: DEFAULT.to_vec(),
                prefix: "in".into(),
            },
        ),
    ];
    let mut group = criterion.benchmark_group("query");
    for (name, node) in shapes {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let want = Want {
                    items: true,
                    top: Some((Order::DateAsc, 0, 20)),
                };
                snapshot.run(&node, want).expect("a healthy index").count
            });
        });
    }
    group.finish();
}

criterion_group!(benches, stages, queries);
criterion_main!(benches);
