//! How people say in mail that something was decided, declared or asked: patterns as data, each a query in the search language.
//!
//! A pattern is asked of one sentence of what an author wrote (`TextQuery`); a *turn* is a pattern that makes something else of such a
//! sentence: a negation, a draft, a proposal, a supposition, a discussion. Not for: which messages are looked at, and what
//! stands on record (`indicators`). Main types: [`Phrases`], [`Pattern`]. Invariant: a pattern that is on can be run in the index and asked of a text.

use std::collections::BTreeMap;

use embley_search::TextQuery;
use serde::{Deserialize, Serialize};

use super::load::Source;
use super::sentences::sentences;
use crate::error::Result;

/// What a pattern finds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    /// That a decision of this type was made: a word of `decision_type`.
    Decision(String),
    /// Something about a decision of this type.
    About(String),
    /// That the author has a relation to somebody in the case.
    Declaration,
    /// That the author asks for a view before a change of severity.
    ConsultationAsked,
    /// That the author gives one.
    ConsultationAnswered,
    /// That the author writes about the record, a room or a machine, not about the matter.
    Support,
    /// Something else is made of a sentence, or of all that a message says.
    Turn(Turn, Reach),
}

/// What a turn makes of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It was not done, or not yet.
    Negation,
    /// The text is not final.
    Draft,
    /// Somebody proposes it.
    Proposal,
    /// It is supposed, or lies ahead.
    Supposition,
    /// It is talked about.
    Discussion,
    /// It is what somebody else decided at another time, or said.
    Report,
}

impl Turn {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Negation => "negation",
            Self::Draft => "draft",
            Self::Proposal => "proposal",
            Self::Supposition => "supposition",
            Self::Discussion => "discussion",
            Self::Report => "report",
        }
    }
}

/// How far a turn reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The sentence in which it stands.
    #[default]
    Sentence,
    /// All that the author wrote, and the subject.
    Message,
}

/// One pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Whether it is used.
    pub on: bool,
    /// What it finds.
    pub says: Says,
    /// The query as it is asked, groups written out: it can be given to `embley search`.
    pub query: String,
    asked: TextQuery,
}

impl Pattern {
    /// What it finds, in words.
    pub fn spoken(&self) -> String {
        match &self.says {
            Says::Decision(decision) => format!("decision: {decision}"),
            Says::About(decision) => format!("about: {decision}"),
            Says::Declaration => "declaration of a conflict".to_owned(),
            Says::ConsultationAsked => "consultation asked for".to_owned(),
            Says::ConsultationAnswered => "consultation answered".to_owned(),
            Says::Support => "support".to_owned(),
            Says::Turn(turn, Reach::Sentence) => format!("turns a sentence: {}", turn.word()),
            Says::Turn(turn, Reach::Message) => format!("turns a message: {}", turn.word()),
        }
    }

    /// True when a text holds it.
    pub fn is_in(&self, text: &str) -> bool {
        self.asked.matches(text)
    }

    /// The query of the items whose text holds it somewhere, quotations among it.
    pub fn index_query(&self) -> String {
        match self.says {
            Says::Declaration => format!("body:({0}) OR subject:({0})", self.query),
            _ => format!("body:({})", self.query),
        }
    }
}

/// A sentence in which a pattern was found.
#[derive(Clone, Debug)]
pub struct FoundPhrase<'p> {
    /// The pattern.
    pub pattern: &'p Pattern,
    /// The sentence.
    pub sentence: String,
    /// What makes something else of it, in the order of the file.
    pub turned: Vec<&'p Pattern>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Phrases {
    patterns: Vec<Pattern>,
    /// Groups of decisions that are made, and said, together.
    linked: Vec<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    version: u32,
    on: bool,
    query: String,
    decision: Option<String>,
    into: Option<Turn>,
    #[serde(default)]
    reach: Reach,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "version")]
    _version: u32,
    citation: String,
    #[serde(default)]
    groups: BTreeMap<String, String>,
    #[serde(default)]
    linked: Vec<Vec<String>>,
    #[serde(default)]
    statement: Vec<Line>,
    #[serde(default)]
    about: Vec<Line>,
    #[serde(default)]
    declaration: Vec<Line>,
    #[serde(default)]
    consultation_asked: Vec<Line>,
    #[serde(default)]
    consultation_answered: Vec<Line>,
    #[serde(default)]
    support: Vec<Line>,
    #[serde(default)]
    turn: Vec<Line>,
}

impl Phrases {
    pub(super) fn read(source: &Source<'_>) -> Result<Self> {
        let file: File = source.parse()?;
        let mut patterns = Vec::new();
        let tables: [(&str, Vec<Line>); 7] = [
            ("statement", file.statement),
            ("about", file.about),
            ("declaration", file.declaration),
            ("consultation_asked", file.consultation_asked),
            ("consultation_answered", file.consultation_answered),
            ("support", file.support),
            ("turn", file.turn),
        ];
        for (table, lines) in tables {
            for line in lines {
                patterns.push(pattern(source, table, line, &file.groups)?);
            }
        }
        let heads = patterns
            .iter()
            .map(|one: &Pattern| (one.id.as_str(), one.version, file.citation.as_str()));
        source.check_lines("pattern", heads)?;
        for group in &file.linked {
            source.check_decisions("linked", group)?;
        }
        Ok(Self {
            patterns,
            linked: file.linked,
        })
    }

