//! Programs of the system that a worker may run, and the formats that need them.
//!
//! Not for: running them (the readers do). Main type: [`Helper`]. Invariant: only a worker that was started for such a format can run anything at
//! all, and then only these.

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Helper {
    /// Its name on the path.
    pub name: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
    /// What is lost without it.
    pub without: &'static str,
}

/// All programs that a worker may run.
pub const HELPERS: [Helper; 4] = [
    Helper {
        name: "bsdtar",
        package: "libarchive-tools",
        without: "RAR, CAB, ISO, cpio and .Z archives are kept and hashed but not opened; each says so",
    },
    Helper {
        name: "pdftotext",
        package: "poppler-utils",
        without: "a PDF that the built-in reader finds empty or damaged gets no second opinion",
    },
    Helper {
        name: "pdftoppm",
        package: "poppler-utils",
        without: "scanned pages of a PDF are not searchable; each says that it needs recognition",
    },
    Helper {
        name: "tesseract",
        package: "tesseract-ocr",
        without: "scanned pages and images are not searchable; each says that it needs recognition",
    },
];

/// True for the media types whose readers may run a helper. All others run in workers that cannot start a program.
pub fn may_use_helpers(media_type: &str) -> bool {
    const TYPES: [&str; 21] = [
        "application/pdf",
        "application/vnd.rar",
        "application/x-rar",
        "application/x-rar-compressed",
        "application/vnd.ms-cab-compressed",
        "application/x-cab",
        "application/x-iso9660-image",
        "application/x-cd-image",
        "application/x-cpio",
        "application/x-compress",
        "application/x-lha",
        "application/x-lzh-compressed",
        "application/x-lzh",
        "application/x-arj",
        "application/x-xar",
        "application/x-ar",
        "application/x-archive",
        "application/x-unix-archive",
        "application/x-rpm",
        "application/x-debian-package",
        "application/vnd.debian.binary-package",
    ];
    media_type.starts_with("image/") || TYPES.contains(&media_type)
}
