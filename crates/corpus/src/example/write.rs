//! Writes an example: `mail/`, `records/`, `custodians.csv`, `README.txt`, `truth.json`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::calendar::rfc3339;
use crate::config::{BoxFormat, CorpusError};
use crate::layout::Mailbox;
use crate::records::json_lines;
use crate::stream::{Message, Place};
use crate::write::{BoxWriter, make_folder, remove_file, write_file};

use super::dates::{day_of, text};
use super::layouts::{self, Style, Table};
use super::people::{PEOPLE, person_id};
use super::plan::{Home, Limit, World};
use super::render::{envelope_sender, message_id, render};
use super::rows::{self, Exports, Record};
use super::truth::{Entry, ExampleCase, ExampleTruth, Label, MessageTruth};
use super::{ExampleConfig, check};

/// Formats that keep a message's bytes as they are, given to custodians in turn.
const FORMATS: [BoxFormat; 3] = [BoxFormat::Mboxrd, BoxFormat::Maildir, BoxFormat::Eml];

const README: &str = "A worked example, made up from beginning to end.\n\n\
The force, its people, towns, firms and cases do not exist. The layouts tribune-like and centurion-like are synthetic:\n\
the layouts of real case-management systems are not public and none was seen.\n\n\
mail/            mailboxes, one folder a custodian\n\
records/         tribune-like.jsonl (older system), centurion-like.jsonl (newer system): canonical records\n\
records/tribune-like/, records/centurion-like/: the same records as CSV in two synthetic layouts\n\
custodians.csv   whose mail was taken, from when on, and why not from earlier\n\
truth.json       what is planted, what only looks like it\n";

/// Makes the whole example below `dir`, which is made if need be; files of an earlier example there are overwritten.
///
/// # Errors
/// A file cannot be written, or the plan does not pass its own check (then nothing was written). After any other error the
/// folder holds part of an example and no truth.
pub fn write_example(dir: &Path, config: &ExampleConfig) -> Result<ExampleTruth, CorpusError> {
    let world = super::plan(config)?;
    if let Some(first) = check::violations(&world).first() {
        return Err(CorpusError::Setting {
            setting: "seed",
            reason: format!("the example is not as it should be: {first}"),
        });
    }
    make_folder(dir)?;
    let truth_path = dir.join("truth.json");
    remove_file(&truth_path)?;
    let exports = rows::export(&world);
    write_records(dir, &exports)?;
    write_file(&dir.join("README.txt"), README.as_bytes())?;
    write_file(&dir.join("custodians.csv"), custodians(&world).as_bytes())?;
    let files = write_mail(dir, &world)?;
    let truth = truth(&world, config, &exports, &files);
    let mut json = serde_json::to_vec_pretty(&truth).map_err(|source| CorpusError::Json {
        what: "the truth of the example",
        source,
    })?;
    json.push(b'\n');
    write_file(&truth_path, &json)?;
    Ok(truth)
}

/// Records as JSON Lines, `record_type` first.
pub(super) fn lines(records: &[Record]) -> Vec<u8> {
    let typed: Vec<_> = records
        .iter()
        .map(|(kind, fields)| {
            let mut map = fields.clone();
            map.insert("record_type".to_owned(), (*kind).into());
            map
        })
        .collect();
    json_lines(&typed)
}

fn write_records(dir: &Path, exports: &Exports) -> Result<(), CorpusError> {
    let folder = dir.join("records");
    let parts: [(&str, &[Record], &[Table], Style); 2] = [
        (rows::OLDER, &exports.older, &layouts::OLDER, Style::Older),
        (rows::NEWER, &exports.newer, &layouts::NEWER, Style::Newer),
    ];
    for (system, records, tables, style) in parts {
        let below = folder.join(system);
        make_folder(&below)?;
        write_file(&folder.join(format!("{system}.jsonl")), &lines(records))?;
        for table in tables {
            write_file(&below.join(table.file), layouts::csv(table, style, records).as_bytes())?;
        }
    }
    Ok(())
}

/// Received and sent mailbox of every custodian, in these formats by turns.
fn mailboxes(world: &World, formats: &[BoxFormat]) -> Vec<Mailbox> {
    let mut all = Vec::new();
    let custodians = (0..PEOPLE).filter(|person| world.people[*person].is_custodian);
    for (nth, person) in custodians.enumerate() {
        let format = formats[nth % formats.len()];
        let owner = world.people[person].slug();
        for is_sent in [false, true] {
            let name = match (format, is_sent) {
                (BoxFormat::Maildir, false) => "Maildir",
                (BoxFormat::Maildir, true) => "Maildir/.Sent",
                (BoxFormat::Eml, false) => "inbox",
                (BoxFormat::Eml, true) => "sent",
                (_, false) => "inbox.mbox",
                (_, true) => "sent.mbox",
            };
            all.push(Mailbox {
                path: format!("mail/{owner}/{name}"),
                custodian: person as u32,
                owner: owner.clone(),
                format,
                is_sent,
            });
        }
    }
    all
}

/// Messages in the order of their sending.
fn in_order(world: &World) -> Vec<usize> {
    let mut order: Vec<usize> = (0..world.mails.len()).collect();
    order.sort_by_key(|at| (world.mails[*at].at, *at));
    order
}

/// Writes all mailboxes; returns the files that hold each message.
fn write_mail(dir: &Path, world: &World) -> Result<BTreeMap<usize, Vec<String>>, CorpusError> {
    let mut post = Mailboxes::create(dir, world, &FORMATS)?;
    let files = post.append(world)?;
    post.finish()?;
    Ok(files)
}

/// The mailboxes of an example, being written.
pub(super) struct Mailboxes {
    boxes: Vec<Mailbox>,
    writers: Vec<BoxWriter>,
    next: Vec<u64>,
}

