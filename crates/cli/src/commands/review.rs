//! `embley review` and `embley privilege`: states and marks on an item, a file of ids, or a query.

use embley_store::Access;
use embley_store::facts::sets::SetRow;
use embley_store::facts::{privilege, review};
use roaring::RoaringBitmap;
use serde_json::json;

use super::casework::{reason, some, targets, undo_words};
use crate::args::{Args, ListArgs, PrivilegeCommand, ReviewCommand};
use crate::context;
use crate::exit;
use crate::output::{Rows, clean, note};

/// Review states.
pub(crate) fn review(args: &Args, command: &ReviewCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let reader = case.reader()?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        ReviewCommand::Set { state, target } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let known = review::list(reader.facts())?;
            let done = review::set(case.facts()?.connection(), state, &items, &reason(target), stamp)?;
            note!(
                "{}: {} items set, {} of them had another state, {} were in it{}",
                clean(state),
                done.changed,
                done.moved,
                done.as_before,
                undo_words("review", done.event)
            );
            if is_new(state, &known) {
                note!("note: {} is a new review state", clean(state));
            }
        }
        ReviewCommand::Clear { target } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let done = review::clear(case.facts()?.connection(), &items, &reason(target), stamp)?;
            note!(
                "{} items are not reviewed any more, {} were not before{}",
                done.changed,
                done.as_before,
                undo_words("review", done.event)
            );
        }
        ReviewCommand::Undo { event, note } => {
            let done = review::undo(case.facts()?.connection(), *event, note, stamp)?;
            note!(
                "event {event} is taken back for {} items; {} were changed again later and stay{}",
                done.changed,
                done.held_back,
                undo_words("review", done.event)
            );
        }
        ReviewCommand::List(list) => {
            let states = review::list(reader.facts())?;
            let mut rows = Rows::new("states", &["state", "items"]);
            let mut reviewed = 0;
            for state in &states {
                reviewed += state.count;
                push(&mut rows, "state", state)?;
            }
            let left = reader.seen_items().len().saturating_sub(reviewed);
            let cells = vec![review::NOT_REVIEWED.to_owned(), left.to_string()];
            rows.push(cells, json!({"state": review::NOT_REVIEWED, "items": left}))?;
            rows.print(context::format(list), Vec::new())?;
        }
    }
    Ok(exit::DONE)
}

/// True for a state that was never given and that nobody expects.
fn is_new(state: &str, known: &[SetRow]) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case(state.trim());
    !review::USUAL_STATES.iter().any(|name| is(name)) && !known.iter().any(|row| is(&row.name))
}

/// Marks of privilege.
pub(crate) fn privilege(args: &Args, command: &PrivilegeCommand) -> anyhow::Result<u8> {
    if !matches!(
        command,
        PrivilegeCommand::Mark { .. }
            | PrivilegeCommand::Unmark { .. }
            | PrivilegeCommand::Undo { .. }
            | PrivilegeCommand::List(_)
    ) {
        return super::quarantine::run(args, command);
    }
    let case = context::open(args, Access::Facts)?;
    let reader = case.reader()?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    let wanted = |target| -> anyhow::Result<RoaringBitmap> {
        let items = targets(&case, &reader, target)?;
        some(&items, target)?;
        Ok(items)
    };
    match command {
        PrivilegeCommand::Mark { name, target } => {
            let items = wanted(target)?;
            let change = privilege::mark(case.facts()?.connection(), name, &items, &reason(target), stamp)?;
            note!(
                "{}: {} items marked, {} were, {} carry it now{}",
                clean(name),
                change.changed,
                change.as_before,
                change.members,
                undo_words("privilege", change.event)
            );
        }
        PrivilegeCommand::Unmark { name, target } => {
            let items = wanted(target)?;
            let change = privilege::unmark(case.facts()?.connection(), name, &items, &reason(target), stamp)?;
            note!(
                "{}: taken off {} items, {} carry it now{}",
                clean(name),
                change.changed,
                change.members,
                undo_words("privilege", change.event)
            );
        }
        PrivilegeCommand::Undo { event, note } => {
            let change = privilege::undo(case.facts()?.connection(), *event, note, stamp)?;
            note!(
                "event {event} is taken back for {} items; {} were changed again later and stay{}",
                change.changed,
                change.held_back,
                undo_words("privilege", change.event)
            );
        }
        PrivilegeCommand::List(list) => print_privilege(&privilege::list(reader.facts())?, list)?,
        _ => {}
    }
    Ok(exit::DONE)
}

fn print_privilege(marks: &[SetRow], list: &ListArgs) -> anyhow::Result<()> {
    let mut rows = Rows::new("marks", &["privilege", "items"]);
    for mark in marks {
        push(&mut rows, "privilege", mark)?;
    }
    rows.print(context::format(list), Vec::new())
}

fn push(rows: &mut Rows, what: &'static str, set: &SetRow) -> anyhow::Result<()> {
    let object = json!({what: set.name, "items": set.count});
    rows.push(vec![clean(&set.name), set.count.to_string()], object)
}
