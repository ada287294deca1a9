//! Encrypted content of CMS and its recipients ([RFC 5652] 6, [RFC 5083], [RFC 5753], [RFC 3211]): from a private key or a password to the content.
//!
//! Main types: [`Sealed`], [`Plain`]. Decisions: keys whose certificate a recipient names come first, then every other, for certificates are renewed; a content whose
//! end or check is damaged is given as far as it decrypts, and that is said. Invariant: attempts are bounded and counted; a content key of a wrong length opens
//! nothing.

use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::ber::{Element, encoded, oid_text, tag};
use super::cipher::{Chain, Cipher, open_counter, padding, unwrap};
use super::keys::{Algorithm, KeyNames, Secrets, algorithm};
use super::tried::{By, Tried};
use super::{oid, pbe};

/// Recipients that are tried.
const MAX_RECIPIENTS: usize = 1_000;
/// Operations with private keys on one message.
const MAX_ATTEMPTS: usize = 400;
/// Rounds of hashing for passwords on one message.
const MAX_ROUNDS: usize = 4 * pbe::MAX_ROUNDS;
const BIT_STRING: u8 = 0x03;

/// The parts of an encrypted structure.
pub(super) struct Sealed<'a> {
    recipients: Option<Element<'a>>,
    /// Type of the content inside.
    pub(super) content_type: &'a [u8],
    algorithm: Element<'a>,
    content: Element<'a>,
    /// The octets that the check covers too, and the check (auth-enveloped).
    beside: Option<Element<'a>>,
    mac: &'a [u8],
}

/// What came out.
pub(super) struct Plain {
    pub(super) content: Vec<u8>,
    /// Name of the cipher.
    pub(super) cipher: String,
    pub(super) by: By,
    /// What is wrong with it.
    pub(super) faults: Vec<&'static str>,
}

impl<'a> Sealed<'a> {
    /// Reads the content of a structure with or without recipients.
    pub(super) fn read(structure: &Element<'a>) -> Option<Self> {
        let mut inner = structure.elements();
        let _version = inner.tagged(tag::INTEGER)?;
        let _originator = inner.tagged(tag::CONTEXT_0);
        let recipients = inner.tagged(tag::SET);
        // Signed and enveloped (PKCS #7 11.1): digest algorithms follow.
        let _digests = inner.tagged(tag::SET);
        let mut info = inner.tagged(tag::SEQUENCE)?.elements();
        let content_type = info.tagged(tag::OID)?.content;
        let algorithm = info.tagged(tag::SEQUENCE)?;
        let content = info.next().filter(|one| matches!(one.tag, 0x80 | 0xa0))?;
        let beside = inner.tagged(0xa1);
        let mac = inner.tagged(tag::OCTETS).map(|mac| mac.content).unwrap_or_default();
        Some(Self {
            recipients,
            content_type,
            algorithm,
            content,
            beside,
            mac,
        })
    }

    /// Tries what was given. `None` leaves in `tried` what was tried and why it was not enough.
    pub(super) fn open(&self, secrets: &Secrets<'_>, tried: &mut Tried) -> Option<Plain> {
        let cipher = match Cipher::read(&self.algorithm) {
            Ok(cipher) => Some(cipher),
            Err(unknown) => {
                // Content under a password alone (PKCS #5) has no recipients.
                if self.recipients.is_some() || secrets.passwords.is_empty() {
                    tried.note(format!("{unknown} is not supported"));
                    return None;
                }
                None
            }
        };
        let Some(cipher) = cipher else {
            return self.by_password(secrets, tried);
        };
        let (key, by) = self.content_key(&cipher, secrets, tried)?;
        self.decrypt(&cipher, &key, by)
    }

