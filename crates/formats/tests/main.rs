//! What the public interface of the crate promises, on synthetic mailboxes and on real ones where they are at hand.

mod mail;
mod mailbox;
mod real;
