//! Containers.

use std::io::{self, Cursor, Read};

use embley_formats::archive::{ArchiveFormat, Compression, open};
use embley_formats::opened::{Member, Members, OpenLimits};

use super::{ensure, samples};
use crate::target::{Target, WORKER_STACK};

/// A target of the worker process.
const fn container(name: &'static str, check: fn(&[u8]) -> Result<(), String>) -> Target {
    Target {
        stack_bytes: WORKER_STACK,
        ..Target::new(
            name,
            "members stay within the limits, paths inside of the container; the same members twice",
            check,
        )
    }
}

pub(super) const ZIP: Target = Target {
    words: &[
        b"PK\x03\x04",
        b"PK\x01\x02",
        b"PK\x05\x06",
        b"PK\x06\x06",
        b"PK\x06\x07",
        b"PK\x07\x08",
        b"\x01\0\x1c\0",
        b"\x75\x70",
        b"\x01\x99\x07\0",
        b"UT\x05\0",
        b"../",
        b"/",
        b"\\",
        b"\xff\xff\xff\xff",
        b"\x08\0",
        b"\x63\0",
    ],
    made: || {
        vec![
            samples::zip(&[("a/b.txt", b"one"), ("../c", b"two"), ("mimetype", b"three")]),
            samples::deflated_zip(),
        ]
    },
    corpora: &[("archives", ".zip"), ("docs/tika", ".zip")],
    ..container("zip", |bytes| members(ArchiveFormat::Zip, bytes))
};

pub(super) const TAR: Target = Target {
    words: &[
        b"ustar\0",
        b"ustar  \0",
        b"././@LongLink",
        b"30 mtime=1.5\n",
        b"19 GNU.sparse.major=1\n",
        b"11 path=\xff\n",
        b"777777777777",
        b"\x80\0\0\0\0\0\0\0\0\0\xff\xff",
        b"L",
        b"S",
        b"x",
        b"K",
    ],
    made: || vec![samples::tar()],
    corpora: &[("archives", ".tar")],
    repair: Some(samples::repair_tar),
    ..container("tar", |bytes| members(ArchiveFormat::Tar, bytes))
};

pub(super) const SEVENZ: Target = Target {
    words: &[
        b"7z\xbc\xaf\x27\x1c",
        b"\x01\x04\x06",
        b"\x17\x06",
        b"\x05\x01\x11",
        b"\x21\x21\x01",
        b"\x23\x03\x01\x01",
        b"\x06\xf1\x07\x01",
        b"\x0e\x01\x80",
        b"\xff",
    ],
    made: || vec![samples::sevenz()],
    corpora: &[("archives", ".7z")],
    repair: Some(samples::repair_sevenz),
    ..container("sevenz", |bytes| members(ArchiveFormat::SevenZip, bytes))
};

pub(super) const AR: Target = Target {
    words: &[
        b"!<arch>\n",
        b"`\n",
        b"//              ",
        b"#1/20           ",
        b"/0              ",
        b"9999999999",
        b"/               ",
    ],
    made: || vec![samples::ar()],
    corpora: &[("archives", ".ar"), ("archives", ".deb")],
    ..container("ar", |bytes| members(ArchiveFormat::Ar, bytes))
};

const METHODS: [Compression; 8] = [
    Compression::Lzw,
    Compression::Gzip,
    Compression::Bzip2,
    Compression::Xz,
    Compression::Lzma,
    Compression::Lzip,
    Compression::Zstd,
    Compression::Lz4,
];

