//! Which items go to a second reviewer: all that were coded in finished batches, or a sample that anyone can draw again.

use embley_search::sample::{DrawFrom, SampleOptions, draw};
use embley_search::{Scope, Searcher};
use embley_store::facts::batches::{self, State};
use embley_store::facts::codings;
use roaring::RoaringBitmap;

use crate::error::{CaseworkError, Result};

/// How many items are looked at again.
#[derive(Clone, Copy, Debug)]
pub enum Extent<'a> {
    /// All of them.
    All,
    /// So many, drawn by a seed as `sample` draws.
    Sample {
        /// How many.
        size: u64,
        /// Decides which.
        seed: &'a str,
    },
}

/// The items of each first reviewer of a review that are to be looked at again.
///
/// # Errors
/// There is no such review, it has no coding form, or the case cannot be read.
pub fn choose(searcher: &Searcher, review: &str, extent: Extent<'_>) -> Result<Vec<(String, RoaringBitmap)>> {
    let conn = searcher.reader().facts();
    let request = |detail: String| CaseworkError::Request { detail };
    let found = batches::reviews(conn)?
        .into_iter()
        .find(|one| one.name.eq_ignore_ascii_case(review.trim()));
    let found = found.ok_or_else(|| request(format!("there is no review \"{review}\" in this case")))?;
    if found.form.is_empty() {
        return Err(request(format!(
            "review \"{}\" has no coding form, so that a second review has nothing to compare; `batch create --form NAME` gives one",
            found.name
        )));
    }
    let mut by_reviewer: Vec<(String, RoaringBitmap)> = Vec::new();
    for batch in batches::list(conn)? {
        if batch.review != found.name || batch.round != 1 || batch.state != State::Done {
            continue;
        }
        let items = batches::members(conn, batch.batch_id)? & codings::coded(conn, &found.form, &batch.holder)?;
        match by_reviewer.iter_mut().find(|(holder, _)| *holder == batch.holder) {
            Some((_, held)) => *held |= items,
            None => by_reviewer.push((batch.holder, items)),
        }
    }
    let Extent::Sample { size, seed } = extent else {
        return Ok(by_reviewer);
    };
    let failed = |source| CaseworkError::Saved {
        source: Box::new(source),
    };
    let all = by_reviewer
        .iter()
        .fold(RoaringBitmap::new(), |all, (_, items)| all | items);
    let plan = searcher.plan("*").map_err(failed)?.within(all);
    let drawn = draw(
        searcher,
        SampleOptions {
            from: DrawFrom::Hits(&plan),
            scope: Scope::Global,
            searchable_only: false,
            seed,
            size,
        },
    );
    let drawn: RoaringBitmap = drawn.map_err(failed)?.units.iter().map(|unit| unit.item_no).collect();
    for (_, items) in &mut by_reviewer {
        *items &= &drawn;
    }
    Ok(by_reviewer)
}
