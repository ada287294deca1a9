//! Messages and what comes out of them: small samples with snapshots, hostile inputs, and real mail.

mod golden;
mod hostile;
mod real;
