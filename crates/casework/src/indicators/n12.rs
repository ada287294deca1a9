//! N12: registers that do not agree: gifts, business interests, associations and media contacts against procurement and each other.
//!
//! By person, organisation and time; an association counts with an interest of the other person; names of organisations are compared without legal forms. Look-alikes: a gift that was declined
//! or returned (explained); an interest that was refused, or that ended before (explained); an interest declared in the procurement that
//! names the organisation or the person (explained), or in other words (lowers).

use std::collections::BTreeMap;

use embley_model::record::RecordType;
use jiff::civil::Date;

use super::draft::{Confidence, Draft, Weight};
use super::material::Row;
use super::moment::Moment;
use super::{Context, Rule};
use crate::error::Result;

/// See the module.
pub(super) struct Registers;

impl Rule for Registers {
    fn id(&self) -> &'static str {
        "N12"
    }

    fn across(&self, context: &Context<'_>) -> Result<Vec<Draft>> {
        let gifts = by_person(context.shared.register(RecordType::RegisterGift));
        let interests = by_person(context.shared.register(RecordType::RegisterBusinessInterest));
        let mut drafts = Vec::new();
        for contract in context.shared.register(RecordType::RegisterProcurement) {
            let Some(period) = Period::of(context, contract) else {
                continue;
            };
            let mut evaluators = contract.record.list("evaluator_ids");
            evaluators.sort_unstable();
            evaluators.dedup();
            for person in evaluators {
                for gift in gifts.get(person).into_iter().flatten() {
                    drafts.extend(gift_against(context, contract, &period, person, gift));
                }
                for interest in interests.get(person).into_iter().flatten() {
                    drafts.extend(interest_against(context, contract, &period, person, interest));
                }
                for association in context.shared.register_of(RecordType::RegisterAssociation, person) {
                    let ends = [association.text("person_id"), association.text("other_person_id")];
                    let Some(other) = ends.into_iter().find(|id| !id.is_empty() && *id != person) else {
                        continue;
                    };
                    // An evaluator's own interest is told by itself.
                    for interest in interests.get(other).into_iter().flatten() {
                        drafts.extend(association_against(
                            context,
                            contract,
                            &period,
                            (person, association),
                            interest,
                        ));
                    }
                }
            }
        }
        drafts.extend(media(context));
        Ok(drafts)
    }
}

/// When a contract was evaluated and awarded.
struct Period {
    from: Moment,
    to: Moment,
}

impl Period {
    fn of(context: &Context<'_>, contract: &Row) -> Option<Self> {
        let from = contract.moment("evaluation_from", context.zone);
        let to = contract.moment("awarded_at", context.zone);
        Some(Self {
            from: from.or(to)?,
            to: to.or(from)?,
        })
    }

    /// Days between a day and the period; 0 inside.
    fn days_from(&self, day: Date) -> i64 {
        if day < self.from.day {
            days_between(day, self.from.day)
        } else if day > self.to.day {
            days_between(self.to.day, day)
        } else {
            0
        }
    }
}

fn days_between(one: Date, other: Date) -> i64 {
    one.until(other)
        .map_or(i64::MAX, |span| i64::from(span.get_days()).abs())
}

fn by_person(rows: &[Row]) -> BTreeMap<&str, Vec<&Row>> {
    let mut all: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        all.entry(row.text("person_id")).or_default().push(row);
    }
    all
}

