//! N14: a message about the case quotes another one that is held, in other words than that one has.
//!
//! From the comparison that threads make when texts are read (`embley_search::threads`): re-wrapping, quoting marks, letter case,
//! punctuation and trimming at either end are no difference, and whole lines left out are not raised. Look-alikes: what mail programs
//! do that would explain a difference (lowers).

use std::collections::BTreeMap;

use embley_model::id::ItemNo;
use embley_search::threads::{Alteration, AlterationKind, ThreadMessage};

use super::draft::{Draft, Weight};
use super::material::CaseFile;
use super::n13::each_thread;
use super::{Context, Rule};
use crate::error::Result;

/// See the module.
pub(super) struct Altered;

impl Rule for Altered {
    fn id(&self) -> &'static str {
        "N14"
    }

    fn reads_mail(&self) -> bool {
        true
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let Some(mail) = context.mail else {
            return Ok(Vec::new());
        };
        let naming = mail.index.naming(mail.searcher, case.name())?;
        let hidden = mail.index.privileged(mail.searcher)?;
        let mut found: BTreeMap<(u32, u32), (ThreadMessage, Vec<Alteration>)> = BTreeMap::new();
        each_thread(mail, &naming, true, |view| {
            for message in view.messages() {
                for one in message
                    .alterations
                    .iter()
                    .filter(|one| one.kind != AlterationKind::LinesLeftOut)
                {
                    let about = naming.contains(message.item_no) || naming.contains(one.original_item);
                    let kept_out = hidden.contains(message.item_no) || hidden.contains(one.original_item);
                    if about && !kept_out {
                        let key = (message.item_no, one.original_item);
                        found
                            .entry(key)
                            .or_insert_with(|| (message.clone(), Vec::new()))
                            .1
                            .push(one.clone());
                    }
                }
            }
        })?;
        Ok(found
            .into_iter()
            .map(|((item, original), (message, all))| raise(case, item, original, &message, &all))
            .collect())
    }
}

fn raise(case: &CaseFile, item: u32, original: u32, message: &ThreadMessage, all: &[Alteration]) -> Draft {
    let date = message.date.as_deref().unwrap_or("undated");
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "item {item} ({date}), in a thread that names case {}, quotes item {original} in words that differ from it",
            case.case_ref
        ),
    )
    .about(message.message_id.as_deref().unwrap_or_default())
    .about(item.to_string())
    .about(original.to_string())
    .item(ItemNo(item))
    .item(ItemNo(original));
    for one in all {
        draft = draft.speaks_for(format!(
            "\"{}\" stands for \"{}\"",
            one.quoted_passage, one.original_passage
        ));
    }
    let explained: Vec<&str> = all.iter().filter_map(|one| one.may_be).collect();
    if explained.len() == all.len() {
        draft = draft.against(
            Weight::Lowers,
            format!("a mail program would explain it: {}", explained.join("; ")),
        );
    }
    draft
        .against(
            Weight::Open,
            "whoever quotes may have corrected a slip of the pen, or quoted another message with nearly the same words",
        )
        .not_searchable("messages whose text cannot be read, and threads of more messages than texts are read for")
}
