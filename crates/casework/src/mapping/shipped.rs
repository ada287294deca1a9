//! The maps that are part of the program, from `config/mappings/`.

/// A map that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name, as given to `--mapping`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(Shipped {
            name: $name,
            text: include_str!(concat!("../../../../config/mappings/", $name, ".toml")),
        },)*]
    };
}

/// All of them, in the order of their names.
pub const SHIPPED: &[Shipped] = shipped![
    "canonical",
    "centurion-like",
    "chicago-complaints",
    "iopc-recommendations",
    "registers",
    "tribune-like",
];