pub(super) const STREAM: Target = Target {
    max_bytes: 32 << 10,
    words: &[
        b"\x1f\x9d\x90",
        b"\x1f\x8b\x08\x08",
        b"BZh9",
        b"\xfd7zXZ\0",
        b"LZIP\x01",
        b"\x28\xb5\x2f\xfd",
        b"\x04\x22\x4d\x18",
        b"\x5d\0\0\x80\0",
    ],
    made: samples::compressed,
    corpora: &[
        ("archives", ".Z"),
        ("archives", ".gz"),
        ("archives", ".lz4"),
        ("archives", ".xz"),
        ("archives", ".bz2"),
    ],
    ..container("stream", |bytes| {
        // Our own decoder always, of the others those whose first bytes say so.
        for method in METHODS {
            let sign: &[u8] = match method {
                Compression::Lzw | Compression::Lzma => b"",
                Compression::Gzip => b"\x1f\x8b",
                Compression::Bzip2 => b"BZ",
                Compression::Xz => b"\xfd7",
                Compression::Lzip => b"LZIP",
                Compression::Zstd => b"\x28\xb5",
                Compression::Lz4 => b"\x04\x22",
            };
            if bytes.starts_with(sign) {
                members(ArchiveFormat::Stream(method), bytes)?;
            }
        }
        Ok(())
    })
};

/// What came out, with contents by hash.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) list: Vec<(Member, [u8; 32], u64, Option<String>)>,
    pub(super) refuse_at: Option<usize>,
}

impl Members for Taken {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        if self.refuse_at == Some(self.list.len()) {
            return Err(io::Error::other("no room"));
        }
        let mut hasher = blake3::Hasher::new();
        let mut buffer = [0; 8192];
        let mut length = 0;
        let mut error = None;
        loop {
            match bytes.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    length += count as u64;
                    hasher.update(&buffer[..count]);
                }
                Err(failed) if failed.kind() == io::ErrorKind::Interrupted => {}
                Err(failed) => {
                    error = Some(failed.to_string());
                    break;
                }
            }
        }
        self.list.push((member, *hasher.finalize().as_bytes(), length, error));
        Ok(())
    }
}

pub(super) fn limits() -> OpenLimits {
    OpenLimits {
        max_text_bytes: 1 << 20,
        max_members: 300,
        max_total_bytes: 16 << 20,
        max_member_bytes: 4 << 20,
        max_ratio: 1000,
    }
}

fn members(format: ArchiveFormat, bytes: &[u8]) -> Result<(), String> {
    let passwords = ["secret".to_owned()];
    let run = |refuse_at| {
        let mut taken = Taken {
            refuse_at,
            ..Taken::default()
        };
        let opened = open(
            format,
            &mut Cursor::new(bytes),
            b"name.tar.gz",
            &passwords,
            &limits(),
            &mut taken,
        );
        (taken.list, opened)
    };
    let (list, opened) = run(None);
    let opened = opened.map_err(|error| format!("an error that nobody returned: {error}"))?;
    check_members(&list, &limits())?;
    let (again, other) = run(None);
    ensure(list == again && other.is_ok_and(|other| other == opened), || {
        "other members the second time".to_owned()
    })?;
    if !list.is_empty() {
        let at = list.len() / 2;
        let (before, opened) = run(Some(at));
        ensure(opened.is_err() && before.len() == at, || {
            "goes on although a member was refused".to_owned()
        })?;
    }
    Ok(())
}

pub(super) fn check_members(
    list: &[(Member, [u8; 32], u64, Option<String>)],
    limits: &OpenLimits,
) -> Result<(), String> {
    ensure(list.len() as u64 <= limits.max_members, || {
        format!("{} members", list.len())
    })?;
    let total: u64 = list.iter().map(|(_, _, length, _)| length).sum();
    ensure(total <= limits.max_total_bytes, || format!("{total} bytes of members"))?;
    for (member, _, length, _) in list {
        ensure(*length <= limits.max_member_bytes, || {
            format!("a member of {length} bytes")
        })?;
        let path = &member.path;
        let leaves = !path.is_empty()
            && path
                .split(|byte| *byte == b'/')
                .any(|part| part.is_empty() || part == b"." || part == b"..");
        ensure(!leaves, || "a path with a part that is empty, . or ..".to_owned())?;
    }
    Ok(())
}