    fn by_password(&self, secrets: &Secrets<'_>, tried: &mut Tried) -> Option<Plain> {
        let sealed = self.content.octets().0;
        for (at, password) in secrets.passwords.iter().enumerate() {
            tried.passwords = tried.passwords.max(at + 1);
            match pbe::decrypt(&self.algorithm, password, &sealed) {
                Ok(Some(content)) => {
                    return Some(Plain {
                        content,
                        cipher: "a password".to_owned(),
                        by: By::Password(at),
                        faults: Vec::new(),
                    });
                }
                Ok(None) => {}
                Err(unknown) => {
                    tried.note(format!("{unknown} is not supported"));
                    return None;
                }
            }
        }
        None
    }

    fn content_key(&self, cipher: &Cipher, secrets: &Secrets<'_>, tried: &mut Tried) -> Option<(Vec<u8>, By)> {
        let recipients: Vec<Element<'_>> = self.recipients.iter().flat_map(Element::elements).collect();
        let recipients = &recipients[..recipients.len().min(MAX_RECIPIENTS)];
        let keys: Vec<(usize, &[u8], &KeyNames)> = secrets
            .keys
            .iter()
            .enumerate()
            .filter_map(|(at, key)| key.cms().map(|(pkcs8, names)| (at, pkcs8, names)))
            .collect();
        tried.keys = keys.len();
        let mut attempts = 0;
        // Named keys first, so that the others are asked only when that was in vain.
        for named in [true, false] {
            for recipient in recipients {
                for (at, pkcs8, names) in &keys {
                    if is_named(recipient, names) != named {
                        continue;
                    }
                    attempts += 1;
                    if attempts > MAX_ATTEMPTS {
                        tried.note(format!("more than {MAX_ATTEMPTS} attempts were not made"));
                        return None;
                    }
                    let found = match recipient.tag {
                        tag::SEQUENCE => transported(recipient, pkcs8, tried),
                        0xa1 => agreed(recipient, pkcs8, tried),
                        _ => None,
                    };
                    if let Some(key) = found.filter(|key| cipher.takes(key)) {
                        return Some((key, By::Key(*at)));
                    }
                }
            }
        }
        let mut rounds = 0;
        for recipient in recipients.iter().filter(|one| one.tag == 0xa3) {
            for (at, password) in secrets.passwords.iter().enumerate() {
                match under_password(recipient, password, &mut rounds) {
                    Ok(found) => {
                        tried.passwords = tried.passwords.max(at + 1);
                        if let Some(key) = found.filter(|key| cipher.takes(key)) {
                            return Some((key, By::Password(at)));
                        }
                    }
                    Err(why) => {
                        tried.note(why);
                        break;
                    }
                }
            }
        }
        None
    }

    fn decrypt(&self, cipher: &Cipher, key: &[u8], by: By) -> Option<Plain> {
        let (sealed, cut) = self.content.octets();
        let mut faults = Vec::new();
        if cut {
            faults.push("the encrypted content is cut");
        }
        let content = match cipher {
            Cipher::Chain { chain, start } => {
                let mut content = chain.decrypt(key, start, &sealed)?;
                if !sealed.len().is_multiple_of(chain.block_bytes()) {
                    faults.push("the encrypted content does not end with a block");
                } else {
                    match padding(&content, chain.block_bytes()) {
                        Some(count) => content.truncate(content.len() - count),
                        None if cut => {}
                        None => faults.push("the end of the encrypted content is damaged"),
                    }
                }
                content
            }
            Cipher::Counter { nonce, tag_bytes, .. } => {
                let beside = self.beside.map(|set| as_set(&set)).unwrap_or_default();
                let mac = if self.mac.len() == *tag_bytes { self.mac } else { &[] };
                match open_counter(key, nonce, &beside, &sealed, mac)? {
                    Ok(content) => content,
                    Err(content) => {
                        faults.push("the check of the encrypted content fails");
                        content
                    }
                }
            }
        };
        Some(Plain {
            content,
            cipher: cipher.name(),
            by,
            faults,
        })
    }
}