    /// All patterns in the order of the file, those that are off among them.
    pub fn all(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Those that are on and find what is wanted, with their places in [`Phrases::all`].
    pub fn that<'a>(&'a self, wanted: impl Fn(&Says) -> bool + 'a) -> impl Iterator<Item = (usize, &'a Pattern)> {
        let all = self.patterns.iter().enumerate();
        all.filter(move |(_, one)| one.on && wanted(&one.says))
    }

    /// Decisions that are made and said together with one: itself among them.
    pub fn linked_with<'a>(&'a self, decision: &'a str) -> Vec<&'a str> {
        let mut all = vec![decision];
        for group in &self.linked {
            if group.iter().any(|one| one == decision) {
                all.extend(group.iter().map(String::as_str).filter(|one| *one != decision));
            }
        }
        all
    }

    /// What the author of a message says in it: the sentences of `own` that hold one of the patterns at these places. A question says
    /// nothing but that somebody asks.
    pub fn found_in<'p>(&'p self, subject: &str, own: &str, places: &[usize]) -> Vec<FoundPhrase<'p>> {
        let turns: Vec<(Reach, &Pattern)> = self
            .patterns
            .iter()
            .filter_map(|one| match one.says {
                Says::Turn(_, reach) if one.on => Some((reach, one)),
                _ => None,
            })
            .collect();
        let patterns: Vec<&Pattern> = places.iter().filter_map(|place| self.patterns.get(*place)).collect();
        let mut of_message: Option<Vec<&Pattern>> = None;
        let mut found = Vec::new();
        // A subject that the author chose says something too, where people put what they declare there.
        let is_reply = subject.split_once(':').is_some_and(|(mark, _)| {
            ["re", "fw", "fwd", "aw", "wg", "tr"].contains(&mark.trim().to_lowercase().as_str())
        });
        let chosen = (!is_reply).then(|| subject.to_owned());
        let all = chosen.into_iter().map(|one| (true, one));
        for (is_subject, sentence) in all.chain(sentences(own).into_iter().map(|one| (false, one))) {
            let mut turned: Option<Vec<&Pattern>> = None;
            for pattern in patterns.iter().filter(|one| one.on && one.is_in(&sentence)) {
                let asks = matches!(pattern.says, Says::ConsultationAsked | Says::About(_) | Says::Support);
                if (sentence.ends_with('?') && !asks) || (is_subject && pattern.says != Says::Declaration) {
                    continue;
                }
                let whole = of_message.get_or_insert_with(|| {
                    let all = turns.iter().filter(|(reach, _)| *reach == Reach::Message);
                    all.filter(|(_, one)| one.is_in(own) || one.is_in(subject))
                        .map(|(_, one)| *one)
                        .collect()
                });
                let here = turned.get_or_insert_with(|| {
                    let all = turns.iter().filter(|(reach, _)| *reach == Reach::Sentence);
                    all.filter(|(_, one)| one.is_in(&sentence))
                        .map(|(_, one)| *one)
                        .collect()
                });
                found.push(FoundPhrase {
                    pattern,
                    sentence: sentence.clone(),
                    turned: here.iter().chain(whole.iter()).copied().collect(),
                });
            }
        }
        found
    }
}

fn pattern(source: &Source<'_>, table: &str, line: Line, groups: &BTreeMap<String, String>) -> Result<Pattern> {
    let key = |name: &str| format!("{table} \"{}\", {name}", line.id);
    let decision = |wanted: bool| match (&line.decision, wanted) {
        (Some(word), true) => source
            .check_decisions(&key("decision"), std::slice::from_ref(word))
            .map(|()| word.clone()),
        (None, false) => Ok(String::new()),
        (None, true) => Err(source.refuse(&key("decision"), "it is missing")),
        (Some(_), false) => Err(source.refuse(&key("decision"), "only statement and about have one")),
    };
    let turn = match (table, line.into) {
        ("turn", None) => return Err(source.refuse(&key("into"), "it is missing")),
        ("turn", into) => into,
        (_, Some(_)) => return Err(source.refuse(&key("into"), "only turn has one")),
        (_, None) => None,
    };
    let named = decision(matches!(table, "statement" | "about"))?;
    let says = match (table, turn) {
        (_, Some(turn)) => Says::Turn(turn, line.reach),
        ("statement", None) => Says::Decision(named),
        ("about", None) => Says::About(named),
        ("declaration", None) => Says::Declaration,
        ("consultation_asked", None) => Says::ConsultationAsked,
        ("consultation_answered", None) => Says::ConsultationAnswered,
        _ => Says::Support,
    };
    let query = written_out(&line.query, groups).map_err(|detail| source.refuse(&key("query"), &detail))?;
    let asked = TextQuery::new(&query).map_err(|cause| source.refuse(&key("query"), &cause.to_string()))?;
    Ok(Pattern {
        id: line.id,
        version: line.version,
        on: line.on,
        says,
        query,
        asked,
    })
}

/// The query with `{name}` replaced by the group of that name in parentheses, and white space joined.
fn written_out(query: &str, groups: &BTreeMap<String, String>) -> std::result::Result<String, String> {
    let mut out = String::new();
    let mut rest = query;
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').ok_or("a `{` is not closed")? + start;
        let name = &rest[start + 1..end];
        let group = groups.get(name).ok_or_else(|| format!("there is no group `{name}`"))?;
        out.push_str(&rest[..start]);
        out.push('(');
        out.push_str(group);
        out.push(')');
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(out.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
#[path = "phrases_tests.rs"]
mod tests;
