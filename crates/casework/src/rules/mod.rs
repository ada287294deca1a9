//! The rules that indicators and clocks reason with: regulations by date, who decides, clocks, bank holidays. All of it is data.
//!
//! The files of `config/rules/` and `config/decision-phrases.toml` are part of the program. A file of the same name in the folder `rules` of the case, or in a folder that is
//! named, takes the place of the built-in one as a whole. Not for: looking at records (`indicators`). Main type: [`RuleSet`].
//! Invariant: a set that could be opened is consistent (every reference between files leads somewhere, ranges of one kind do not
//! overlap), and every line carries a citation; a line that was not confirmed in a primary source is off in the built-in files.

pub mod calendar;
pub mod clocks;
pub mod deciders;
pub mod frameworks;
mod load;
pub mod phrases;
pub(crate) mod sentences;
pub mod settings;

pub use calendar::Holidays;
pub use clocks::{Clock, Clocks, Unit};
pub use deciders::{Decider, Deciders};
pub use frameworks::{Frameworks, Notice, Regime, RegimeKind};
pub use phrases::{Pattern, Phrases};
pub use settings::{RuleLine, Settings};

use std::path::Path;

use crate::error::Result;
use load::Texts;

/// Everything that rules know; see the module.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Which regulations govern a case.
    pub frameworks: Frameworks,
    /// Who decides.
    pub deciders: Deciders,
    /// What is due when.
    pub clocks: Clocks,
    /// Bank and public holidays.
    pub holidays: Holidays,
    /// Which indicators are raised, and what they need to know.
    pub settings: Settings,
    /// How people say in mail that something was decided.
    pub phrases: Phrases,
    /// The texts as they were read: (file, where it came from, text).
    texts: Texts,
}

impl RuleSet {
    /// The built-in rules.
    ///
    /// # Errors
    /// A file that the program was built with is wrong; a test holds that none is.
    pub fn built_in() -> Result<Self> {
        Self::of(Texts::built_in())
    }

    /// The built-in rules, with the files of these folders in place of built-in ones; a later folder comes before an earlier one. A
    /// folder that is not there counts as empty.
    ///
    /// # Errors
    /// A file cannot be read or used; says which and where.
    pub fn open(folders: &[&Path]) -> Result<Self> {
        let mut texts = Texts::built_in();
        for folder in folders {
            texts.override_from(folder)?;
        }
        Self::of(texts)
    }

    fn of(texts: Texts) -> Result<Self> {
        let frameworks = Frameworks::read(&texts.source("frameworks.toml"))?;
        let deciders = Deciders::read(&texts.source("deciders.toml"), &frameworks)?;
        let clocks = Clocks::read(&texts.source("clocks.toml"), &frameworks)?;
        let holidays = Holidays::read(&texts.source("holidays.toml"))?;
        let settings = Settings::read(&texts.source("indicators.toml"), &deciders)?;
        let phrases = Phrases::read(&texts.source("decision-phrases.toml"))?;
        Ok(Self {
            frameworks,
            deciders,
            clocks,
            holidays,
            settings,
            phrases,
            texts,
        })
    }

    /// Every file with where it came from and its text, in the order of names: what a run puts on record.
    pub fn sources(&self) -> Vec<(&'static str, &str, &str)> {
        self.texts.all()
    }
}
