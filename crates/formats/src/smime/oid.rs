//! Object identifiers that the reader of encrypted content knows, as they are encoded.

/// `pkcs1 rsaEncryption` ([RFC 8017] A.1).
pub(super) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
/// `id-RSAES-OAEP` ([RFC 8017] A.2.1).
pub(super) const OAEP: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07";
/// `id-ecPublicKey` ([RFC 5480] 2.1.1).
pub(super) const EC_PUBLIC_KEY: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
pub(super) const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
pub(super) const P384: &[u8] = b"\x2b\x81\x04\x00\x22";
pub(super) const P521: &[u8] = b"\x2b\x81\x04\x00\x23";
/// `id-data` and `id-encryptedData` ([RFC 5652]).
pub(super) const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
pub(super) const ENCRYPTED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";
/// Arc of the bags of PKCS #12 ([RFC 7292] D).
pub(super) const BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01";
/// Arc of PKCS #12's encryption with passwords.
pub(super) const PKCS12_PBE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01";
/// Arc of PKCS #5.
pub(super) const PKCS5: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05";
/// Arc of RSA's digests and their HMACs.
pub(super) const RSA_DIGEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02";
/// Arc of RSA's ciphers.
pub(super) const RSA_CIPHER: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x03";
/// `desCBC` of OIW.
pub(super) const DES_CBC: &[u8] = b"\x2b\x0e\x03\x02\x07";
pub(super) const SHA1: &[u8] = b"\x2b\x0e\x03\x02\x1a";
/// Arc of the hashes of NIST ([RFC 5754] 2).
pub(super) const NIST_HASH: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02";
/// Arc of AES ([RFC 3565], [RFC 5084], [RFC 3394] wraps).
pub(super) const AES: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01";
/// `id-alg-PWRI-KEK` ([RFC 3211]).
pub(super) const PASSWORD_KEK: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x09";
/// `dhSinglePass-stdDH-sha1kdf-scheme` ([RFC 5753] 7.1.4).
pub(super) const ECDH_SHA1: &[u8] = b"\x2b\x81\x05\x10\x86\x48\x3f\x00\x02";
/// Arc of the same with newer hashes.
pub(super) const ECDH: &[u8] = b"\x2b\x81\x04\x01\x0b";
