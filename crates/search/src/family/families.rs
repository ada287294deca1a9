//! Where families begin and end, and the way between members and top-level items on machine words.
//!
//! A family is a run of consecutive item numbers that begins with its top-level item, so the top-level items as bits cut the items as
//! bits into families. One addition a word finds all families of the word that hold a bit (its carry runs through exactly the family),
//! and one addition fills families from their first item: no item is looked at by itself. Main type: [`Families`]. Invariant: an item
//! beyond the last one belongs to no family.

use embley_index::ItemBits;
use roaring::RoaringBitmap;

/// The families of a case at one moment. A record or a loose file is a family of one.
#[derive(Clone, Debug)]
pub struct Families {
    /// Top-level items; long enough for the item behind the last one.
    roots: Vec<u64>,
    next_item: u32,
    /// Members of families that nobody is to see.
    hidden: ItemBits,
}

impl Families {
    /// The families that begin at these items; the last one ends before `next_item`.
    pub fn new(roots: &RoaringBitmap, next_item: u32) -> Self {
        let bits = ItemBits::from_bitmap(roots);
        let mut words = bits.words().to_vec();
        words.resize(next_item as usize / 64 + 1, 0);
        let mut families = Self {
            roots: words,
            next_item,
            hidden: ItemBits::default(),
        };
        let last = families.roots.len() - 1;
        families.roots[last] &= families.seen(last);
        families
    }

    /// The same families, of which those of these items are in no answer. Where they begin still ends the families before them.
    #[must_use]
    pub fn without(mut self, hidden: &RoaringBitmap) -> Self {
        self.hidden = ItemBits::from_bitmap(hidden);
        self
    }

    /// All top-level items that are not hidden.
    pub fn roots(&self) -> ItemBits {
        self.seen_of(ItemBits::from_words(self.roots.clone()))
    }

    /// What is not hidden of these items.
    pub(crate) fn seen_of(&self, mut items: ItemBits) -> ItemBits {
        if !self.hidden.is_empty() {
            items.and_not(&self.hidden);
        }
        items
    }

    /// The top-level items of the families that hold any of these items.
    pub fn roots_of(&self, items: &ItemBits) -> ItemBits {
        let mut found = vec![0; self.roots.len()];
        let mut carry = false;
        // From the last item to the first, with the bits of each word mirrored: so a family ends with its top-level item.
        for (at, root) in self.roots.iter().enumerate().rev() {
            let end = root.reverse_bits();
            let has = (items.word(at) & self.seen(at)).reverse_bits();
            // In each family, all bits below its end are ones: adding the items that it has, any of them makes a carry into the end,
            // which takes it up; so no carry leaves a family.
            let (sum, first) = (has & !end).overflowing_add(!end);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first | second;
            found[at] = ((sum | has) & end).reverse_bits();
        }
        self.seen_of(ItemBits::from_words(found))
    }

    /// All members of the families of these top-level items; of what is none, nothing.
    pub fn members_of(&self, roots: &ItemBits) -> ItemBits {
        let mut members = vec![0; self.roots.len()];
        let (mut carry, mut begins) = (false, 0);
        for (at, root) in self.roots.iter().enumerate() {
            let chosen = roots.word(at) & root;
            let parts = !root & self.seen(at);
            // Parts are runs of ones. One added right behind a chosen root turns its run to zeros and stops behind it, at a root.
            let (sum, first) = parts.overflowing_add(chosen << 1 | begins);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first | second;
            begins = chosen >> 63;
            members[at] = (parts & !sum) | chosen;
        }
        self.seen_of(ItemBits::from_words(members))
    }

    /// The top-level item of an item's family; `None` for a number that no item has.
    pub fn root_of(&self, item: u32) -> Option<u32> {
        if item >= self.next_item {
            return None;
        }
        let mut at = (item / 64) as usize;
        let mut word = self.roots[at] & (u64::MAX >> (63 - item % 64));
        while word == 0 {
            at = at.checked_sub(1)?;
            word = self.roots[at];
        }
        Some(at as u32 * 64 + (63 - word.leading_zeros()))
    }

    /// The first number behind the family of a top-level item.
    pub fn end_of(&self, root: u32) -> u32 {
        let from = root.saturating_add(1);
        let first = (from / 64) as usize;
        for at in first..self.roots.len() {
            let mut word = self.roots[at];
            if at == first {
                word &= u64::MAX << (from % 64);
            }
            if word != 0 {
                return at as u32 * 64 + word.trailing_zeros();
            }
        }
        self.next_item
    }

    /// The numbers of this word that items have.
    #[inline]
    fn seen(&self, at: usize) -> u64 {
        if at == self.next_item as usize / 64 {
            (1 << (self.next_item % 64)) - 1
        } else {
            u64::MAX
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn families(sizes: &[u32]) -> (Families, Vec<u32>) {
        let (mut roots, mut root_of) = (RoaringBitmap::new(), vec![0]);
        let mut next = 1;
        for size in sizes {
            roots.insert(next);
            root_of.extend(std::iter::repeat_n(next, *size as usize));
            next += size;
        }
        (Families::new(&roots, next), root_of)
    }

    #[test]
    fn a_case_without_items_has_no_families() {
        let (none, _) = families(&[]);
        let items: ItemBits = [0, 1, 70].into_iter().collect();
        assert!(none.roots_of(&items).is_empty());
        assert!(none.members_of(&items).is_empty());
        assert_eq!(none.root_of(1), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn the_way_between_members_and_roots_is_that_of_each_item(
            // Families of one, of a few, and such that go over several words.
            sizes in prop::collection::vec(prop_oneof![3 => Just(1_u32), 3 => 1_u32..6, 1 => 60_u32..200], 0..60),
            picked in prop::collection::vec(0_u32..4000, 0..40),
        ) {
            let (families, root_of) = families(&sizes);
            let known = |item: &&u32| **item > 0 && (**item as usize) < root_of.len();
            let items: ItemBits = picked.iter().copied().collect();
            let expected: ItemBits = picked.iter().filter(known).map(|item| root_of[*item as usize]).collect();
            let found = families.roots_of(&items);
            prop_assert_eq!(&found, &expected);
            let members: ItemBits = (1..root_of.len() as u32).filter(|item| found.contains(root_of[*item as usize])).collect();
            prop_assert_eq!(families.members_of(&found), members);
            // What is no root chooses no family.
            let chosen = families.members_of(&items);
            let meant: ItemBits = (1..root_of.len() as u32)
                .filter(|item| items.contains(root_of[*item as usize]))
                .collect();
            prop_assert_eq!(chosen, meant);
            for item in picked.iter().copied().chain([0, 1]) {
                let root = root_of.get(item as usize).copied().filter(|root| *root > 0);
                prop_assert_eq!(families.root_of(item), root);
                if let Some(root) = root {
                    let end = root_of.iter().rposition(|one| *one == root).map_or(0, |last| last + 1);
                    prop_assert_eq!(families.end_of(root) as usize, end);
                }
            }
        }
    }
}