/// The attributes as they are checked ([RFC 5083] 2.2): as a set, not under the number they stand under.
fn as_set(attributes: &Element<'_>) -> Vec<u8> {
    encoded(tag::SET, attributes.content)
}

/// True when a recipient names one of the names of a key.
fn is_named(recipient: &Element<'_>, names: &KeyNames) -> bool {
    let matches = |id: &Element<'_>| match id.tag {
        tag::SEQUENCE => {
            let mut inner = id.elements();
            let (Some(issuer), Some(serial)) = (inner.tagged(tag::SEQUENCE), inner.tagged(tag::INTEGER)) else {
                return false;
            };
            let issued = [issuer.content, serial.content].concat();
            names.issued.iter().any(|one| one.0 == issued)
        }
        0x80 => names.identifiers.iter().any(|one| one.0 == id.content),
        tag::CONTEXT_0 => {
            let inner = id.elements().next();
            inner.is_some_and(|inner| names.identifiers.iter().any(|one| one.0 == inner.content))
        }
        _ => false,
    };
    let mut inner = recipient.elements();
    let _version = inner.tagged(tag::INTEGER);
    match recipient.tag {
        tag::SEQUENCE => inner.next().is_some_and(|id| matches(&id)),
        0xa1 => inner.filter(|one| one.tag == tag::SEQUENCE).last().is_some_and(|keys| {
            let mut keys = keys.elements().take(MAX_RECIPIENTS);
            keys.any(|key| key.elements().next().is_some_and(|id| matches(&id)))
        }),
        _ => false,
    }
}

/// Key transport (6.2.1): RSA with the padding of PKCS #1 1.5, or OAEP.
fn transported(recipient: &Element<'_>, pkcs8: &[u8], tried: &mut Tried) -> Option<Vec<u8>> {
    use rsa::pkcs8::DecodePrivateKey;
    if algorithm(pkcs8)? != Algorithm::Rsa {
        return None;
    }
    let mut inner = recipient.elements();
    let _version = inner.tagged(tag::INTEGER)?;
    let _id = inner.next()?;
    let how = inner.tagged(tag::SEQUENCE)?;
    let sealed = inner.tagged(tag::OCTETS)?;
    let mut how = how.elements();
    let kind = how.tagged(tag::OID)?.content;
    let key = rsa::RsaPrivateKey::from_pkcs8_der(pkcs8).ok()?;
    if kind == oid::RSA {
        return key.decrypt(rsa::Pkcs1v15Encrypt, sealed.content).ok();
    }
    if kind == oid::OAEP {
        let Some(padding) = oaep(how.next()) else {
            tried.note("OAEP with parameters that are not supported".to_owned());
            return None;
        };
        return key.decrypt(padding, sealed.content).ok();
    }
    tried.note(format!("key transport {} is not supported", oid_text(kind)));
    None
}

/// RSAES-OAEP-params ([RFC 8017] A.2.1). A label other than the empty one is not known here.
fn oaep(parameters: Option<Element<'_>>) -> Option<rsa::Oaep> {
    type Boxed = Box<dyn rsa::sha2::digest::DynDigest + Send + Sync>;
    fn hash(oid: Option<&[u8]>) -> Option<Boxed> {
        let Some(oid) = oid.filter(|oid| *oid != oid::SHA1) else {
            return Some(Box::new(sha1_of_rsa::Sha1::default()));
        };
        Some(match oid.strip_prefix(oid::NIST_HASH)? {
            [1] => Box::new(rsa::sha2::Sha256::default()),
            [2] => Box::new(rsa::sha2::Sha384::default()),
            [3] => Box::new(rsa::sha2::Sha512::default()),
            [4] => Box::new(rsa::sha2::Sha224::default()),
            _ => return None,
        })
    }
    let (mut digest, mut mask) = (None, None);
    if let Some(parameters) = parameters.filter(|one| one.tag == tag::SEQUENCE) {
        for parameter in parameters.elements() {
            let mut inner = parameter.elements().tagged(tag::SEQUENCE)?.elements();
            let kind = inner.tagged(tag::OID)?.content;
            match parameter.tag {
                tag::CONTEXT_0 => digest = Some(kind),
                0xa1 => mask = Some(inner.tagged(tag::SEQUENCE)?.elements().tagged(tag::OID)?.content),
                0xa2 if inner.next().is_some_and(|label| label.content.is_empty()) => {}
                _ => return None,
            }
        }
    }
    Some(rsa::Oaep {
        digest: hash(digest)?,
        mgf_digest: hash(mask)?,
        label: None,
    })
}

