//! Plants between messages: one that nobody holds, one missing from its sender's export, exports that begin later (N13), and
//! quotations that differ from their originals (N14).

use super::dates::{Day, day_of, office, text, working_from};
use super::light::{Light, horizon, is_recent};
use super::people::INVESTIGATORS;
use super::plan::{Limit, Repeat, World};
use super::post::{Letter, wrap};
use super::structure::about;

impl Light<'_, '_> {
    /// N13.
    pub(super) fn gaps(&mut self) {
        let case = self.case("N13", |plan, _| is_recent(plan));
        let at = self.post.enquiry_time(case);
        let plan = &self.post.world.cases[case];
        let (investigator, supervisor) = (plan.investigator, plan.supervisor);
        let letter = Letter::new("progress", "subject_case", investigator, supervisor, at).about(case);
        let lost = self.post.write(letter);
        self.post.world.mails[lost].is_lost = true;
        let at = self.post.later(at);
        let letter = Letter::new("progress_reply", "subject_case", supervisor, investigator, at).about(case);
        let reply = self.post.write(letter.answering(lost, Repeat::Quoted));
        let mut plant = about(
            "N13",
            true,
            "held-nowhere",
            case,
            "a reply refers to and quotes a message that no mailbox holds".to_owned(),
        );
        plant.people.push(investigator);
        plant.mails = vec![lost, reply];
        self.post.world.plant(plant);

        let case = self.case("N13", |plan, _| {
            day_of(plan.opened_at) > super::dates::day(2012, 11, 22)
        });
        let at = self.post.enquiry_time(case);
        let plan = &self.post.world.cases[case];
        let (investigator, supervisor) = (plan.investigator, plan.supervisor);
        let letter = Letter::new("progress", "subject_case", supervisor, investigator, at).about(case);
        let unsent = self.post.write(letter);
        self.post.world.mails[unsent].is_unsent = true;
        let at = self.post.later(at);
        let letter = Letter::new("progress", "subject_case", investigator, supervisor, at).about(case);
        let reply = self.post.write(letter.answering(unsent, Repeat::Quoted));
        let mut plant = about("N13", true, "missing-from-sender", case, "the recipient holds the message, the sender's export does not, though it has mail from before and after it".to_owned());
        plant.people.push(supervisor);
        plant.mails = vec![unsent, reply];
        self.post.world.plant(plant);
        self.limits();
    }

    /// N13: two custodians whose exports begin later than their mail.
    fn limits(&mut self) {
        let mut by_count: Vec<usize> = INVESTIGATORS.to_vec();
        let horizon = horizon();
        by_count.sort_by_key(|person| {
            (
                std::cmp::Reverse(sent_before(self.post.world, *person, horizon).len()),
                *person,
            )
        });
        let limits = [
            (
                by_count[0],
                Limit::Retention,
                "different-retention",
                "older mail of the custodian was deleted under the retention rule; recipients still hold it",
            ),
            (
                by_count[1],
                Limit::Scope,
                "different-date-scope",
                "the custodian's export was asked for from a later day on; recipients hold what is older",
            ),
        ];
        for (person, limit, variant, why) in limits {
            let sent = sent_before(self.post.world, person, horizon);
            let days = sent.iter().map(|at| day_of(self.post.world.mails[*at].at));
            let from = days.max().map_or(horizon, |last| last + 1);
            let mut plant = about("N13", false, variant, 0, format!("{why} (held from {})", text(from)));
            plant.case = None;
            plant.people.push(person);
            plant.mails = sent;
            self.post.world.limits.push((person, from, limit));
            self.post.world.plant(plant);
        }
    }

    /// N14.
    pub(super) fn quotations(&mut self) {
        for (is_fault, variant, why) in [
            (
                true,
                "words-changed",
                "the quotation says something else than the original that is held",
            ),
            (
                true,
                "words-changed",
                "the quotation says something else than the original that is held",
            ),
            (
                false,
                "re-wrapped",
                "the mail program broke the quoted lines elsewhere; the words are the same",
            ),
            (
                false,
                "trimmed",
                "greeting and signature were cut from the quotation; what is left is as it was",
            ),
        ] {
            let case = self.case("N14", |_, _| true);
            let at = self.post.enquiry_time(case);
            let original = self.post.talk_once(case, at)[0];
            let lines = self.post.world.lines(original);
            let shown = match variant {
                "re-wrapped" => rewrapped(&lines),
                "trimmed" => trimmed(&lines),
                _ => changed(&lines),
            };
            let plan = &self.post.world.cases[case];
            let (investigator, supervisor) = (plan.investigator, plan.supervisor);
            let moment = self.post.later(at) + 86_400 * 7;
            let moment = office(working_from(day_of(moment)), self.post.rng);
            let letter = Letter::new("progress_reply", "subject_case", supervisor, investigator, moment).about(case);
            let reply = self.post.write(letter.answering(original, Repeat::QuotedAs(shown)));
            let mut plant = about("N14", is_fault, variant, case, why.to_owned());
            plant.people.push(supervisor);
            plant.mails = vec![reply, original];
            self.post.world.plant(plant);
        }
    }
}

/// What somebody sent before a day, and is not lost.
fn sent_before(world: &World, person: usize, day: Day) -> Vec<usize> {
    let mails = world.mails.iter().enumerate();
    let of_person = mails.filter(|(_, mail)| mail.from == person && day_of(mail.at) < day);
    of_person.filter(|(_, mail)| !mail.is_lost).map(|(at, _)| at).collect()
}

fn rewrapped(lines: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for paragraph in lines.split(String::is_empty) {
        if !all.is_empty() {
            all.push(String::new());
        }
        all.extend(wrap(&paragraph.join(" "), 40));
    }
    all
}

/// The middle of a message: without greeting, closing and name.
fn trimmed(lines: &[String]) -> Vec<String> {
    let paragraphs: Vec<&[String]> = lines.split(String::is_empty).collect();
    paragraphs.get(1).copied().unwrap_or(lines).to_vec()
}

/// Says the opposite: one sentence is put in, as somebody might who wants it to have been said.
fn changed(lines: &[String]) -> Vec<String> {
    let mut all = lines.to_vec();
    let at = lines.iter().position(String::is_empty).map_or(0, |empty| empty + 1);
    let words: Vec<&str> = lines.get(at).map_or(Vec::new(), |line| line.split(' ').collect());
    let half = words.len() / 2;
    let line = format!(
        "{} will not be looked at again because nothing was found in it",
        words[..half.max(1)].join(" ")
    );
    all.splice(at..=at, wrap(&line, 72));
    all
}
