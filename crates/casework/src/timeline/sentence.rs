//! Sentences of a timeline: what a record or a header says, in neutral words, without conclusions.

use embley_model::address::{Participant, Role};
use embley_model::item::ItemKind;
use embley_model::record::{Decision, RoleAppointment};
use embley_store::facts::exhibits::Exhibit;

use super::ItemCard;
use crate::people::Directory;

/// Longest quotation of a subject or description, in characters.
const QUOTED_CHARS: usize = 120;

/// `decision recorded: severity assessment; outcome: misconduct; by Ann Lee (P-7), role claimed: ...`.
pub(super) fn decision(decision: &Decision, people: &Directory) -> String {
    let mut said = vec![format!(
        "decision recorded: {}",
        word_or(&decision.decision_type, "type not recorded")
    )];
    add(&mut said, "outcome: ", decision.outcome.as_deref());
    add(
        &mut said,
        "by ",
        decision.decided_by.as_deref().map(|id| people.spoken(id)).as_deref(),
    );
    add(
        &mut said,
        "role claimed: ",
        decision.role_claimed.as_deref().map(spoken).as_deref(),
    );
    if !decision.subject_person_ids.is_empty() {
        let names: Vec<String> = decision.subject_person_ids.iter().map(|id| people.spoken(id)).collect();
        said.push(format!("concerning {}", names.join(", ")));
    }
    add(&mut said, "cites ", decision.regulation_cited.as_deref());
    add(&mut said, "under ", decision.regime_cited.as_deref());
    add(&mut said, "supersedes ", decision.supersedes_decision_id.as_deref());
    said.join("; ")
}

/// `role recorded: investigator, Ann Lee (P-7); appointed by ...`.
pub(super) fn role_start(role: &RoleAppointment, people: &Directory) -> String {
    let acting = if role.acting == Some(true) { "acting " } else { "" };
    let mut said = vec![format!(
        "role recorded: {acting}{}, {}",
        word_or(&role.role, "role not recorded"),
        holder(role, people)
    )];
    add(
        &mut said,
        "appointed by ",
        role.appointed_by.as_deref().map(|id| people.spoken(id)).as_deref(),
    );
    add(&mut said, "basis: ", role.basis.as_deref());
    said.join("; ")
}

/// `role recorded as ended: investigator, Ann Lee (P-7)`.
pub(super) fn role_end(role: &RoleAppointment, people: &Directory) -> String {
    format!(
        "role recorded as ended: {}, {}",
        word_or(&role.role, "role not recorded"),
        holder(role, people)
    )
}

fn holder(role: &RoleAppointment, people: &Directory) -> String {
    if role.person_id.is_empty() {
        "person not recorded".to_owned()
    } else {
        people.spoken(&role.person_id)
    }
}

/// The words for a date of a case.
pub(super) fn case_date(field: &str) -> &'static str {
    match field {
        "date_of_incident" => "date of incident recorded",
        "came_to_attention_at" => "recorded as come to the attention of the appropriate authority",
        "special_requirements_certified_at" => "special requirements recorded as certified",
        "closed_at" => "case recorded as closed",
        _ => "case recorded as opened",
    }
}

/// A message, attachment, file, or a record that is not of the case.
pub(super) fn item(card: &ItemCard) -> String {
    let name = card.filename.as_deref().unwrap_or("without a name");
    match card.kind {
        ItemKind::Email => {
            let subject = if card.subject.is_empty() {
                "without a subject".to_owned()
            } else {
                quote(&card.subject)
            };
            format!("e-mail {subject}{}", correspondents(&card.participants))
        }
        ItemKind::Attachment => format!("attachment {} of item {}", quote(name), card.root),
        ItemKind::Document => format!("document {}", quote(name)),
        ItemKind::Record => format!("record: {}", quote(&card.subject)),
    }
}

/// `, from A to B and 2 others`.
fn correspondents(participants: &[Participant]) -> String {
    let from = participants.iter().find(|one| one.role == Role::From);
    let to: Vec<&Participant> = participants
        .iter()
        .filter(|one| matches!(one.role, Role::To | Role::Cc | Role::Bcc))
        .collect();
    let mut said = String::new();
    if let Some(from) = from {
        said.push_str(&format!(", from {}", from.address.display()));
    }
    if let Some(first) = to.first() {
        said.push_str(&format!(", to {}", first.address.display()));
        match to.len() - 1 {
            0 => {}
            1 => said.push_str(" and 1 other"),
            others => said.push_str(&format!(" and {others} others")),
        }
    }
    said
}

/// `exhibit JS/1: phone; produced by ...; 3 items`.
pub(super) fn exhibit(exhibit: &Exhibit) -> String {
    let mut said = vec![format!("exhibit {}", exhibit.reference)];
    if !exhibit.description.is_empty() {
        said[0].push_str(&format!(": {}", cut(&exhibit.description)));
    }
    if !exhibit.produced_by.is_empty() {
        said.push(format!("produced by {}", exhibit.produced_by));
    }
    said.push(if exhibit.count == 1 {
        "1 item".to_owned()
    } else {
        format!("{} items", exhibit.count)
    });
    said.join("; ")
}

/// Adds a member to a sentence when there is something to say.
pub(super) fn add(said: &mut Vec<String>, head: &str, text: Option<&str>) {
    if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
        said.push(format!("{head}{}", cut(text)));
    }
}

fn word_or(word: &str, otherwise: &str) -> String {
    if word.is_empty() {
        otherwise.to_owned()
    } else {
        spoken(word)
    }
}

/// A word of a vocabulary as people read it.
pub(super) fn spoken(word: &str) -> String {
    word.replace('_', " ")
}

/// In quotation marks, on one line, cut when long.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", cut(text))
}

fn cut(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= QUOTED_CHARS {
        return one_line;
    }
    one_line.chars().take(QUOTED_CHARS - 3).chain("...".chars()).collect()
}