/// Key agreement (6.2.2) on a curve ([RFC 5753] 3.1): one key for each of its recipients, the first that unwraps is taken.
fn agreed(recipient: &Element<'_>, pkcs8: &[u8], tried: &mut Tried) -> Option<Vec<u8>> {
    let curve = algorithm(pkcs8).filter(|kind| *kind != Algorithm::Rsa)?;
    let mut inner = recipient.elements();
    let _version = inner.tagged(tag::INTEGER)?;
    let originator = inner.tagged(tag::CONTEXT_0)?.elements().next()?;
    let beside = inner
        .tagged(0xa1)
        .and_then(|explicit| explicit.elements().tagged(tag::OCTETS));
    let how = inner.tagged(tag::SEQUENCE)?;
    let keys = inner.tagged(tag::SEQUENCE)?;
    if originator.tag != 0xa1 {
        tried.note("a key agreement whose sender is only named is not supported".to_owned());
        return None;
    }
    let point = originator
        .elements()
        .find(|one| one.tag == BIT_STRING)?
        .content
        .get(1..)?;
    let mut how = how.elements();
    let scheme = how.tagged(tag::OID)?.content;
    let wrap = how.tagged(tag::SEQUENCE)?;
    let wrap_kind = wrap.elements().tagged(tag::OID)?.content;
    let Some(kek_bytes) = (match wrap_kind.strip_prefix(oid::AES) {
        Some([5]) => Some(16),
        Some([25]) => Some(24),
        Some([45]) => Some(32),
        _ => None,
    }) else {
        tried.note(format!("key wrap {} is not supported", oid_text(wrap_kind)));
        return None;
    };
    let shared = shared_secret(curve, pkcs8, point)?;
    // ECC-CMS-SharedInfo ([RFC 5753] 7.2).
    let mut info = encoded(tag::SEQUENCE, wrap.content);
    if let Some(beside) = beside {
        info.extend(encoded(tag::CONTEXT_0, &encoded(tag::OCTETS, beside.content)));
    }
    let bits = (kek_bytes as u32 * 8).to_be_bytes();
    info.extend(encoded(0xa2, &encoded(tag::OCTETS, &bits)));
    let info = encoded(tag::SEQUENCE, &info);
    let kek = match (scheme, scheme.strip_prefix(oid::ECDH)) {
        (scheme, _) if scheme == oid::ECDH_SHA1 => derived::<Sha1>(&shared, &info, kek_bytes),
        (_, Some([0])) => derived::<Sha224>(&shared, &info, kek_bytes),
        (_, Some([1])) => derived::<Sha256>(&shared, &info, kek_bytes),
        (_, Some([2])) => derived::<Sha384>(&shared, &info, kek_bytes),
        (_, Some([3])) => derived::<Sha512>(&shared, &info, kek_bytes),
        _ => {
            tried.note(format!("key agreement {} is not supported", oid_text(scheme)));
            return None;
        }
    };
    let mut keys = keys.elements().take(MAX_RECIPIENTS);
    keys.find_map(|one| {
        let wrapped = one.elements().nth(1).filter(|one| one.tag == tag::OCTETS)?;
        unwrap(&kek, wrapped.content)
    })
}

