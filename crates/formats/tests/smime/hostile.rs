//! Damaged and made-up bytes: nothing panics, everything ends, nothing is made up.

use embley_formats::opened::OpenLimits;
use embley_formats::smime::{self, kind_of};

use crate::{compressed, der, opened, sample};

const SAMPLES: [&str; 12] = [
    "signed.der",
    "signed.ber",
    "signed.pem",
    "detached.p7s",
    "certificates.p7b",
    "enveloped-many.der",
    "auth-enveloped.der",
    "encrypted.asc",
    "encrypted.gpg",
    "signed.pgp",
    "signed.asc",
    "bzip2.pgp",
];

/// xorshift64*, so that a seed is all that a failure needs.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

#[test]
fn cut_files_give_the_beginning_of_their_content() {
    let entity = sample("entity.txt");
    for name in SAMPLES {
        let whole = sample(name);
        for end in 0..whole.len() {
            kind_of(&whole[..end]);
            let (opened, kept) = opened(&whole[..end], &OpenLimits::default());
            assert!(kept.0.len() <= 1, "{name} {end}");
            assert!(kept.0.iter().all(|one| entity.starts_with(&one.1)), "{name} {end}");
            let armoured = whole.starts_with(b"-----");
            assert!(
                armoured || !opened.defects.is_empty(),
                "{name} {end} is cut and nothing is said"
            );
        }
    }
}

#[test]
fn flipped_bits_do_no_harm() {
    let mut random = Random(0x5eed);
    let mut samples: Vec<_> = SAMPLES.iter().map(|name| sample(name)).collect();
    samples.push(compressed(&sample("entity.txt")));
    for _ in 0..20_000 {
        let mut bytes = samples[random.below(samples.len())].clone();
        for _ in 0..=random.below(6) {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        kind_of(&bytes);
        opened(&bytes, &OpenLimits::default());
    }
}

#[test]
fn deep_nesting_and_long_lists_cost_a_pass() {
    let open = [0x30, 0x80].repeat(2_000_000);
    assert_eq!(kind_of(&open), None);
    opened(&open, &OpenLimits::default());
    const SIGNED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    let pieces = [b"\x24\x80".repeat(500_000), b"\x04\x01x".repeat(500_000)].concat();
    let content = der(0x24, &[&pieces]);
    let nobody = der(0x30, &[]).repeat(300_000);
    let data = der(
        0x30,
        &[
            b"\x02\x01\x01",
            &der(0x31, &[b"\x30\0"]),
            &der(0x30, &[DATA, &der(0xa0, &[&content])]),
            &der(0xa0, &[&nobody]),
            &der(0x31, &[&nobody]),
        ],
    );
    let (opened, kept) = opened(&der(0x30, &[SIGNED, &der(0xa0, &[&data])]), &OpenLimits::default());
    assert_eq!(kept.0[0].1.len(), 500_000);
    assert!(opened.defects.len() < 20, "{}", opened.defects.len());
}

#[test]
fn what_is_none_of_these_is_left_alone() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..random.below(64)).map(|_| random.below(256) as u8).collect();
        if let Some(kind) = kind_of(&bytes) {
            assert!(smime::is_read(kind.media_type));
        }
        opened(&bytes, &OpenLimits::default());
    }
    for text in [
        "MIDSUMMER NIGHT'S DREAM\n",
        "0 of them\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n",
        "",
    ] {
        assert_eq!(kind_of(text.as_bytes()), None, "{text}");
    }
}
