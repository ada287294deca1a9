//! The worked example: forty cases of a fictional force with everything that the indicators of DOMAIN section 8 look for.
//!
//! [`write_example`] makes a folder of case-system records of two systems with a migration between them, mailboxes of the
//! people who handled the cases, and `truth.json`, which names every planted fault and every innocent look-alike. What is not
//! named there is clean; [`self_check`] recomputes that from the plan, without the code of the indicators.
//! Not for: volume ([`crate::write_corpus`]). The force, its people, towns, firms and cases are invented, the layouts of the
//! two systems are synthetic. Invariant: two equal [`ExampleConfig`]s give the same bytes in every file.

mod cases;
mod check;
mod clocks;
mod copies;
mod dates;
mod gaps;
mod law;
mod layouts;
mod light;
mod mail;
mod people;
mod plan;
mod post;
mod registers;
mod render;
mod rows;
mod specs;
mod structure;
mod templates;
mod truth;
mod write;

pub use check::{Violation, self_check};
pub use copies::{Copies, write_copies};
pub use templates::{TemplateChoice, TemplateSet};
pub use truth::{Entry, ExampleCase, ExampleTruth, Label, MessageTruth, RecordId};
pub use write::write_example;

use serde::{Deserialize, Serialize};

use crate::config::CorpusError;
use crate::rng::{Purpose, Rng};

use dates::day;
use light::Light;
use plan::World;
use post::Post;
use templates::Templates;

/// An example to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleConfig {
    /// Names everything that is random: people, cases, days, wordings, mixtures.
    pub seed: u64,
    /// The sets of wordings that mail is made from.
    pub templates: TemplateChoice,
}

/// Plans an example: everything is decided here, nothing is written.
fn plan(config: &ExampleConfig) -> Result<World, CorpusError> {
    plan_copy(config, 0)
}

/// Plans a copy: the same people, days and wordings; references, ids of records and of messages of its own.
fn plan_copy(config: &ExampleConfig, copy: u32) -> Result<World, CorpusError> {
    let templates = Templates::load()?;
    let stream = |number| Rng::new(config.seed, Purpose::Example, number);
    let mut rng = stream(0);
    // A Saturday.
    let some_day = day(2016, 4, 1) + i64::from(rng.below(880));
    let migration = some_day + (5 - i64::from(dates::civil(some_day).weekday)).rem_euclid(7);
    let mut world = World {
        seed: config.seed,
        copy,
        migration,
        people: people::make(&mut stream(1)),
        person_rows: Vec::new(),
        cases: Vec::new(),
        registers: Vec::new(),
        mails: Vec::new(),
        limits: Vec::new(),
        plants: Vec::new(),
        next_row: copy * copies::ROWS_APART,
    };
    for _ in 0..people::PEOPLE {
        let row = world.row(dates::at(migration + 2, 600), people::IT_STAFF);
        world.person_rows.push(row);
    }
    let specs = specs::make(migration, &mut stream(2));
    cases::make(&mut world, &specs, &mut stream(3));
    let mut rng = stream(4);
    for (case, spec) in specs.iter().enumerate() {
        structure::plant(&mut world, case, spec, &mut rng);
    }
    registers::make(&mut world, &mut stream(5));
    let mut rng = stream(6);
    let mut post = Post {
        world: &mut world,
        templates: &templates,
        choice: config.templates,
        rng: &mut rng,
    };
    let by_mail = Light {
        post: &mut post,
        specs: &specs,
    }
    .plant_rows();
    for (case, spec) in specs.iter().enumerate() {
        post.write_case(case, spec);
    }
    post.write_office(day(2006, 1, 9), day(2023, 6, 30));
    Light {
        post: &mut post,
        specs: &specs,
    }
    .plant_mail(by_mail);
    Ok(world)
}
