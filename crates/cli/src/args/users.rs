//! Arguments of `embley user`.

use clap::Subcommand;
use embley_model::role::Role;

use super::ListArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Adds a user; the first one must be an administrator, and from then on roles are in force
    Add {
        /// The name that they work under: what `--user`, EMBLEY_USER or the login says
        name: String,
        /// What they are; may be given again. `embley user roles` says what each may do
        #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role)]
        roles: Vec<Role>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Users and what they are
    List {
        /// Every change instead: who made it, when, before and after
        #[arg(long)]
        changes: bool,
        #[command(flatten)]
        list: ListArgs,
    },
    /// What each role may do
    Roles(ListArgs),
    /// Gives a user other roles, in place of those they had; enables one who was disabled
    Role {
        /// Who
        name: String,
        /// What they are from now on
        #[arg(required = true, value_parser = role)]
        roles: Vec<Role>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Disables a user: nothing is allowed to them any more
    Disable {
        /// Who
        name: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
        format!("there are the roles {}", known.join(", "))
    })
}
