//! The people of the fictional Vale of Tarrow Constabulary and those who write to it.
//!
//! Person numbers below the size of the staff are staff (the first of them are the custodians); all above are members
//! of the public and firms. Everything about a person is a function of the number. Nobody here exists.

use crate::calendar::london_offset;
use crate::rng::{Rng, mix};
use crate::wordlist::{FAMILY_NAMES, FIRST_NAMES, OUTSIDE_DOMAINS, RANKS, UNITS};

/// The mail domain of the force.
pub(crate) const FORCE_DOMAIN: &str = "tarrowvale.police.example";
/// The name of the force.
pub(crate) const FORCE_NAME: &str = "Vale of Tarrow Constabulary";

/// People by number.
#[derive(Clone, Copy)]
pub(crate) struct People {
    pub(crate) staff: u32,
}

impl People {
    /// Given name and family name.
    pub(crate) fn name(self, person: u32) -> (&'static str, &'static str) {
        let number = if person < self.staff {
            person as usize
        } else {
            (mix(u64::from(person)) >> 20) as usize
        };
        let (row, column) = (number / FIRST_NAMES.len(), number % FIRST_NAMES.len());
        // 49 and 96 have no common factor: the first 48 x 96 numbers give as many different names.
        let family = (49 * (row % FAMILY_NAMES.len()) + column) % FAMILY_NAMES.len();
        (FIRST_NAMES[column], FAMILY_NAMES[family])
    }

    /// Appends `first.last@domain`.
    pub(crate) fn write_address(self, out: &mut Vec<u8>, person: u32) {
        let (first, family) = self.name(person);
        let start = out.len();
        out.extend_from_slice(first.as_bytes());
        out.push(b'.');
        out.extend_from_slice(family.as_bytes());
        if person >= self.staff {
            crate::calendar::write_number(out, u64::from(person - self.staff), 1);
        }
        out[start..].make_ascii_lowercase();
        out.push(b'@');
        out.extend_from_slice(self.domain(person).as_bytes());
    }

    /// The address as text.
    pub(crate) fn address(self, person: u32) -> String {
        let mut out = Vec::new();
        self.write_address(&mut out, person);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Appends `"Family, First" <address>`, or the other habits of mail programs.
    pub(crate) fn write_mailbox(self, out: &mut Vec<u8>, person: u32) {
        let (first, family) = self.name(person);
        match mix(u64::from(person) ^ 0xadd7) % 4 {
            0 => {
                out.push(b'"');
                out.extend_from_slice(family.as_bytes());
                out.extend_from_slice(b", ");
                out.extend_from_slice(first.as_bytes());
                out.extend_from_slice(b"\" <");
            }
            1 => out.push(b'<'),
            _ => {
                out.extend_from_slice(first.as_bytes());
                out.push(b' ');
                out.extend_from_slice(family.as_bytes());
                out.extend_from_slice(b" <");
            }
        }
        self.write_address(out, person);
        out.push(b'>');
    }

    /// The mail domain of a person.
    pub(crate) fn domain(self, person: u32) -> &'static str {
        if person < self.staff {
            FORCE_DOMAIN
        } else {
            OUTSIDE_DOMAINS[(mix(u64::from(person) ^ 0xd0a1) % OUTSIDE_DOMAINS.len() as u64) as usize]
        }
    }

    /// Rank or grade.
    pub(crate) fn rank(self, person: u32) -> &'static str {
        RANKS[(mix(u64::from(person) ^ 0x7a4c) % RANKS.len() as u64) as usize]
    }

    /// Unit.
    pub(crate) fn unit(self, person: u32) -> &'static str {
        UNITS[(mix(u64::from(person) ^ 0x0417) % UNITS.len() as u64) as usize]
    }

    /// The zone in which a person's mail program writes, minutes east of UTC.
    pub(crate) fn offset(self, person: u32, unix_secs: i64) -> i32 {
        if person < self.staff {
            return london_offset(unix_secs);
        }
        match mix(u64::from(person) ^ 0x20e) % 16 {
            0 => -300,
            1 => 120,
            2 => 330,
            3 | 4 => 0,
            _ => london_offset(unix_secs),
        }
    }

    /// `quillfeather-ardwen`: the folder of a custodian.
    pub(crate) fn slug(self, person: u32) -> String {
        let (first, family) = self.name(person);
        format!("{family}-{first}").to_ascii_lowercase()
    }

    /// Someone of the staff.
    pub(crate) fn some_staff(self, rng: &mut Rng) -> u32 {
        // The commoner half of the time one of the first: some people write much more than others.
        let first = rng.below(self.staff);
        if rng.bits() & 1 == 0 {
            rng.below(first + 1)
        } else {
            first
        }
    }

    /// Someone outside; the number of different ones grows with the number of questions, without an end.
    pub(crate) fn some_outsider(self, rng: &mut Rng) -> u32 {
        let octave = (rng.bits() & rng.bits()).trailing_ones().min(16) + (rng.bits() as u32 & 3);
        self.staff + rng.below(64 << octave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_one_of_the_staff_has_an_address_of_their_own() {
        let people = People { staff: 4608 };
        let addresses: HashSet<String> = (0..4608).map(|person| people.address(person)).collect();
        assert_eq!(addresses.len(), 4608);
        assert!(
            addresses
                .iter()
                .all(|address| address.ends_with("@tarrowvale.police.example"))
        );
    }
}