/// A name without case, punctuation and legal forms.
fn organisation(text: &str) -> String {
    const FORMS: [&str; 11] = [
        "ltd", "limited", "plc", "llp", "inc", "co", "company", "the", "group", "holdings", "uk",
    ];
    let plain: String = text
        .chars()
        .map(|letter| if letter.is_alphanumeric() { letter } else { ' ' })
        .collect();
    let lower = plain.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().filter(|word| !FORMS.contains(word)).collect();
    if words.is_empty() {
        return lower.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    words.join(" ")
}

fn same_organisation(one: &Row, other: &Row) -> bool {
    let (one, other) = (
        organisation(one.text("organisation")),
        organisation(other.text("organisation")),
    );
    !one.is_empty() && one == other
}

fn contract_name(contract: &Row) -> String {
    match contract.text("contract_ref") {
        "" => contract.key.display(),
        name => name.to_owned(),
    }
}

fn gift_against(context: &Context<'_>, contract: &Row, period: &Period, person: &str, gift: &Row) -> Option<Draft> {
    let day = gift.day("offered_at", context.zone)?;
    if !same_organisation(contract, gift)
        || period.days_from(day) > i64::from(context.rules.settings.registers.gift_days)
    {
        return None;
    }
    let draft = Draft::sentence(
        None,
        &format!(
            "the register of gifts has an offer of {day} by {} to {}, who is on record as an evaluator of contract {} of that organisation",
            gift.text("organisation"),
            context.people.spoken(person),
            contract_name(contract)
        ),
    )
    .about(person)
    .input(gift)
    .input(contract)
    .person(person)
    .speaks_for(format!("evaluated from {} and awarded on {}", period.from.day, period.to.day));
    let outcome = gift.text("outcome").to_lowercase();
    let draft = match outcome.as_str() {
        "accepted" => draft.speaks_for("the gift is recorded as accepted"),
        "" => draft
            .base(Confidence::Medium)
            .against(Weight::Open, "whether the gift was accepted is not on record"),
        other
            if ["declin", "refus", "return", "reject"]
                .iter()
                .any(|word| other.contains(word)) =>
        {
            draft.against(Weight::Explains, format!("the gift is recorded as {other}"))
        }
        other => draft.against(Weight::Lowers, format!("the gift is recorded as {other}")),
    };
    let draft = declared(context, draft, contract, person, gift.text("organisation"));
    Some(draft.against(
        Weight::Open,
        "the registers may mean two organisations of one name, or the offer may have been authorised",
    ))
}

fn interest_against(
    context: &Context<'_>,
    contract: &Row,
    period: &Period,
    person: &str,
    interest: &Row,
) -> Option<Draft> {
    if !same_organisation(contract, interest) {
        return None;
    }
    let span = interest.span("from", "to", context.zone);
    let since = span.from.or_else(|| interest.moment("applied_at", context.zone));
    if since.is_some_and(|since| period.to.surely_before(&since)) {
        return None;
    }
    let mut draft = Draft::sentence(
        None,
        &format!(
            "the register of business interests has an interest of {} in {}, and they are on record as an evaluator of contract {} of that organisation",
            context.people.spoken(person),
            interest.text("organisation"),
            contract_name(contract)
        ),
    )
    .about(person)
    .input(interest)
    .input(contract)
    .person(person)
    .speaks_for(format!("evaluated from {} and awarded on {}", period.from.day, period.to.day));
    let status = interest.text("status").to_lowercase();
    if is_refused(&status) {
        let reason = interest.text("refusal_reason");
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(": {reason}")
        };
        draft = draft.against(
            Weight::Explains,
            format!("the interest is recorded as {status}{reason}"),
        );
    } else if !status.is_empty() {
        draft = draft.speaks_for(format!("the interest is recorded as {status}"));
    }
    if let Some(ended) = span.to.filter(|ended| ended.surely_before(&period.from)) {
        draft = draft.against(
            Weight::Explains,
            format!(
                "the interest is recorded as ended on {}, before the evaluation",
                ended.day
            ),
        );
    }
    let draft = declared(context, draft, contract, person, interest.text("organisation"));
    Some(draft.against(Weight::Open, "the registers may mean two organisations of one name"))
}

/// An interest of somebody with whom an evaluator stands on the register of associations.
fn association_against(
    context: &Context<'_>,
    contract: &Row,
    period: &Period,
    (person, association): (&str, &Row),
    interest: &Row,
) -> Option<Draft> {
    let other = interest.text("person_id");
    let begun = |row: &Row, field: &str| {
        let since = row.span("from", "to", context.zone).from;
        since.or_else(|| row.moment(field, context.zone))
    };
    let later = [begun(association, "declared_at"), begun(interest, "applied_at")];
    if !same_organisation(contract, interest)
        || later.into_iter().flatten().any(|since| period.to.surely_before(&since))
    {
        return None;
    }
    let mut draft = Draft::sentence(
        None,
        &format!(
            "the register of associations has one of {} with {}, of whom an interest in {} is on the register of business interests; {} is on record as an evaluator of contract {} of that organisation",
            context.people.spoken(person),
            context.people.spoken(other),
            interest.text("organisation"),
            context.people.spoken(person),
            contract_name(contract)
        ),
    )
    .about(person)
    .about("association")
    .input(association)
    .input(interest)
    .input(contract)
    .person(person)
    .person(other)
    .base(Confidence::Medium)
    .speaks_for(format!("evaluated from {} and awarded on {}", period.from.day, period.to.day));
    if !association.text("nature").is_empty() {
        draft = draft.speaks_for(format!("the association is recorded as {}", association.text("nature")));
    }
    for (row, what) in [(association, "association"), (interest, "interest")] {
        if let Some(ended) = row
            .span("from", "to", context.zone)
            .to
            .filter(|to| to.surely_before(&period.from))
        {
            let words = format!(
                "the {what} is recorded as ended on {}, before the evaluation",
                ended.day
            );
            draft = draft.against(Weight::Explains, words);
        }
    }
    let status = interest.text("status").to_lowercase();
    if is_refused(&status) {
        draft = draft.against(Weight::Explains, format!("the interest is recorded as {status}"));
    }
    let draft = declared(context, draft, contract, person, interest.text("organisation"));
    Some(draft.against(Weight::Open, "the registers may mean two organisations of one name"))
}

