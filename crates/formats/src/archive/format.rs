//! Which reader opens which media type.
//!
//! Not for: telling types (`probe`). Main function: [`format_of`].

/// A family of containers with one reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArchiveFormat {
    /// PKWARE zip.
    Zip,
    /// 7z.
    SevenZip,
    /// Unix archive, also Debian packages.
    Ar,
    /// tar in all its dialects.
    Tar,
    /// One compressed file, which may be a tar.
    Stream(Compression),
    /// RAR, CAB, ISO 9660, cpio, LHA and whatever else `bsdtar` tells by itself.
    External,
}

/// How a single file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// gzip (RFC 1952).
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// LZMA alone, the older form of xz.
    Lzma,
    /// lzip.
    Lzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// LZ4 frames.
    Lz4,
    /// Unix `compress` (`.Z`).
    Lzw,
}

/// The reader for a media type, if it is a container's.
pub fn format_of(media_type: &str) -> Option<ArchiveFormat> {
    use Compression::{Bzip2, Gzip, Lz4, Lzip, Lzma, Lzw, Xz, Zstd};
    Some(match media_type {
        "application/zip" | "application/x-zip-compressed" | "application/java-archive" => ArchiveFormat::Zip,
        "application/x-7z-compressed" => ArchiveFormat::SevenZip,
        "application/x-archive"
        | "application/x-unix-archive"
        | "application/vnd.debian.binary-package"
        | "application/x-debian-package" => ArchiveFormat::Ar,
        "application/x-tar" | "application/x-gtar" => ArchiveFormat::Tar,
        "application/gzip" | "application/x-gzip" => ArchiveFormat::Stream(Gzip),
        "application/x-bzip2" | "application/x-bzip" => ArchiveFormat::Stream(Bzip2),
        "application/x-xz" => ArchiveFormat::Stream(Xz),
        "application/x-lzma" => ArchiveFormat::Stream(Lzma),
        "application/x-lzip" => ArchiveFormat::Stream(Lzip),
        "application/zstd" => ArchiveFormat::Stream(Zstd),
        "application/x-lz4" => ArchiveFormat::Stream(Lz4),
        "application/x-compress" => ArchiveFormat::Stream(Lzw),
        "application/vnd.rar"
        | "application/x-rar"
        | "application/x-rar-compressed"
        | "application/vnd.ms-cab-compressed"
        | "application/x-iso9660-image"
        | "application/x-cd-image"
        | "application/x-cpio"
        | "application/x-lzh"
        | "application/x-lha"
        | "application/x-lzh-compressed"
        | "application/x-arj"
        | "application/x-xar"
        | "application/x-rpm" => ArchiveFormat::External,
        _ => return None,
    })
}
