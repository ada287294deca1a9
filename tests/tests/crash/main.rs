//! What a kill, a full disk, a failing step or a message of gigabytes leaves: a case that opens, goes on, and becomes the same as if
//! nothing had happened.

mod disk;
mod evidence;
mod kills;
mod large;
