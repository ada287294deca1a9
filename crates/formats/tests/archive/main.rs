//! What `archive` promises, on containers made here, on broken ones, and on real ones where they are at hand.

mod damaged;
mod limits;
mod made;
mod make;
mod oracle;
mod resumed;
mod take;
