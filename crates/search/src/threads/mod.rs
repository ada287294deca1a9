//! Threads and near-duplicates: who answers whom, for which reason, and what is missing or different.
//!
//! Start reading at [`link`] (columns to links, pure), then [`renew`] (a whole case, as derived tables), then [`ThreadView`] (one
//! thread with texts). Not for: joining by subject, and conclusions: words for people say what stands where. Invariant: every link
//! has a reason, and whatever is kept here can be deleted and made again from the evidence.

mod align;
mod compare;
mod inclusive;
mod link;
mod messages;
mod missing;
mod near;
mod own;
mod passage;
mod quote;
mod row;
mod shingles;
mod step;
mod stored;
mod view;

pub use compare::{LEAST_WHOLE, LEAST_WORDS};
pub use inclusive::Inclusion;
pub use link::{Quotation, link};
pub use messages::{Messages, MessagesError, NewMessage};
pub use missing::MissingMessage;
pub use near::{NEAR_THRESHOLD, NearRow, Sketches, jaccard};
pub use own::own_text;
pub use passage::{Alteration, AlterationKind};
pub use row::{LinkRow, Oddities, Reason, THREADS_VERSION};
pub use shingles::{MOST_RUNS, Shingles};
pub use step::{Renewal, Table, ThreadSummary, renew};
pub use stored::{StoredThreads, ThreadId, near_group};
pub use view::{NodeKind, NotFoundWith, ThreadMessage, ThreadNode, ThreadView};
