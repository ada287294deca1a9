//! Users of a case and their roles: events that are only ever added, the newest of each name being what holds.
//!
//! Until the first user is added, roles are not in force: whoever works is administrator, and no one sees what is quarantined. The first
//! user is an administrator, and there is always one that is not disabled. Not for: proving who somebody is (the name is taken as given;
//! whoever can read the folder's files needs none). Main types: [`Actor`], [`User`]. Invariant: a change names who made it, when, and what
//! held before and after.
//!
//! The table is made by the first user; a catalogue without it reads as one where roles are not in force.

use embley_model::role::{Role, Task, may};
use rusqlite::{Connection, params};
use serde::Serialize;

use super::{FactsError, Result, Stamp, atomically, fold, has_table};
use crate::error::StoreError;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS user_event (
    event_id INTEGER PRIMARY KEY,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,               -- added, role, disabled, enabled
    user_key TEXT NOT NULL,             -- the name folded
    name TEXT NOT NULL,                 -- as first written
    before TEXT NOT NULL,               -- roles by word, comma-separated, `disabled` behind them; empty when there was no such user
    after TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS user_event_by_user ON user_event (user_key);
CREATE TRIGGER IF NOT EXISTS user_event_not_changed BEFORE UPDATE ON user_event
    BEGIN SELECT RAISE(ABORT, 'changes of users are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS user_event_not_deleted BEFORE DELETE ON user_event
    BEGIN SELECT RAISE(ABORT, 'changes of users are only ever added'); END;
";

const DISABLED: &str = "disabled";

/// A user as things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// As first written.
    pub name: String,
    /// Roles, in the order of [`Role::ALL`].
    pub roles: Vec<Role>,
    /// May do nothing.
    pub disabled: bool,
    /// Since when this holds, microseconds since 1970.
    pub since_micros: i64,
}

/// A change of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserEvent {
    /// Row id, increasing.
    pub event_id: i64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who changed it.
    pub actor: String,
    /// `added`, `role`, `disabled` or `enabled`.
    pub action: String,
    /// Whose roles.
    pub name: String,
    /// What held before: roles by word, joined by commas; empty when there was no such user.
    pub before: String,
    /// What holds after.
    pub after: String,
    /// Why, if it was said.
    pub reason: String,
}

/// Who acts, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    name: String,
    standing: Standing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// No user was ever added.
    NotInForce,
    /// A user with these roles.
    Has(Vec<Role>),
    /// A user who was disabled.
    Disabled,
    /// Nobody of this name was added.
    Unknown,
}

impl Actor {
    /// The actor of this name as the case knows them.
    ///
    /// # Errors
    /// The database's.
    pub fn find(conn: &Connection, name: &str) -> Result<Self> {
        let all = list(conn)?;
        let key = fold(name);
        let standing = if all.is_empty() {
            Standing::NotInForce
        } else {
            match all.into_iter().find(|user| fold(&user.name) == key) {
                None => Standing::Unknown,
                Some(user) if user.disabled => Standing::Disabled,
                Some(user) => Standing::Has(user.roles),
            }
        };
        Ok(Self {
            name: name.to_owned(),
            standing,
        })
    }

    /// The name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// False until the first user is added.
    pub fn in_force(&self) -> bool {
        self.standing != Standing::NotInForce
    }

    /// What they are now.
    pub fn roles(&self) -> &[Role] {
        match &self.standing {
            Standing::NotInForce => &[Role::Administrator],
            Standing::Has(roles) => roles,
            Standing::Disabled | Standing::Unknown => &[],
        }
    }

    /// True when one of their roles may do it.
    pub fn may(&self, task: Task) -> bool {
        may(self.roles(), task)
    }

    /// Refuses what no role of theirs may do.
    ///
    /// # Errors
    /// [`FactsError::Refused`], which names the roles that may.
    pub fn require(&self, task: Task) -> Result<()> {
        if self.may(task) {
            return Ok(());
        }
        let is = match &self.standing {
            Standing::Unknown => "is no user of this case".to_owned(),
            Standing::Disabled => "is a disabled user of this case".to_owned(),
            Standing::NotInForce => "is administrator, as nobody was added yet".to_owned(),
            Standing::Has(roles) => format!("is {}", words(roles, " and ")),
        };
        Err(FactsError::Refused {
            actor: self.name.clone(),
            is,
            task,
            needed: words(task.roles(), " or "),
        })
    }
}

