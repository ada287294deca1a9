//! `embley user`: who works in a case, and as what.

use embley_model::role::{Role, Task, may};
use embley_store::Access;
use embley_store::facts::users::{self, Actor, User};
use serde_json::json;

use crate::args::{Args, ListArgs, UserCommand};
use crate::context;
use crate::exit;
use crate::output::{Rows, clean, note};

/// Users and roles.
pub(crate) fn user(args: &Args, command: &UserCommand) -> anyhow::Result<u8> {
    if let UserCommand::Roles(list) = command {
        return roles(list);
    }
    let case = context::open(args, Access::Facts)?;
    let name = context::actor(args);
    let stamp = context::stamp(&name);
    match command {
        UserCommand::Add { name, roles, reason } => {
            let facts = case.facts()?;
            let was_in_force = Actor::find(facts.connection(), stamp.actor)?.in_force();
            let user = users::add(facts.connection(), name, roles, reason, stamp)?;
            note!("{} is {}", clean(&user.name), words(&user));
            if !was_in_force {
                note!("roles are in force from now on: whoever is not added may do nothing here");
            }
        }
        UserCommand::Role { name, roles, reason } => {
            let user = users::set_roles(case.facts()?.connection(), name, roles, reason, stamp)?;
            note!("{} is {}", clean(&user.name), words(&user));
        }
        UserCommand::Disable { name, reason } => {
            let user = users::disable(case.facts()?.connection(), name, reason, stamp)?;
            note!("{} is disabled", clean(&user.name));
        }
        UserCommand::List { changes: false, list } => return list_users(&case.reader()?, list),
        UserCommand::List { changes: true, list } => return changes(&case.reader()?, list),
        UserCommand::Roles(_) => {}
    }
    Ok(exit::DONE)
}

fn words(user: &User) -> String {
    let mut words: Vec<&str> = user.roles.iter().map(|role| role.word()).collect();
    if user.disabled {
        words.push("disabled");
    }
    words.join(", ")
}

fn list_users(reader: &embley_store::catalogue::CatalogueReader, list: &ListArgs) -> anyhow::Result<u8> {
    let all = users::list(reader.facts())?;
    let mut rows = Rows::new("users", &["user", "roles", "since"]);
    for user in &all {
        let roles: Vec<&str> = user.roles.iter().map(|role| role.word()).collect();
        let since = context::time(user.since_micros);
        rows.push(
            vec![clean(&user.name), words(user), since.clone()],
            json!({"name": user.name, "roles": roles, "disabled": user.disabled, "since": since}),
        )?;
    }
    rows.print(context::format(list), vec![("in_force", (!all.is_empty()).into())])?;
    if all.is_empty() {
        note!("{}", context::NOT_IN_FORCE);
    }
    Ok(exit::DONE)
}

fn changes(reader: &embley_store::catalogue::CatalogueReader, list: &ListArgs) -> anyhow::Result<u8> {
    let mut rows = Rows::new("changes", &["when", "by", "what", "user", "before", "after", "reason"]);
    for event in users::events(reader.facts())? {
        let at = context::time(event.at_micros);
        let cells = vec![
            at.clone(),
            clean(&event.actor),
            event.action.clone(),
            clean(&event.name),
            event.before.clone(),
            event.after.clone(),
            clean(&event.reason),
        ];
        let mut object = serde_json::to_value(&event)?;
        object["at"] = at.into();
        rows.push(cells, object)?;
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}

/// The table of roles and tasks; `docs/roles.md` holds the same.
fn roles(list: &ListArgs) -> anyhow::Result<u8> {
    let mut rows = Rows::new("roles", &["role", "may"]);
    for role in Role::ALL {
        let tasks = || Task::ALL.into_iter().filter(|task| may(&[role], *task));
        let means: Vec<&str> = tasks().map(Task::means).collect();
        let words: Vec<&str> = tasks().map(Task::word).collect();
        rows.push(
            vec![role.word().to_owned(), means.join("; ")],
            json!({"role": role.word(), "tasks": words, "may": means}),
        )?;
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}
