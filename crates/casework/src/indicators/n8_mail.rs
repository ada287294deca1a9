//! N8, the part that mail decides: something was sent by mail to whoever should have been told, in the time, and no record says so.
//!
//! No words are read: a message that names the case, sent to the recipient after the day from which the clock counts and by the day on which it
//! was due, by somebody who held a role on the case that day, explains that no record does (another channel); one by anybody else lowers. Not
//! for: whether the message told enough; people read it.

use embley_model::address::{Participant, Role};
use embley_model::id::ItemNo;
use jiff::Timestamp;

use super::clock_states::{ClockState, Done};
use super::draft::Weight;
use super::material::CaseFile;
use super::moment::Moment;
use super::{Context, Mail};
use crate::error::Result;

/// Adds to a clock that was not met what mail says of it.
///
/// # Errors
/// The index or the catalogue refuses.
pub(super) fn told_by_mail(
    context: &Context<'_>,
    mail: Mail<'_>,
    case: &CaseFile,
    state: &mut ClockState<'_>,
) -> Result<()> {
    if state.recipient.is_empty() || matches!(state.done, Done::InTime(_)) {
        return Ok(());
    }
    // What was sent on the first day is what the clock counts from, such as the update before.
    let Some(first) = state.start.tomorrow().ok().filter(|first| *first <= state.due) else {
        return Ok(());
    };
    let naming = mail.index.naming(mail.searcher, case.name())?;
    if naming.is_empty() {
        return Ok(());
    }
    let in_time = format!("type:email AND date:{first}..{}", state.due);
    let items = mail.index.items(mail.searcher, &in_time)? & naming.as_ref();
    let recipient = context.people.resolve(&state.recipient);
    for item in &items {
        let Some(row) = mail.searcher.reader().item(ItemNo(item))? else {
            continue;
        };
        let at = row.date.utc_secs;
        let with_role = |roles: &[Role]| -> Vec<Participant> {
            let with = row.participants.iter().filter(|one| roles.contains(&one.role));
            with.cloned().collect()
        };
        let senders = with_role(&[Role::From, Role::Sender]);
        let is_told = recipient.takes_part(&with_role(&[Role::To, Role::Cc, Role::Bcc]), at);
        let Some(moment) = moment_of(at, context).filter(|_| is_told && !recipient.takes_part(&senders, at)) else {
            continue;
        };
        let is_of_case = case
            .roles(context.zone)
            .iter()
            .any(|held| held.span.may_cover(&moment) && context.people.resolve(held.person()).takes_part(&senders, at));
        let told = format!(
            "item {item} of {} is a message to the recipient that names the case",
            moment.day
        );
        state.explained.push(if is_of_case {
            (format!("{told}, from somebody with a role on it"), Weight::Explains)
        } else {
            (
                format!("{told}, from somebody without a role on record"),
                Weight::Lowers,
            )
        });
        state.messages.push(row.item_no);
    }
    Ok(())
}

/// The moment of a message.
fn moment_of(at: Option<i64>, context: &Context<'_>) -> Option<Moment> {
    let secs = at?;
    let day = Timestamp::from_second(secs).ok()?.to_zoned(context.zone.clone()).date();
    Some(Moment {
        earliest: secs,
        latest: secs,
        day,
    })
}