fn words(roles: &[Role], between: &str) -> String {
    roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(between)
}

fn written(roles: &[Role], disabled: bool) -> String {
    let mut text = words(roles, ",");
    if disabled {
        text.push_str(if text.is_empty() { DISABLED } else { ",disabled" });
    }
    text
}

/// All users, in the order in which they were added.
///
/// # Errors
/// The database's, or a role that this program does not know.
pub fn list(conn: &Connection) -> Result<Vec<User>> {
    if !has_table(conn, "user_event")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT e.name, e.after, e.at_micros FROM user_event e
         JOIN (SELECT min(event_id) AS first, max(event_id) AS last FROM user_event GROUP BY user_key) u ON e.event_id = u.last
         ORDER BY u.first",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
    let mut all = Vec::new();
    for row in rows {
        let (name, after, since_micros): (String, String, i64) = row?;
        let mut user = User {
            name,
            roles: Vec::new(),
            disabled: false,
            since_micros,
        };
        for word in after.split(',').filter(|word| !word.is_empty()) {
            if word == DISABLED {
                user.disabled = true;
                continue;
            }
            let role = Role::from_word(word).ok_or_else(|| {
                StoreError::damaged(
                    "catalogue",
                    format!("user {}", user.name),
                    format!("unknown role {word:?}"),
                )
            })?;
            user.roles.push(role);
        }
        all.push(user);
    }
    Ok(all)
}