fn is_refused(status: &str) -> bool {
    let words = ["refus", "reject", "declin", "withdrawn"];
    words.iter().any(|word| status.contains(word))
}

/// What the procurement says of interests.
fn declared(context: &Context<'_>, draft: Draft, contract: &Row, person: &str, with: &str) -> Draft {
    let text = contract.text("interests_declared").trim().to_lowercase();
    if matches!(
        text.as_str(),
        "" | "none" | "nil" | "no" | "false" | "n/a" | "none declared" | "nil return"
    ) {
        return draft.speaks_for("the procurement has no declared interest on record");
    }
    let name = context.people.name(person).unwrap_or(person).to_lowercase();
    let names = [person.to_lowercase(), name, organisation(with)];
    if names.iter().any(|one| !one.is_empty() && text.contains(one.as_str())) {
        return draft.against(
            Weight::Explains,
            format!("the procurement has a declared interest on record: {text}"),
        );
    }
    draft.against(
        Weight::Lowers,
        format!("the procurement has interests on record in other words: {text}"),
    )
}

/// Gifts taken from an organisation of the media register by somebody without a media contact near in time.
fn media(context: &Context<'_>) -> Vec<Draft> {
    let contacts = context.shared.register(RecordType::RegisterMediaContact);
    let within = i64::from(context.rules.settings.registers.media_days);
    let mut drafts = Vec::new();
    for gift in context.shared.register(RecordType::RegisterGift) {
        let Some(day) = gift.day("offered_at", context.zone) else {
            continue;
        };
        let known: Vec<&Row> = contacts
            .iter()
            .filter(|contact| same_organisation(contact, gift))
            .collect();
        let person = gift.text("person_id");
        let near = known.iter().any(|contact| {
            let at = contact.day("contact_at", context.zone);
            contact.text("person_id") == person && at.is_some_and(|at| days_between(at, day) <= within)
        });
        if known.is_empty() || near || person.is_empty() || gift.text("outcome").to_lowercase() != "accepted" {
            continue;
        }
        let mut draft = Draft::sentence(
            None,
            &format!(
                "the register of gifts has a gift of {day} from {} taken by {}, and the register of media contacts, which knows the organisation, has no contact of theirs within {within} days",
                gift.text("organisation"),
                context.people.spoken(person)
            ),
        )
        .about("media")
        .base(Confidence::Medium)
        .input(gift)
        .person(person)
        .speaks_for(format!("{} contacts with the organisation are on the register", known.len()));
        if known.iter().any(|contact| contact.text("person_id") == person) {
            draft = draft.against(
                Weight::Lowers,
                "the register has contacts of theirs with the organisation at other times",
            );
        }
        drafts.push(draft.against(
            Weight::Open,
            "the occasion may not have been a contact that is registered",
        ));
    }
    drafts
}

#[cfg(test)]
mod unit {
    use super::organisation;

    #[test]
    fn legal_forms_and_punctuation_are_no_part_of_a_name() {
        let check = |text: &str, expected: &str| assert_eq!(organisation(text), expected, "{text}");
        check("Northgate Supplies Ltd.", "northgate supplies");
        check("The NORTHGATE-Supplies Group plc", "northgate supplies");
        check("The Company", "the company");
        check("  ", "");
    }
}
