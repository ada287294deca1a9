//! Which indicators are raised, in which version, and the few numbers and words that they need to know.
//!
//! Main type: [`Settings`]. Not for: what an indicator looks for (`indicators`).

use serde::Deserialize;

use super::deciders::Deciders;
use super::load::Source;
use crate::error::Result;

/// The head of an indicator's rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleLine {
    /// Its id, such as `N2`.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Whether it is raised.
    pub on: bool,
    /// What it is called.
    pub name: String,
    /// Where it stands, for indicators that have no nearer citation.
    pub citation: String,
}

/// Two groups of roles that one person is not expected to hold on one case at one time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Its id.
    pub id: String,
    /// Version of this line.
    pub version: u32,
    /// Whether it is used.
    pub on: bool,
    /// Roles, or words of `deciders.toml`.
    pub one: Vec<String>,
    /// The others.
    pub other: Vec<String>,
}

/// Whose line manager an appropriate authority is not expected to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineManager {
    /// Of the officer concerned.
    pub officer_concerned: bool,
    /// Of the investigator.
    pub investigator: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Once {
    decisions: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Relations {
    team_most_people: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    bulk_rows: u64,
}

/// How near things on registers must be, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registers {
    /// A gift to an evaluation or award.
    pub gift_days: u32,
    /// A media contact to a gift.
    pub media_days: u32,
}

/// What rules that read mail need to know. Days are calendar days.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSettings {
    /// N1: a decision said in mail is expected on record within so many days.
    pub record_days: u16,
    /// N1: a decision of the sender recorded within so many days is the formal record of what was said.
    pub later_record_days: u16,
    /// N1: a recorded decision is expected in mail from so many days before it,
    pub trace_before_days: u16,
    /// N1: to so many days after it.
    pub trace_after_days: u16,
    /// N7: a consultation is looked for in so many days before a change of severity; so are contacts from outside.
    pub consultation_days: u16,
    /// N10, N11: what goes to as many is a circular.
    pub circular_recipients: usize,
    /// N10: words by which something that goes to everybody calls itself.
    pub circular_words: Vec<String>,
    /// N10: texts of which so many hundredths agree are versions of one document.
    pub version_percent: u8,
    /// N11: types of member whose work is the record, the rooms and the machines.
    pub support_members: Vec<String>,
    /// N11: words of units whose work that is.
    pub support_units: Vec<String>,
}

impl Default for MailSettings {
    fn default() -> Self {
        let words = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Self {
            record_days: 14,
            later_record_days: 60,
            trace_before_days: 7,
            trace_after_days: 14,
            consultation_days: 28,
            circular_recipients: 10,
            circular_words: words(&[
                "circular",
                "newsletter",
                "bulletin",
                "routine orders",
                "force orders",
                "general orders",
                "notice board",
                "all staff",
                "staff notice",
                "for everybody",
                "menu",
            ]),
            version_percent: 60,
            support_members: words(&["staff", "police_staff", "contractor", "agency"]),
            support_units: words(&[
                "information",
                "it",
                "ict",
                "administration",
                "admin",
                "support",
                "typing",
                "estates",
                "helpdesk",
            ]),
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Settings {
    rules: Vec<RuleLine>,
    /// Pairs of roles that are on.
    pub pairs: Vec<Pair>,
    /// Line management and the appropriate authority.
    pub line_manager: LineManager,
    /// Types of decision that are made once for a person.
    pub once: Vec<String>,
    /// A unit counts as a team up to so many people on record.
    pub team_most_people: usize,
    /// As many rows with one time of recording are a bulk.
    pub bulk_rows: u64,
    /// Registers.
    pub registers: Registers,
    /// Mail.
    pub mail: MailSettings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "version")]
    _version: u32,
    rule: Vec<RuleLine>,
    #[serde(default)]
    pair: Vec<Pair>,
    line_manager: LineManager,
    once: Once,
    recording: Recording,
    relations: Relations,
    registers: Registers,
    #[serde(default)]
    mail: MailSettings,
}

impl Settings {
    pub(super) fn read(source: &Source<'_>, _deciders: &Deciders) -> Result<Self> {
        let file: File = source.parse()?;
        let heads = file
            .rule
            .iter()
            .map(|one| (one.id.as_str(), one.version, one.citation.as_str()));
        source.check_lines("rule", heads)?;
        for pair in &file.pair {
            let key = |name: &str| format!("pair \"{}\", {name}", pair.id);
            if pair.version == 0 {
                return Err(source.refuse(&key("version"), "versions begin with 1"));
            }
            if pair.one.is_empty() || pair.other.is_empty() {
                return Err(source.refuse(&key("one, other"), "each names a role"));
            }
        }
        source.check_decisions("once, decisions", &file.once.decisions)?;
        if file.mail.version_percent == 0 || file.mail.version_percent > 100 {
            return Err(source.refuse("mail, version_percent", "it is between 1 and 100"));
        }
        if file.mail.circular_recipients < 2 {
            return Err(source.refuse("mail, circular_recipients", "a circular goes to at least 2"));
        }
        if file.recording.bulk_rows < 2 {
            return Err(source.refuse("recording, bulk_rows", "a bulk has at least 2 rows"));
        }
        Ok(Self {
            rules: file.rule,
            pairs: file.pair.into_iter().filter(|pair| pair.on).collect(),
            line_manager: file.line_manager,
            once: file.once.decisions,
            team_most_people: file.relations.team_most_people,
            bulk_rows: file.recording.bulk_rows,
            registers: file.registers,
            mail: file.mail,
        })
    }