/// The X coordinate that both sides reach.
fn shared_secret(curve: Algorithm, pkcs8: &[u8], point: &[u8]) -> Option<Vec<u8>> {
    use p256::pkcs8::DecodePrivateKey;
    macro_rules! agree {
        ($curve:ident) => {{
            let ours = $curve::SecretKey::from_pkcs8_der(pkcs8).ok()?;
            let theirs = $curve::PublicKey::from_sec1_bytes(point).ok()?;
            let shared = $curve::ecdh::diffie_hellman(ours.to_nonzero_scalar(), theirs.as_affine());
            Some(shared.raw_secret_bytes().to_vec())
        }};
    }
    match curve {
        Algorithm::P256 => agree!(p256),
        Algorithm::P384 => agree!(p384),
        Algorithm::P521 => agree!(p521),
        Algorithm::Rsa => None,
    }
}

/// The derivation of ANSI X9.63 ([SEC 1] 3.6.1).
fn derived<H: Digest>(shared: &[u8], info: &[u8], count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for counter in 1_u32.. {
        if out.len() >= count {
            break;
        }
        let hash = H::digest([shared, &counter.to_be_bytes()[..], info].concat());
        out.extend_from_slice(&hash);
    }
    out.truncate(count);
    out
}

/// A recipient that is a password ([RFC 3211]): the key twice through the cipher, the second time from its last block.
///
/// # Errors
/// With why no password can be tried, or no more.
fn under_password(recipient: &Element<'_>, password: &str, rounds: &mut usize) -> Result<Option<Vec<u8>>, String> {
    let damaged = || "a recipient that is a password is damaged".to_owned();
    let mut inner = recipient.elements();
    let _version = inner.tagged(tag::INTEGER).ok_or_else(damaged)?;
    let derivation = inner
        .tagged(tag::CONTEXT_0)
        .ok_or("a shared key without a derivation is not supported")?;
    let how = inner.tagged(tag::SEQUENCE).ok_or_else(damaged)?;
    let wrapped = inner.tagged(tag::OCTETS).ok_or_else(damaged)?.content;
    let mut how = how.elements();
    let kind = how.tagged(tag::OID).ok_or_else(damaged)?.content;
    if kind != oid::PASSWORD_KEK {
        return Err(format!("key wrap {} is not supported", oid_text(kind)));
    }
    let cipher = Cipher::read(&how.tagged(tag::SEQUENCE).ok_or_else(damaged)?)
        .map_err(|unknown| format!("{unknown} is not supported"))?;
    let Cipher::Chain { chain, start } = cipher else {
        return Err(format!("{} for a password is not supported", cipher.name()));
    };
    let derivation = pbe::Derivation::read(&derivation).map_err(|unknown| format!("{unknown} is not supported"))?;
    *rounds = rounds.saturating_add(derivation.rounds);
    if *rounds > MAX_ROUNDS {
        return Err("further passwords were not tried: too many rounds".to_owned());
    }
    let kek = derivation.key(password.as_bytes(), chain.key_bytes().unwrap_or(16))?;
    Ok(unwrapped_twice(chain, &kek, &start, wrapped))
}

fn unwrapped_twice(chain: Chain, kek: &[u8], start: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    let size = chain.block_bytes();
    if wrapped.len() < 2 * size || !wrapped.len().is_multiple_of(size) || wrapped.len() > 1024 {
        return None;
    }
    let (front, last) = wrapped.split_at(wrapped.len() - size);
    let before = &front[front.len() - size..];
    let last = chain.decrypt(kek, before, last)?;
    let mut outer = chain.decrypt(kek, &last, front)?;
    outer.extend_from_slice(&last);
    let open = chain.decrypt(kek, start, &outer)?;
    let (head, key) = open.split_first_chunk::<4>()?;
    let key = key.get(..usize::from(head[0]))?;
    let checks = key.len() >= 3 && key.iter().zip(&head[1..]).all(|(key, check)| key ^ check == 0xff);
    checks.then(|| key.to_vec())
}
