//! Small containers, made by the writers of the packages and by hand.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

/// Text that packs well but is no single run.
pub(crate) fn prose(bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 40);
    let mut number = 17_u32;
    while out.len() < bytes {
        number = number.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        out.extend_from_slice(format!("line {} of the minutes\n", number >> 20).as_bytes());
    }
    out.truncate(bytes);
    out
}

pub(crate) fn zip_of(files: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, options).expect("starts");
        writer.write_all(bytes).expect("writes");
    }
    writer.finish().expect("finishes").into_inner()
}

pub(crate) fn plain(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method)
}

pub(crate) fn aes(password: &'static str) -> SimpleFileOptions {
    plain(CompressionMethod::Deflated).with_aes_encryption(AesMode::Aes256, password)
}

/// One stored entry as the format has it: local header, data, directory. `flags` and both names are as given.
pub(crate) struct RawEntry<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) flags: u16,
    pub(crate) system: u8,
    pub(crate) extra: &'a [u8],
    pub(crate) bytes: &'a [u8],
}

pub(crate) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub(crate) fn raw_zip(entries: &[RawEntry<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = u32::try_from(out.len()).expect("small");
        let size = u32::try_from(entry.bytes.len()).expect("small");
        let mut common = Vec::new();
        common.extend_from_slice(&20_u16.to_le_bytes());
        common.extend_from_slice(&entry.flags.to_le_bytes());
        common.extend_from_slice(&[0, 0, 0, 0, 0x21, 0x4c]);
        common.extend_from_slice(&crc(entry.bytes).to_le_bytes());
        common.extend_from_slice(&size.to_le_bytes());
        common.extend_from_slice(&size.to_le_bytes());
        common.extend_from_slice(&u16::try_from(entry.name.len()).expect("short").to_le_bytes());
        common.extend_from_slice(&u16::try_from(entry.extra.len()).expect("short").to_le_bytes());
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(entry.name);
        out.extend_from_slice(entry.extra);
        out.extend_from_slice(entry.bytes);
        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&[20, entry.system]);
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(entry.name);
        directory.extend_from_slice(entry.extra);
    }
    let start = u32::try_from(out.len()).expect("small");
    let count = u16::try_from(entries.len()).expect("few").to_le_bytes();
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count);
    out.extend_from_slice(&count);
    out.extend_from_slice(&u32::try_from(directory.len()).expect("small").to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

pub(crate) fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_500_000_000);
        builder.append_data(&mut header, name, *bytes).expect("appends");
    }
    builder.into_inner().expect("finishes")
}

pub(crate) fn gzip(bytes: &[u8], name: Option<&str>) -> Vec<u8> {
    let mut builder = flate2::GzBuilder::new();
    if let Some(name) = name {
        builder = builder.filename(name);
    }
    let mut writer = builder.write(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).expect("writes");
    writer.finish().expect("finishes")
}

pub(crate) fn seven_zip(files: &[(&str, &[u8])], password: Option<&str>, hide_names: bool) -> Vec<u8> {
    use sevenz_rust2::encoder_options::AesEncoderOptions;
    use sevenz_rust2::{ArchiveEntry, ArchiveWriter, EncoderMethod, Password};
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).expect("starts");
    if let Some(password) = password {
        writer.set_content_methods(vec![
            AesEncoderOptions::new(Password::from(password)).into(),
            EncoderMethod::LZMA2.into(),
        ]);
        writer.set_encrypt_header(hide_names);
    }
    for (name, bytes) in files {
        writer
            .push_archive_entry(ArchiveEntry::new_file(name), Some(Cursor::new(*bytes)))
            .expect("pushes");
    }
    writer.finish().expect("finishes").into_inner()
}
