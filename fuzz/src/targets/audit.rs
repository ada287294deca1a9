//! What the audit log reads back: entries, checkpoints, proofs, time-stamp responses.

use embley_store::audit::{Checkpoint, Entry, Proof, Token};

use super::ensure;
use crate::target::Target;

const ENTRY: &[u8] = b"{\"at\":\"2023-11-14T22:13:20.123456Z\",\"at_micros\":1700000000123456,\"case\":\"00000000000000000000000000000000\",\
\"event\":{\"command\":\"search\",\"kind\":\"intent\",\"parameters\":{\"query\":\"a\"}},\
\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"seq\":0,\"tool\":\"embley 0\",\"uid\":0,\"v\":1,\"who\":\"a\"}";
const PROOF: &[u8] =
    b"c2sp.org/tlog-proof@v1\nindex 1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nexample.com/log\n20852163\n\
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\xe2\x80\x94 example.com/log \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
/// As far as the status: granted.
const RESPONSE: &[u8] = &[0x30, 0x0c, 0x30, 3, 2, 1, 0, 0x30, 5, 6, 1, 42, 0xa0, 0];

pub(super) const AUDIT: Target = Target {
    max_bytes: 16 << 10,
    words: &[
        b"\"seq\":",
        b"\"kind\":\"outcome\"",
        b"\"of\":null",
        b"\"result\":{}",
        b"18446744073709551615",
        b"\\u0000",
        b"\n\n",
        b"\xe2\x80\x94 ",
        b"index ",
        b"extra ",
        b"\x30\x80",
        b"\x30\x84\xff\xff\xff\xff",
        b"\xa0\x82\x01\x00",
    ],
    made: || vec![ENTRY.to_vec(), PROOF.to_vec(), RESPONSE.to_vec()],
    ..Target::new("audit", "what is read is written again as the same bytes", |bytes| {
        if let Ok(entry) = Entry::from_line(bytes) {
            let again = entry
                .to_line()
                .map_err(|error| format!("cannot be written again: {error}"))?;
            ensure(again.as_bytes() == bytes, || format!("another line: {again}"))?;
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            if let Ok(checkpoint) = Checkpoint::parse(text) {
                let again = checkpoint.to_note();
                ensure(again == text, || format!("another note: {again}"))?;
            }
            if let Ok(proof) = Proof::parse(text) {
                let again = Proof::parse(&proof.to_text());
                ensure(again.as_ref() == Ok(&proof), || format!("another proof: {again:?}"))?;
            }
        }
        drop(Token::parse(bytes));
        Ok(())
    })
};
