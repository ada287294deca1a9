//! Messages of Outlook: MSG and TNEF files, each with one member whose bytes are a bundle; for PST and OST see `store`.
//!
//! Not for: what a message says (`mapi`). Main function: [`open`].

use std::io;

use embley_mapi::{Message, msg, tnef};

use super::message::Share;
use super::source::JobSource;
use super::store;
use crate::mapi::bundle;
use crate::opened::{Member, Members, OpenLimits, Opened};

/// What a media type is, of those that are read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    Msg,
    Tnef,
    Pst,
}

/// The reader for a media type, if it is one of these.
pub(super) fn format_of(media_type: &str) -> Option<Outlook> {
    match media_type {
        "application/vnd.ms-outlook" | "application/x-msg" => Some(Outlook::Msg),
        "application/vnd.ms-tnef" | "application/ms-tnef" => Some(Outlook::Tnef),
        media_type if store::is_store(media_type) => Some(Outlook::Pst),
        _ => None,
    }
}

/// Opens any of them.
///
/// # Errors
/// When the taker cannot go on, or the source cannot be read at all.
pub(super) fn open(
    format: Outlook,
    source: &JobSource,
    limits: &OpenLimits,
    members: &mut dyn Members,
) -> io::Result<Opened> {
    match format {
        Outlook::Msg => message(&msg::read(&source.to_vec()?), "msg/1", members),
        Outlook::Tnef => message(&tnef::read(&source.to_vec()?).message, "tnef/1", members),
        Outlook::Pst => store::read(source, limits, Share::WHOLE, members, &mut |_| {}),
    }
}

fn message(message: &Message, reader: &str, members: &mut dyn Members) -> io::Result<Opened> {
    let bytes = bundle::write(message, &[]);
    members.member(Member::default(), &mut bytes.as_slice())?;
    Ok(Opened {
        reader: reader.to_owned(),
        ..Opened::default()
    })
}
