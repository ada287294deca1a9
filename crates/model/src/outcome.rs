//! How an operation ended: the classes of errors that every crate shares.

use serde::Serialize;

/// Who can do something about an error. Only the binary turns this into an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// What was given as evidence or records cannot be read.
    Input,
    /// What was typed or configured cannot be meant.
    Config,
    /// The machine: no space, no permission, a failing disk.
    Environment,
    /// Somebody else holds the case.
    Busy,
    /// The case is damaged, or differs from what it must be.
    Corruption,
    /// The program is wrong.
    Internal,
}
