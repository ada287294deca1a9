//! The audit log from outside: every command leaves its entries, nothing of the text of items does, stops leave what is said, others can
//! check it with their own tools.

mod commands;
mod kills;
mod restart;
mod stamps;
mod uses;
