//! Mail addresses and the people-roles of a message (RFC 5322 section 3.6.2 and 3.6.3).

use serde::Serialize;

/// One mailbox as written: display name (decoded) and address (`local@domain`, case kept).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Address {
    /// Decoded display name, empty when there is none.
    pub name: String,
    /// The address as written, without angle brackets; may lack an `@` or be an X.500 name.
    pub addr: String,
}

impl Address {
    /// `Name <addr>`, or whichever of the two there is.
    pub fn display(&self) -> String {
        match (self.name.is_empty(), self.addr.is_empty()) {
            (true, _) => self.addr.clone(),
            (false, true) => self.name.clone(),
            (false, false) => format!("{} <{}>", self.name, self.addr),
        }
    }
}

/// The role in which an address stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// `From`.
    From,
    /// `Sender`.
    Sender,
    /// `Reply-To`.
    ReplyTo,
    /// `To`.
    To,
    /// `Cc`.
    Cc,
    /// `Bcc`.
    Bcc,
}

impl Role {
    /// Stable number for packed columns.
    pub fn code(self) -> u8 {
        match self {
            Self::From => 0,
            Self::Sender => 1,
            Self::ReplyTo => 2,
            Self::To => 3,
            Self::Cc => 4,
            Self::Bcc => 5,
        }
    }

    /// The inverse of [`Role::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::From, Self::Sender, Self::ReplyTo, Self::To, Self::Cc, Self::Bcc]
            .into_iter()
            .find(|role| role.code() == code)
    }
}

/// An address in its role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Participant {
    /// In which header it stands.
    pub role: Role,
    /// Who.
    pub address: Address,
}
