//! Public behaviour of the crate on real files and on damaged ones.

mod damage;
mod real;
