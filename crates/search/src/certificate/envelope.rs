//! A statement and its signature as a file.
//!
//! The file is JSON of five lines: `{"embley_certificate":1,"statement":`, the statement in canonical form (RFC 8785) on the second line,
//! `,"signature":`, the signature's members on the fourth, and `}`. *The bytes signed are exactly the second line without its line end.*
//! A file that was only laid out anew still holds: what is checked is the canonical form of the statement that is in it.
//!
//! Main type: [`Signed`]. Invariant: what is shown of a statement is what was checked.

use embley_store::signing::{PrivateKey, PublicKey};
use serde_json::{Value, json};

use super::statement::{KeyFacts, Statement, VERSION, WHAT};
use embley_store::canonical::canonical;

/// Version of the file around the statement.
const ENVELOPE: u32 = 1;
/// The largest certificate that is read, in bytes: one that names some ten million hits.
pub const LARGEST: u64 = 1 << 30;
const ALGORITHM: &str = "Ed25519";

/// A certificate that cannot be read as one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not JSON, or not of this shape.
    #[error("this is not a certificate: {detail}")]
    NotACertificate {
        /// What is missing or wrong.
        detail: String,
    },
    /// Made by a newer program.
    #[error("this certificate is of version {found}; this program reads up to {known}: use a newer one")]
    Newer {
        /// What it says.
        found: u64,
        /// What is read.
        known: u32,
    },
    /// The statement cannot be put into canonical form.
    #[error("internal: the statement has no canonical form")]
    NotCanonical,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Signed {
    statement: Statement,
    bytes: String,
    signature: String,
}

impl Signed {
    /// Signs a statement, which then names the key.
    ///
    /// # Errors
    /// When the statement has no canonical form, which is a mistake in this program.
    pub fn sign(mut statement: Statement, key: &PrivateKey) -> Result<Self, EnvelopeError> {
        let public = key.public();
        statement.key = KeyFacts {
            id: public.id(),
            public: public.pem(),
        };
        let value = serde_json::to_value(&statement).map_err(|_| EnvelopeError::NotCanonical)?;
        let bytes = canonical(&value).ok_or(EnvelopeError::NotCanonical)?;
        let signature = key.sign(bytes.as_bytes());
        Ok(Self {
            statement,
            bytes,
            signature,
        })
    }

    /// The bytes of the file.
    pub fn to_file(&self) -> String {
        let signature = json!({"algorithm": ALGORITHM, "key_id": self.statement.key.id, "value": self.signature});
        format!(
            "{{\"embley_certificate\":{ENVELOPE},\"statement\":\n{}\n,\"signature\":\n{signature}\n}}\n",
            self.bytes
        )
    }

    /// Reads a file. The signature is not checked yet.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn from_file(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let not = |detail: String| EnvelopeError::NotACertificate { detail };
        if bytes.len() as u64 > LARGEST {
            return Err(not(format!("it has {} bytes", bytes.len())));
        }
        let mut file: Value = serde_json::from_slice(bytes).map_err(|error| not(error.to_string()))?;
        up_to(&file["embley_certificate"], ENVELOPE)?;
        let value = file["statement"].take();
        if value["what"] != WHAT {
            return Err(not(format!("its statement does not begin with {WHAT:?}")));
        }
        up_to(&value["version"], VERSION)?;
        let signature = file["signature"]["value"].as_str();
        let signature = signature
            .ok_or_else(|| not("it has no signature".to_owned()))?
            .to_owned();
        if file["signature"]["algorithm"] != ALGORITHM {
            return Err(not(format!("its signature is not {ALGORITHM}")));
        }
        let bytes = canonical(&value).ok_or_else(|| not("it holds a number that is not whole".to_owned()))?;
        let statement = serde_json::from_value(value).map_err(|error| not(error.to_string()))?;
        Ok(Self {
            statement,
            bytes,
            signature,
        })
    }

    /// What it says.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The bytes signed.
    pub fn signed_bytes(&self) -> &[u8] {
        self.bytes.as_bytes()
    }

    /// The key that it carries.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn key(&self) -> Result<PublicKey, String> {
        PublicKey::from_pem(&self.statement.key.public)
    }

    /// True when it was signed with the private half of this key and not changed since.
    pub fn holds(&self, key: &PublicKey) -> bool {
        key.holds(self.bytes.as_bytes(), &self.signature)
    }
}

fn up_to(version: &Value, known: u32) -> Result<(), EnvelopeError> {
    match version.as_u64() {
        None => Err(EnvelopeError::NotACertificate {
            detail: "it does not say its version".to_owned(),
        }),
        Some(found) if found > u64::from(known) => Err(EnvelopeError::Newer { found, known }),
        Some(_) => Ok(()),
    }
}
