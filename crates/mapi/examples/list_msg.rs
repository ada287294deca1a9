//! Prints what message files say, one line and its attachments each: `list_msg FILE...` (MSG, OFT, TNEF).

#![expect(clippy::print_stdout, reason = "an example for people")]

use embley_mapi::view::View;
use embley_mapi::{Content, Message, msg, tnef};
use embley_model::date::rfc3339;

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        println!("== {path}");
        let message = if tnef::has_signature(&bytes) {
            tnef::read(&bytes).message
        } else {
            msg::read(&bytes)
        };
        show(&message, None, 1);
    }
    Ok(())
}

fn show(message: &Message, page: Option<u32>, depth: usize) {
    let view = View::of(message, page);
    let pad = "   ".repeat(depth);
    println!("{pad}{} | {} | {:?}", view.class, view.kind.text(), view.subject);
    for (label, person) in [("sender", &view.sender), ("representing", &view.representing)] {
        if let Some(person) = person {
            println!(
                "{pad}{label} {:?} smtp {:?} {} {:?}",
                person.name, person.smtp, person.address_type, person.address
            );
        }
    }
    for one in &view.recipients {
        println!(
            "{pad}{:?} {:?} smtp {:?} {}",
            one.role, one.person.name, one.person.smtp, one.person.address
        );
    }
    let date = |seconds: Option<i64>| seconds.and_then(rfc3339).unwrap_or_default();
    println!(
        "{pad}sent {} delivered {} created {} modified {} | read {} draft {} importance {:?}",
        date(view.submitted),
        date(view.delivered),
        date(view.created),
        date(view.modified),
        view.read,
        view.draft,
        view.importance
    );
    println!(
        "{pad}id {:?} headers {} thread index {} categories {:?} page {}",
        view.message_id,
        view.headers.as_ref().map_or(0, String::len),
        view.conversation_index.as_ref().map_or(0, Vec::len),
        view.categories,
        view.page
    );
    let length = |text: Option<&String>| text.map_or(0, |text| text.chars().count());
    let rtf = view.bodies.rtf.as_ref();
    println!(
        "{pad}bodies: plain {} html {} rtf {} ({:?}, html {}) -> {:?} {:?}",
        length(view.bodies.plain.as_ref()),
        length(view.bodies.html.as_ref()),
        length(rtf.map(|rtf| &rtf.text)),
        rtf.map(|rtf| rtf.encapsulated),
        length(rtf.and_then(|rtf| rtf.html.as_ref())),
        view.bodies.source,
        view.bodies
            .best_text()
            .or(view.bodies.best_html())
            .unwrap_or_default()
            .trim()
            .chars()
            .take(60)
            .collect::<String>()
    );
    for field in &view.fields {
        println!("{pad}{}: {:?}", field.label, field.value);
    }
    if let Some(secured) = view.secured {
        println!("{pad}{secured:?} in attachment {:?}", view.wrapped_in);
    }
    for defect in message.defects.iter().chain(&view.defects) {
        println!("{pad}! {} {}", defect.code.text(), defect.detail);
    }
    for (attachment, seen) in message.attachments.iter().zip(&view.attachments) {
        let content = match &attachment.content {
            Content::None => "nothing".to_owned(),
            Content::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Content::Message(_) => "a message".to_owned(),
            Content::Ole(bytes) => format!("an object of {} bytes", bytes.len()),
            Content::TooLong(length) => format!("{length} bytes, not read"),
        };
        println!(
            "{pad}- {:?} {} {} hidden {}",
            seen.name, seen.media_type, content, seen.hidden
        );
        for defect in &attachment.defects {
            println!("{pad}  ! {} {}", defect.code.text(), defect.detail);
        }
        if let Content::Message(inner) = &attachment.content {
            show(inner, Some(view.page), depth + 2);
        }
    }
}
