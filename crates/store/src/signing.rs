//! Ed25519 keys that sign what leaves a case, and checking such signatures (RFC 8032).
//!
//! A private key is a PKCS #8 PEM file (RFC 8410) of mode 0600 that lies *outside* of the case folder: a case is handed over, the key of
//! whoever signs for it is not. Nothing of a case is written here, so nothing here goes through [`crate::disk`]. Not for: deciding what
//! is signed. Main types: [`PrivateKey`], [`PublicKey`]. Invariants: a key inside a case folder, or one that others may read, is refused;
//! a key file is never written over.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use embley_model::id::hex_encode;
use embley_model::outcome::ErrorClass;
use sha2::{Digest, Sha256};

/// The largest key file that is read.
const LARGEST_KEY: u64 = 64 << 10;

/// A key that cannot be used. Nothing was written, unless it says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The machine refused.
    #[error("cannot {doing} the key {path:?}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It lies in the case folder.
    #[error(
        "the key {path:?} lies inside the case folder {case:?}: whoever is given the case would be given the key; \
         move it out, or name another one with --key FILE"
    )]
    InsideCase {
        /// The key.
        path: PathBuf,
        /// The case folder.
        case: PathBuf,
    },
    /// Others may read it.
    #[error("the key {path:?} can be read by others (mode {mode:03o}); run `chmod 600` on it")]
    Open {
        /// The key.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no key of the right kind.
    #[error("{path:?} is not an Ed25519 {kind} key in PEM form: {detail}")]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// `private` or `public`.
        kind: &'static str,
        /// What was found.
        detail: String,
    },
    /// The machine gives no random bytes.
    #[error("this machine gives no random bytes for a new key: {detail}")]
    NoRandom {
        /// Why not.
        detail: String,
    },
}

impl KeyError {
    /// Who can do something about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Io { .. } | Self::NoRandom { .. } => ErrorClass::Environment,
            Self::InsideCase { .. } | Self::Open { .. } | Self::NotAKey { .. } => ErrorClass::Config,
        }
    }

    fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

/// A key that signs.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// Reads the key in a file. `case` is the case folder that it must not lie in.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path, case: &Path) -> Result<Self, KeyError> {
        refuse_inside(path, case)?;
        let facts = fs::metadata(path).map_err(|source| KeyError::io("read", path, source))?;
        if facts.mode() & 0o077 != 0 {
            return Err(KeyError::Open {
                path: path.to_owned(),
                mode: facts.mode() & 0o777,
            });
        }
        let text = read_text(path, "private")?;
        let key = SigningKey::from_pkcs8_pem(&text).map_err(|error| not_a_key(path, "private", &error))?;
        Ok(Self(key))
    }

    /// Reads the key in a file, or makes a new one there, with the folders above it. True when it was made.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read_or_make(path: &Path, case: &Path) -> Result<(Self, bool), KeyError> {
        refuse_inside(path, case)?;
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            _ => return Ok((Self::read(path, case)?, false)),
        }
        match Self::make(path) {
            // Another process was first.
            Err(KeyError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                Ok((Self::read(path, case)?, false))
            }
            made => Ok((made?, true)),
        }
    }

    /// Written whole under another name first: whoever finds the key finds all of it.
    fn make(path: &Path) -> Result<Self, KeyError> {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError::NoRandom {
            detail: error.to_string(),
        })?;
        let key = SigningKey::from_bytes(&seed);
        // Without the public half: the older form (version 1) is the one that every program reads.
        let pair = KeypairBytes {
            secret_key: seed,
            public_key: None,
        };
        let pem = pair
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| not_a_key(path, "private", &error))?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| KeyError::io("make a folder for", path, source))?;
        let unfinished = folder.join(format!(".key-{}", hex_encode(&Sha256::digest(seed)[..8])));
        let written = || -> std::io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished)?;
            file.write_all(pem.as_bytes())?;
            file.sync_all()?;
            // A link fails where a rename would write over a key.
            fs::hard_link(&unfinished, path)
        };
        let outcome = written().map_err(|source| KeyError::io("write", path, source));
        #[expect(
            clippy::disallowed_methods,
            reason = "not a file of a case: the other name of the key just made"
        )]
        let removed = fs::remove_file(&unfinished);
        outcome?;
        removed.map_err(|source| KeyError::io("remove the other name of", path, source))?;
        Ok(Self(key))
    }

    /// Signs bytes.
    pub fn sign(&self, bytes: &[u8]) -> String {
        Base64::encode_string(&self.sign_raw(bytes))
    }

    /// Signs bytes; the 64 bytes of the signature.
    pub fn sign_raw(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }

    /// The half that is handed out.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
}

