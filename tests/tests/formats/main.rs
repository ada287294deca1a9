//! Documents and containers, end to end: what lies in a folder of them is found by its words, has its path, and comes out again.

mod attached;
mod bombs;
mod corpora;
mod deaths;
mod evidence;
mod found_again;
mod interrupted;
mod locked;
mod made;
mod production;
mod sealed;
mod shelf;
mod stores;
