//! `embley tag`: tags, their sets and rules, undoing.

use embley_store::Access;
use embley_store::facts::journal::{Kind, Which};
use embley_store::facts::tag_rules::{self, Said};
use embley_store::facts::tags::{self, Put};
use serde_json::json;

use super::casework::{reason, some, targets, undo_words};
use super::journal;
use crate::args::{Args, TagCommand};
use crate::context;
use crate::exit;
use crate::output::{Rows, clean, note};

/// Tags.
pub(crate) fn tag(args: &Args, command: &TagCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let reader = case.reader()?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        TagCommand::Add { tag, target, note } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let reason = reason(target);
            let put = Put {
                tag,
                items: &items,
                reason: &reason,
                note,
            };
            let done = tags::put_on(case.facts()?.connection(), &put, stamp)?;
            note!(
                "{}: {} items tagged, {} were, {} carry it now{}",
                clean(tag),
                done.change.changed,
                done.change.as_before,
                done.change.members,
                undo_words("tag", done.change.event)
            );
            if done.moved > 0 {
                note!("{} items left another tag of the same set", done.moved);
            }
        }
        TagCommand::Remove { tag, target, note } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let reason = reason(target);
            let put = Put {
                tag,
                items: &items,
                reason: &reason,
                note,
            };
            let change = tags::take_off(case.facts()?.connection(), &put, stamp)?;
            note!(
                "{}: taken off {} items, {} carry it now{}",
                clean(tag),
                change.changed,
                change.members,
                undo_words("tag", change.event)
            );
        }
        TagCommand::Undo { event, note } => {
            let change = tags::undo(case.facts()?.connection(), *event, "", note, stamp)?;
            note!(
                "event {event} is taken back for {} items; {} were changed again later and stay{}",
                change.changed,
                change.held_back,
                undo_words("tag", change.event)
            );
        }
        TagCommand::List(list) => {
            let mut rows = Rows::new("tags", &["tag", "items", "set", "colour"]);
            for set in tags::list(reader.facts())? {
                let rules = tag_rules::of_tag(reader.facts(), set.set_id)?;
                let of = rules.set.as_ref().map(|one| one.name.clone());
                rows.push(
                    vec![
                        clean(&set.name),
                        set.count.to_string(),
                        clean(of.as_deref().unwrap_or_default()),
                        rules.colour.clone(),
                    ],
                    json!({"tag": set.name, "items": set.count, "set": of, "colour": rules.colour}),
                )?;
            }
            let sets = serde_json::to_value(tag_rules::all(reader.facts())?)?;
            rows.print(context::format(list), vec![("sets", sets)])?;
        }
        TagCommand::Set {
            name,
            tags,
            without,
            colour,
            exclusive,
            note_required,
        } => {
            let said = Said {
                colour: colour.as_deref(),
                exclusive: *exclusive,
                note_required: *note_required,
                tags,
                without,
            };
            let set = tag_rules::define(case.facts()?.connection(), name, &said, stamp)?;
            note!(
                "tag set {}: {}, {}",
                clean(&set.name),
                if set.exclusive {
                    "one of its tags an item"
                } else {
                    "any of its tags"
                },
                if set.note_required {
                    "changed with a note"
                } else {
                    "no note asked for"
                }
            );
        }
        TagCommand::Colour { tag, colour } => {
            tag_rules::colour(case.facts()?.connection(), tag, colour, stamp)?;
            note!(
                "{}: colour {}",
                clean(tag),
                if colour.is_empty() { "of its set" } else { colour }
            );
        }
        TagCommand::History { tag, list } => {
            let asked = Which {
                tag: tag.as_deref(),
                ..Which::default()
            };
            journal::print(reader.facts(), asked, Some(&[Kind::Tag, Kind::TagRule]), list)?;
        }
    }
    Ok(exit::DONE)
}