/// All changes of users, the oldest first.
///
/// # Errors
/// The database's.
pub fn events(conn: &Connection) -> Result<Vec<UserEvent>> {
    if !has_table(conn, "user_event")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT event_id, at_micros, actor, action, name, before, after, reason FROM user_event ORDER BY event_id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(UserEvent {
            event_id: row.get(0)?,
            at_micros: row.get(1)?,
            actor: row.get(2)?,
            action: row.get(3)?,
            name: row.get(4)?,
            before: row.get(5)?,
            after: row.get(6)?,
            reason: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

/// Whose entries of the audit log, and which, an actor sees whole.
///
/// What a privilege reviewer typed or found names what is quarantined, and so do the commands of privilege: to others they are withheld.
#[derive(Clone, Debug)]
pub struct LogSight {
    whole: bool,
    own: String,
    reviewers: Vec<String>,
}

impl LogSight {
    /// What this actor sees.
    ///
    /// # Errors
    /// The database's.
    pub fn of(conn: &Connection, actor: &Actor) -> Result<Self> {
        Ok(Self {
            // Before the first user is added nobody is a privilege reviewer, and nothing can be in quarantine.
            whole: !actor.in_force() || actor.may(Task::Quarantine),
            own: fold(actor.name()),
            reviewers: reviewers(conn)?,
        })
    }

    /// True when parameters and results of an entry are kept from the actor: of everybody who is or was a privilege reviewer, and of
    /// what others did by `privilege`.
    pub fn withholds(&self, who: &str, command: &str) -> bool {
        let who = fold(who);
        let is_privilege = command.split(' ').next() == Some("privilege");
        !self.whole && (self.reviewers.contains(&who) || is_privilege && who != self.own)
    }
}

/// The names, folded, of everybody who ever was privilege reviewer: what they asked names what is quarantined.
pub(crate) fn reviewers(conn: &Connection) -> Result<Vec<String>> {
    if !has_table(conn, "user_event")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached("SELECT user_key, after FROM user_event ORDER BY event_id")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut keys = Vec::new();
    for row in rows {
        let (key, after) = row?;
        let reviews = after.split(',').any(|word| word == Role::PrivilegeReviewer.word());
        if reviews && !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Adds a user. The first one must be an administrator; from then on roles are in force.
///
/// # Errors
/// [`FactsError::Refused`] unless the actor may; [`FactsError::BadName`] for a name that is taken or cannot be one, roles that do not go
/// together, or a first user who is no administrator. Nothing is changed then.
pub fn add(conn: &Connection, name: &str, roles: &[Role], reason: &str, stamp: Stamp<'_>) -> Result<User> {
    let name = name.trim();
    let bad = |detail| FactsError::BadName {
        text: name.to_owned(),
        what: "user",
        detail,
    };
    if name.is_empty() || name.chars().any(char::is_control) || name.contains(',') {
        return Err(bad("a name is one line without commas"));
    }
    let roles = together(name, roles)?;
    atomically(conn, |conn| {
        Actor::find(conn, stamp.actor)?.require(Task::Users)?;
        let all = list(conn)?;
        if all.iter().any(|user| fold(&user.name) == fold(name)) {
            return Err(bad("there is a user of this name; `user role` gives other roles"));
        }
        if all.is_empty() && !roles.contains(&Role::Administrator) {
            return Err(bad(
                "the first user of a case is an administrator: without one nobody could give roles",
            ));
        }
        conn.execute_batch(TABLES)?;
        let after = written(&roles, false);
        put(conn, "added", name, ["", &after], reason, stamp)?;
        one(conn, name)
    })
}

/// Gives a user other roles; a disabled one is enabled by it.
///
/// # Errors
/// [`FactsError::Refused`] unless the actor may; [`FactsError::NotFound`]; [`FactsError::BadName`] when roles do not go together or no
/// administrator would be left. Nothing is changed then.
pub fn set_roles(conn: &Connection, name: &str, roles: &[Role], reason: &str, stamp: Stamp<'_>) -> Result<User> {
    let roles = together(name, roles)?;
    change(conn, name, stamp, reason, |user| {
        let action = if user.disabled { "enabled" } else { "role" };
        (action, written(&roles, false))
    })
}

/// Disables a user: nothing is allowed to them any more. Their name stays taken.
///
/// # Errors
/// As [`set_roles`].
pub fn disable(conn: &Connection, name: &str, reason: &str, stamp: Stamp<'_>) -> Result<User> {
    change(conn, name, stamp, reason, |user| (DISABLED, written(&user.roles, true)))
}

fn change(
    conn: &Connection,
    name: &str,
    stamp: Stamp<'_>,
    reason: &str,
    after: impl FnOnce(&User) -> (&'static str, String),
) -> Result<User> {
    atomically(conn, |conn| {
        Actor::find(conn, stamp.actor)?.require(Task::Users)?;
        let user = one(conn, name)?;
        let (action, after) = after(&user);
        let before = written(&user.roles, user.disabled);
        if before != after {
            put(conn, action, &user.name, [&before, &after], reason, stamp)?;
        }
        let left = list(conn)?;
        if !left
            .iter()
            .any(|user| !user.disabled && user.roles.contains(&Role::Administrator))
        {
            return Err(FactsError::BadName {
                text: user.name,
                what: "user without the role administrator",
                detail: "no administrator would be left; make somebody else one first",
            });
        }
        one(conn, name)
    })
}

/// Roles in their order, each once; a privilege reviewer has no other.
fn together(name: &str, roles: &[Role]) -> Result<Vec<Role>> {
    let bad = |detail| FactsError::BadName {
        text: name.to_owned(),
        what: "user with these roles",
        detail,
    };
    let kept: Vec<Role> = Role::ALL.into_iter().filter(|role| roles.contains(role)).collect();
    if kept.is_empty() {
        return Err(bad("at least one role is needed"));
    }
    if kept.len() > 1 && kept.contains(&Role::PrivilegeReviewer) {
        return Err(bad(
            "a privilege reviewer works outside of the team and has no other role",
        ));
    }
    Ok(kept)
}

fn one(conn: &Connection, name: &str) -> Result<User> {
    let found = list(conn)?.into_iter().find(|user| fold(&user.name) == fold(name));
    found.ok_or_else(|| FactsError::NotFound {
        what: "user",
        name: format!("\"{}\"", name.trim()),
    })
}

fn put(
    conn: &Connection,
    action: &str,
    name: &str,
    [before, after]: [&str; 2],
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO user_event (at_micros, actor, action, user_key, name, before, after, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        stamp.at_micros,
        stamp.actor,
        action,
        fold(name),
        name,
        before,
        after,
        reason
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(actor: &str) -> Stamp<'_> {
        Stamp { actor, at_micros: 5 }
    }

    #[test]
    fn until_the_first_user_everybody_is_administrator_and_the_first_is_one() {
        let conn = Connection::open_in_memory().unwrap();
        let ann = Actor::find(&conn, "ann").unwrap();
        assert!(!ann.in_force() && ann.may(Task::Ingest) && !ann.may(Task::Quarantine));
        let refused = add(&conn, "bob", &[Role::Reader], "", by("ann"));
        assert!(matches!(refused, Err(FactsError::BadName { .. })), "{refused:?}");
        assert!(!has_table(&conn, "user_event").unwrap());
        add(&conn, "Ann", &[Role::Administrator], "", by("ann")).unwrap();
        assert!(Actor::find(&conn, "ann").unwrap().in_force());
        assert!(!Actor::find(&conn, "bob").unwrap().may(Task::Status));
    }

    #[test]
    fn every_change_is_an_event_with_before_and_after_and_is_never_changed() {
        let conn = Connection::open_in_memory().unwrap();
        add(&conn, "ann", &[Role::Administrator], "", by("ann")).unwrap();
        add(&conn, "bob", &[Role::Reader], "new", by("ann")).unwrap();
        set_roles(&conn, "BOB", &[Role::Investigator, Role::ExhibitOfficer], "", by("ann")).unwrap();
        disable(&conn, "bob", "left", by("ann")).unwrap();
        let told: Vec<_> = events(&conn)
            .unwrap()
            .into_iter()
            .map(|one| format!("{} {} [{}] [{}]", one.action, one.name, one.before, one.after))
            .collect();
        assert_eq!(
            told,
            [
                "added ann [] [administrator]",
                "added bob [] [reader]",
                "role bob [reader] [investigator,exhibit-officer]",
                "disabled bob [investigator,exhibit-officer] [investigator,exhibit-officer,disabled]",
            ]
        );
        assert!(!Actor::find(&conn, "bob").unwrap().may(Task::Look));
        assert!(conn.execute("DELETE FROM user_event", []).is_err());
        assert!(
            conn.execute("UPDATE user_event SET after = 'administrator'", [])
                .is_err()
        );
    }

    #[test]
    fn a_refusal_names_the_roles_that_may_and_changes_nothing() {
        let conn = Connection::open_in_memory().unwrap();
        add(&conn, "ann", &[Role::Administrator], "", by("ann")).unwrap();
        add(&conn, "bob", &[Role::Reader], "", by("ann")).unwrap();
        let refused = add(&conn, "eve", &[Role::Administrator], "", by("bob")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "bob is reader and may not add users, give them roles, disable them: that needs the role administrator"
        );
        assert_eq!(events(&conn).unwrap().len(), 2);
    }

    #[test]
    fn an_administrator_is_always_left_and_a_privilege_reviewer_is_nothing_else() {
        let conn = Connection::open_in_memory().unwrap();
        add(&conn, "ann", &[Role::Administrator], "", by("ann")).unwrap();
        assert!(disable(&conn, "ann", "", by("ann")).is_err());
        assert!(set_roles(&conn, "ann", &[Role::Reader], "", by("ann")).is_err());
        assert_eq!(events(&conn).unwrap().len(), 1);
        let both = [Role::PrivilegeReviewer, Role::Investigator];
        assert!(add(&conn, "pat", &both, "", by("ann")).is_err());
        add(&conn, "pat", &[Role::PrivilegeReviewer], "", by("ann")).unwrap();
        set_roles(&conn, "pat", &[Role::Reader], "", by("ann")).unwrap();
        assert_eq!(reviewers(&conn).unwrap(), ["pat"]);
    }
}