/// A key that signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads the key in a PEM file.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = read_text(path, "public")?;
        Self::from_pem(&text).map_err(|detail| KeyError::NotAKey {
            path: path.to_owned(),
            kind: "public",
            detail,
        })
    }

    /// Reads a key in PEM form (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_pem(text: &str) -> Result<Self, String> {
        let key = VerifyingKey::from_public_key_pem(text.trim()).map_err(|error| error.to_string())?;
        // A key of small order has signatures that fit many texts.
        if key.is_weak() {
            return Err("the key is weak".to_owned());
        }
        Ok(Self(key))
    }

    /// The key in PEM form.
    pub fn pem(&self) -> String {
        self.0
            .to_public_key_pem(LineEnding::LF)
            .expect("32 bytes always have a PEM form")
    }

    /// First half of the SHA-256 of its DER form, hexadecimal: what `openssl pkey -pubin -outform DER | sha256sum` begins with.
    pub fn id(&self) -> String {
        let der = self.0.to_public_key_der().expect("32 bytes always have a DER form");
        hex_encode(&Sha256::digest(der.as_bytes())[..16])
    }

    /// True when `signature`, Base64, was made over these bytes with the private half.
    pub fn holds(&self, bytes: &[u8], signature: &str) -> bool {
        Base64::decode_vec(signature).is_ok_and(|raw| self.holds_raw(bytes, &raw))
    }

    /// True when `signature` was made over these bytes with the private half.
    pub fn holds_raw(&self, bytes: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(bytes, &signature).is_ok())
    }

    /// The key as the 32 bytes of RFC 8032.
    pub fn raw(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

fn not_a_key(path: &Path, kind: &'static str, error: &dyn std::fmt::Display) -> KeyError {
    KeyError::NotAKey {
        path: path.to_owned(),
        kind,
        detail: error.to_string(),
    }
}

fn read_text(path: &Path, kind: &'static str) -> Result<String, KeyError> {
    let size = fs::metadata(path)
        .map_err(|source| KeyError::io("read", path, source))?
        .len();
    if size > LARGEST_KEY {
        return Err(not_a_key(path, kind, &format_args!("it has {size} bytes")));
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(not_a_key(path, kind, &"it is not text")),
        Err(source) => Err(KeyError::io("read", path, source)),
    }
}

/// Where the file lies, or will: links followed as far as there is something.
fn refuse_inside(path: &Path, case: &Path) -> Result<(), KeyError> {
    let case_at = fs::canonicalize(case).map_err(|source| KeyError::io("look for the case folder of", path, source))?;
    let here = std::path::absolute(path).map_err(|source| KeyError::io("look for", path, source))?;
    let lies = here.ancestors().find_map(|above| {
        let real = fs::canonicalize(above).ok()?;
        Some(real.starts_with(&case_at))
    });
    // A path such as `case/../key` is compared as written too: whoever names one by way of the case folder gets a plain answer.
    if lies == Some(true) || here.starts_with(&case_at) {
        return Err(KeyError::InsideCase {
            path: path.to_owned(),
            case: case.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folders() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let case = folder.path().join("case");
        fs::create_dir_all(case.join("inner")).expect("a case folder");
        let keys = folder.path().join("keys/deep/signing.pem");
        (folder, case, keys)
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only_and_signs() {
        let (_folder, case, path) = folders();
        let (key, made) = PrivateKey::read_or_make(&path, &case).expect("a key");
        assert!(made);
        let facts = fs::metadata(&path).expect("the key");
        assert_eq!(facts.mode() & 0o777, 0o600);
        let above = path.parent().expect("a folder");
        assert_eq!(fs::metadata(above).expect("a folder").mode() & 0o777, 0o700);
        assert_eq!(
            fs::read_dir(above).expect("a folder").count(),
            1,
            "nothing else is left"
        );
        let (again, made) = PrivateKey::read_or_make(&path, &case).expect("the same key");
        assert!(!made);
        assert_eq!(again.public(), key.public());
        let signature = key.sign(b"text");
        assert!(again.public().holds(b"text", &signature));
        assert!(!again.public().holds(b"Text", &signature));
        assert!(!again.public().holds(b"text", "!"));
        let same = PublicKey::from_pem(&key.public().pem()).expect("a public key");
        assert_eq!((same.id().len(), same.id()), (32, key.public().id()));
    }

    /// RFC 8032 section 7.1, test 2, with the key in the form of RFC 8410.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let (folder, case, _) = folders();
        let path = folder.path().join("rfc.pem");
        let seed: [u8; 32] =
            embley_model::id::hex_decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
                .and_then(|bytes| bytes.try_into().ok())
                .expect("32 bytes");
        let pair = KeypairBytes {
            secret_key: seed,
            public_key: None,
        };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).expect("a PEM");
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .expect("a file");
        file.write_all(pem.as_bytes()).expect("written");
        let key = PrivateKey::read(&path, &case).expect("a key");
        let expected = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        let signature = Base64::decode_vec(&key.sign(&[0x72])).expect("Base64");
        assert_eq!(hex_encode(&signature), expected);
    }

    #[test]
    fn a_key_in_the_case_folder_or_open_to_others_is_refused() {
        let (folder, case, path) = folders();
        for inside in [
            case.join("key.pem"),
            case.join("inner/new/key.pem"),
            case.join("inner/../key.pem"),
        ] {
            let error = PrivateKey::read_or_make(&inside, &case).err().expect("refused");
            assert!(matches!(error, KeyError::InsideCase { .. }), "{error}");
            assert!(!inside.exists());
        }
        std::os::unix::fs::symlink(&case, folder.path().join("link")).expect("a link");
        let by_link = folder.path().join("link/key.pem");
        assert!(PrivateKey::read_or_make(&by_link, &case).is_err());
        PrivateKey::read_or_make(&path, &case).expect("a key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("permissions");
        let error = PrivateKey::read(&path, &case).err().expect("refused");
        assert!(error.to_string().contains("640"), "{error}");
    }

    #[test]
    fn what_is_no_key_is_refused_by_its_name() {
        let (folder, case, _) = folders();
        let path = folder.path().join("letter.txt");
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .expect("a file");
        file.write_all(b"Dear Sir").expect("written");
        let error = PrivateKey::read(&path, &case).err().expect("refused").to_string();
        assert!(error.contains("letter.txt") && error.contains("private"), "{error}");
        assert!(PublicKey::read(&path).is_err());
        assert!(PublicKey::read(&folder.path().join("none")).is_err());
    }
}