    /// The line of a rule; `None` when the file does not name it: it is then not raised.
    pub fn rule(&self, id: &str) -> Option<&RuleLine> {
        self.rules.iter().find(|one| one.id.eq_ignore_ascii_case(id))
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::RuleSet;

    #[test]
    fn the_built_in_rules_are_consistent_and_unconfirmed_lines_are_off() {
        let rules = RuleSet::built_in().expect("the built-in rules are right");
        let mut marked = 0;
        for (name, from, text) in rules.sources() {
            assert_eq!(from, "built in");
            let table: toml::Table = text.parse().expect("it is TOML");
            for (key, lines) in &table {
                for line in lines.as_array().into_iter().flatten() {
                    let flag = |word: &str| line.get(word).and_then(toml::Value::as_bool);
                    if flag("check") == Some(true) {
                        marked += 1;
                        assert_eq!(flag("on"), Some(false), "{name}, {key}: {line}");
                    }
                }
            }
        }
        assert_eq!(marked, 3);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own folder")]
    fn a_file_of_a_folder_takes_the_place_of_a_built_in_one_and_errors_name_file_and_key() {
        let folder = tempfile::tempdir().expect("a folder is made");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        let built_in = include_str!("../../../../config/rules/clocks.toml");
        write("clocks.toml", &built_in.replace("length = 4\n", "length = 6\n"));
        let rules = RuleSet::open(&[folder.path()]).expect("it is right");
        let clock = rules
            .clocks
            .of(crate::rules::clocks::What::Update)
            .next()
            .expect("there is one");
        assert_eq!(clock.length, 6);
        let check = |name: &str, text: &str, expected: &[&str]| {
            write(name, text);
            let said = RuleSet::open(&[folder.path()]).expect_err("refused").to_string();
            for words in expected {
                assert!(said.contains(words), "{said:?} should say {words:?}");
            }
            std::fs::remove_file(folder.path().join(name)).expect("removed");
        };
        check(
            "clocks.toml",
            &built_in.replace("length = 4\n", "length = 0\n"),
            &["clocks.toml", "clock \"update-four-weekly\", length"],
        );
        check(
            "clocks.toml",
            &built_in.replace("\"weeks\"", "\"fortnights\""),
            &["clocks.toml", "fortnights", "unit"],
        );
        check(
            "clocks.toml",
            "format = 2\n",
            &["clocks.toml", "format", "this program reads 1"],
        );
        check(
            "clocks.toml",
            "format = 1\nversion = 1\nclocks = []\n",
            &["unknown field `clocks`"],
        );
        check(
            "clocks.toml",
            &built_in.replace("\"complaint-2020\"", "\"complaint-2099\""),
            &["regimes", "complaint-2099"],
        );
        check("clock.toml", "format = 1\n", &["clock.toml", "no rules of this name"]);
        let frameworks = include_str!("../../../../config/rules/frameworks.toml");
        check(
            "frameworks.toml",
            &frameworks.replace("until = \"2012-11-21\"", "until = \"2012-12-21\""),
            &["regime \"conduct-2012\", from and until", "overlap"],
        );
        check(
            "frameworks.toml",
            &frameworks.replace("SI 2020/2 reg 2(2)(b)\"", "SI\"\non = 1"),
            &["frameworks.toml"],
        );
        let deciders = include_str!("../../../../config/rules/deciders.toml");
        check(
            "deciders.toml",
            &deciders.replace("[\"severity_revision\"]", "[\"verdict\"]"),
            &["revision-schedule-3-2012", "\"verdict\" is no decision_type"],
        );
        let holidays = include_str!("../../../../config/rules/holidays.toml");
        check(
            "holidays.toml",
            &holidays.replace("\"2004-04-09\"", "\"2004-04-10\""),
            &["holiday 2004-04-10", "Saturday"],
        );
        assert!(RuleSet::open(&[folder.path(), &folder.path().join("none")]).is_ok());
    }
}
