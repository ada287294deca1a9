//! PST and OST files, read by position and never written ([MS-PST]).
//!
//! Not for: what the properties of a message mean (crate `mapi`). Invariant: the file is never loaded whole, and nothing panics on
//! content.
