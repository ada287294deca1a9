//! Lists, tables and properties on top of nodes ([MS-PST] section 2.3).
//!
//! Main types: [`Heap`], [`Table`], and [`Session`], which carries limits and defects through one reading. Invariant: what one reading
//! takes is bounded by its limits, whatever the file says.

mod bth;
mod context;
mod heap;
mod session;
mod table;
mod value;

pub(crate) use context::{RawProperty, properties, raw_properties};
pub(crate) use heap::{Bytes, Heap};
pub(crate) use session::Session;
pub(crate) use table::Table;