impl Mailboxes {
    /// Makes them, empty.
    pub(super) fn create(dir: &Path, world: &World, formats: &[BoxFormat]) -> Result<Self, CorpusError> {
        let boxes = mailboxes(world, formats);
        let mut writers = Vec::new();
        for mailbox in &boxes {
            writers.push(BoxWriter::create(dir, mailbox)?);
        }
        let next = vec![0; boxes.len()];
        Ok(Self { boxes, writers, next })
    }

    /// Writes the messages of a world behind what is there; returns the files that hold each.
    pub(super) fn append(&mut self, world: &World) -> Result<BTreeMap<usize, Vec<String>>, CorpusError> {
        let mut files: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for at in in_order(world) {
            let mail = &world.mails[at];
            let holders = world.holders(at);
            if holders.is_empty() {
                continue;
            }
            let bytes = render(world, at);
            let sender = envelope_sender(world, mail);
            for (person, is_sent) in holders {
                let of_holder = |mailbox: &Mailbox| mailbox.custodian as usize == person && mailbox.is_sent == is_sent;
                let mailbox = self.boxes.iter().position(of_holder).expect("holders are custodians");
                let place = Place {
                    mailbox,
                    ordinal: self.next[mailbox],
                };
                self.next[mailbox] += 1;
                files
                    .entry(at)
                    .or_default()
                    .push(self.boxes[mailbox].file(place.ordinal));
                let message = Message {
                    number: at as u64,
                    version: 0,
                    bytes: &bytes,
                    places: &[place],
                    sender: &sender,
                    sent_at: mail.at,
                    needs_quoting: true,
                };
                self.writers[mailbox].append(&message, place)?;
            }
        }
        Ok(files)
    }

    /// Closes them.
    pub(super) fn finish(self) -> Result<(), CorpusError> {
        self.writers.into_iter().try_for_each(BoxWriter::finish)
    }
}

fn custodians(world: &World) -> String {
    let mut csv = String::from("custodian,person_id,export_from,reason\n");
    for person in (0..PEOPLE).filter(|person| world.people[*person].is_custodian) {
        let limit = world.limits.iter().find(|(of, _, _)| *of == person);
        let (from, reason) = match limit {
            Some((_, from, Limit::Retention)) => (text(*from), "older mail deleted under the retention rule"),
            Some((_, from, Limit::Scope)) => (text(*from), "date scope of the request"),
            None => (String::new(), "whole mailbox"),
        };
        csv.push_str(&format!(
            "{},{},{from},{reason}\n",
            world.people[person].slug(),
            person_id(person)
        ));
    }
    csv
}

fn truth(
    world: &World,
    config: &ExampleConfig,
    exports: &Exports,
    files: &BTreeMap<usize, Vec<String>>,
) -> ExampleTruth {
    let case_ref = |case: Option<usize>| case.map(|case| world.cases[case].case_ref.clone());
    let entries = world
        .plants
        .iter()
        .enumerate()
        .map(|(nth, plant)| {
            let ids = |is_held: bool| -> Vec<String> {
                plant
                    .mails
                    .iter()
                    .filter(|at| files.contains_key(*at) == is_held)
                    .map(|at| message_id(world, *at))
                    .collect()
            };
            Entry {
                entry: nth as u32 + 1,
                rule: plant.rule.to_owned(),
                label: if plant.is_fault {
                    Label::Planted
                } else {
                    Label::LookAlike
                },
                variant: plant.variant.to_owned(),
                case_ref: case_ref(plant.case),
                people: plant.people.iter().map(|person| person_id(*person)).collect(),
                records: plant
                    .rows
                    .iter()
                    .filter_map(|no| exports.ids.get(no).cloned())
                    .collect(),
                message_ids: ids(true),
                absent_message_ids: ids(false),
                why: plant.why.clone(),
            }
        })
        .collect();
    let messages = in_order(world)
        .into_iter()
        .filter_map(|at| {
            let mail = &world.mails[at];
            let stated = mail.states.as_ref();
            Some(MessageTruth {
                message_id: message_id(world, at),
                kind: mail.kind.to_owned(),
                set: mail.set,
                case_ref: case_ref(mail.case),
                sent_at: rfc3339(mail.at),
                from: person_id(mail.from),
                to: mail
                    .to
                    .iter()
                    .chain(&mail.cc)
                    .map(|person| person_id(*person))
                    .collect(),
                states_decision: stated.map(|stated| stated.kind.to_owned()),
                decision: stated
                    .and_then(|stated| stated.row)
                    .and_then(|no| exports.ids.get(&no).cloned()),
                files: files.get(&at)?.clone(),
            })
        })
        .collect();
    let cases = world
        .cases
        .iter()
        .enumerate()
        .map(|(at, case)| ExampleCase {
            case_ref: case.case_ref.clone(),
            case_type: case.kind.word().to_owned(),
            came_to_attention: text(day_of(case.attention_at)),
            regulations: format!("{:?}", case.era).trim_start_matches('Y').to_owned(),
            source_system: if case.home == Home::Older {
                rows::OLDER
            } else {
                rows::NEWER
            }
            .to_owned(),
            is_clean: world.plants.iter().all(|plant| plant.case != Some(at)),
        })
        .collect();
    ExampleTruth {
        format: 1,
        seed: config.seed,
        templates: config.templates,
        migrated_on: text(world.migration),
        people: (0..PEOPLE).map(person_id).collect(),
        custodians: (0..PEOPLE)
            .filter(|person| world.people[*person].is_custodian)
            .map(|person| world.people[person].slug())
            .collect(),
        cases,
        records: [exports.older.len() as u64, exports.newer.len() as u64],
        entries,
        messages,
    }
}
