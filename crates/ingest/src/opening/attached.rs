//! Messages and mailboxes that were attached as plain files: containers whose one member is the file itself.
//!
//! The member goes the way of every file, which reads messages and mailboxes. Nothing is parsed here, so no worker is asked. Not for: messages sent as messages,
//! which the reader of mail opens in place. Invariant: the member has the exact bytes of the attachment, so that the same message found elsewhere is the same item;
//! what is kept of the opening of such bytes is about the attachment, never about that message.

use std::fs::File;
use std::io;

use embley_formats::opened::{Member, Members, Opened};
use embley_formats::probe::{FileKind, mail_type};
use embley_model::item::ItemKind;

use super::stored::{StoredOpening, UNOPENED};

/// Name and version of this reader.
pub(crate) const READER: &str = "attached/1";

/// True for an attachment whose content is a message or a mailbox. A message is an item of its own; its text is opened for another reason.
pub(crate) fn is_mail(kind: ItemKind, media_type: &str) -> bool {
    let types = [FileKind::Message, FileKind::Mailbox].map(mail_type);
    kind != ItemKind::Email && types.contains(&Some(media_type))
}

/// True for an opening that says nothing of a message with the same bytes.
pub(crate) fn is_about_the_attachment(opening: &StoredOpening) -> bool {
    opening.opened.reader == READER
        || (opening.opened.reader == UNOPENED && is_mail(ItemKind::Attachment, &opening.media_type))
}

/// Hands on the file as its own member.
///
/// # Errors
/// When the taker cannot go on.
pub(crate) fn hand_on(input: &File, media_type: &str, members: &mut dyn Members) -> io::Result<Opened> {
    let is_message = mail_type(FileKind::Message) == Some(media_type);
    let path: &[u8] = if is_message { b"message" } else { b"mailbox.mbox" };
    let member = Member {
        path: path.to_vec(),
        ..Member::default()
    };
    members.member(member, &mut &*input)?;
    Ok(Opened {
        reader: READER.to_owned(),
        ..Opened::default()
    })
}
