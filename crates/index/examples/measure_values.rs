//! Measures counts by values on made items: what the columns add to the index, the first count (which joins the lists of the segments), and counts of sets
//! of items of 100 to all, their sizes spread over the orders of magnitude.
//!
//! `measure_values COUNT PEOPLE SEGMENTS`. Times are of the clock; the index lies in a folder of its own under the system's temporary folder and is removed.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a program for measuring, run by hand"
)]

use std::time::Instant;

use embley_index::{CountBy, IndexDoc, IndexStore, Snapshot};
use embley_model::address::Address;
use embley_model::field::Field;
use embley_model::id::Ticket;
use embley_model::item::ItemKind;
use roaring::RoaringBitmap;

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

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A person, with probability about 1 / (rank + 1); one in five of a long tail met once or twice.
    fn person(&mut self, people: u64) -> Address {
        let rank = if self.next().is_multiple_of(5) {
            self.next() % people
        } else {
            ((people as f64).powf(self.share()) - 1.0) as u64
        };
        Address {
            name: String::new(),
            addr: format!("person.number{rank}@company{}.example", rank % (people / 20).max(1)),
        }
    }
}

fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).map(|word| word.parse().unwrap()).collect();
    let &[count, people, segments] = numbers.as_slice() else {
        println!("usage: measure_values COUNT PEOPLE SEGMENTS");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let bytes = |folder: &std::path::Path| -> u64 {
        let files = std::fs::read_dir(folder).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    };
    let mut store = IndexStore::open_or_create(folder.path()).unwrap();
    let mut finished = Vec::new();
    let mut random = Random(1);
    for segment in 0..segments {
        let mut builder = store.builder(1 << 30);
        for item in (1..=count).filter(|item| item / 1000 % segments == segment) {
            let mut doc = IndexDoc::new(item, ItemKind::Email);
            doc.date = Some(946_684_800 + (random.next() % 300_000_000) as i64);
            doc.people(Field::From, [&random.person(u64::from(people))]);
            let others: Vec<Address> = (0..1 + random.next() % 4)
                .map(|_| random.person(u64::from(people)))
                .collect();
            doc.people(Field::To, &others);
            doc.keywords.push((
                Field::Language,
                if random.next().is_multiple_of(30) { "de" } else { "en" }.to_owned(),
            ));
            // What is measured are columns; the words of addresses are left out.
            doc.texts.clear();
            builder.add(&doc).unwrap();
        }
        finished.extend(builder.finish().unwrap());
    }
    store.commit(finished, Ticket(1)).unwrap();
    println!("{count} items: {} bytes of columns", bytes(folder.path()));
    let snapshot = Snapshot::open(folder.path()).unwrap();
    let by = [CountBy::Sender, CountBy::Recipient, CountBy::Domain, CountBy::Language];
    let started = Instant::now();
    snapshot
        .count_by(&by, &RoaringBitmap::from_iter([1]), Some(20))
        .unwrap();
    println!("first count {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); by.len() + 2];
    let rounds = 60;
    for round in 0..rounds {
        let size = 100.0 * (f64::from(count) / 100.0).powf(f64::from(round) / f64::from(rounds - 1));
        let share = size / f64::from(count);
        let items: RoaringBitmap = (1..=count).filter(|_| random.share() < share).collect();
        let mut timed = |at: usize, work: &dyn Fn()| {
            let started = Instant::now();
            work();
            times[at].push(started.elapsed().as_secs_f64() * 1e3);
        };
        for (at, by) in by.iter().enumerate() {
            timed(at, &|| drop(snapshot.count_by(&[*by], &items, Some(20)).unwrap()));
        }
        timed(by.len(), &|| drop(snapshot.dates_of(&items).unwrap()));
        timed(by.len() + 1, &|| {
            snapshot.count_by(&by, &items, Some(20)).unwrap();
            snapshot.dates_of(&items).unwrap();
        });
    }
    for (name, mut times) in ["sender", "recipient", "domain", "language", "dates", "all of them"]
        .iter()
        .zip(times)
    {
        times.sort_by(f64::total_cmp);
        println!(
            "{name:12} p50 {:8.2} ms, most {:8.2} ms",
            times[times.len() / 2],
            times[times.len() - 1]
        );
    }
}
