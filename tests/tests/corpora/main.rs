//! Every mailbox and message of the third-party corpora, and of the small samples in the project: taken in, counted, held against
//! what an independent reader finds, and taken out again byte for byte.

mod allowed;
mod evidence;
mod sets;
