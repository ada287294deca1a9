//! Whole files made in code: every layout, every obfuscation, then damage.

mod damage;
mod hostile;
mod limits;
mod oracle;
mod whole;
mod writer;
