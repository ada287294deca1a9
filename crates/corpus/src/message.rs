//! One message as bytes: headers, the form of its body, and the facts that the truth counts.
//!
//! Invariant: the bytes of version `v` of message `n` depend on the config, `n` and `v` only.

use crate::body::{write_greeting, write_html, write_own, write_planted, write_quote, write_signature};
use crate::cases::case_ref_of;
use crate::config::BoxFormat;
use crate::encode::{Charset, write_base64_lines, write_quoted_printable};
use crate::needle::{Needle, NeedlePlace, PHRASES};
use crate::parts::{attachment_kind, close_parts, open_part, write_multipart_type, write_part_head, write_text_part};
use crate::plan::{Block, Planner, Slot, Sort, Thread};
use crate::rng::{Purpose, Rng, mix, threshold};
use crate::text::Wrap;
use crate::truth::BrokenKind;
use crate::wordlist::{CYRILLIC, GB, LATIN};
use crate::words::Vocabulary;

/// In which form the body of an ordinary message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Plain,
    Flowed,
    Utf8,
    Utf8QuotedPrintable,
    Base64,
    Latin1,
    Windows1252,
    Koi8R,
    Gb2312,
    Undeclared,
    HtmlAlternative,
    HtmlOnly,
}

impl Form {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Flowed => "flowed",
            Self::Utf8 => "utf-8",
            Self::Utf8QuotedPrintable => "utf-8-quoted-printable",
            Self::Base64 => "base64",
            Self::Latin1 => "iso-8859-1",
            Self::Windows1252 => "windows-1252",
            Self::Koi8R => "koi8-r",
            Self::Gb2312 => "gb2312",
            Self::Undeclared => "undeclared-8-bit",
            Self::HtmlAlternative => "html-alternative",
            Self::HtmlOnly => "html-only",
        }
    }
}

/// In which item of a message something was planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Message,
    Attachment,
    Nested,
}

/// What is in a message, as the truth counts it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) attachment_types: Vec<&'static str>,
    pub(crate) nested: u64,
    pub(crate) without_text: bool,
    pub(crate) bounce: bool,
    pub(crate) broken: Option<BrokenKind>,
    pub(crate) form: Option<Form>,
    pub(crate) from_line: bool,
    /// Number of the phrase, where, and whether it is the phrase (else its words out of order).
    pub(crate) phrases: Vec<(usize, Holder, bool)>,
    pub(crate) needle: Option<usize>,
    /// Cases named, and whether in the subject.
    pub(crate) cases: Vec<(u32, bool)>,
    /// Sent time, when the header says it readably.
    pub(crate) dated: Option<i64>,
}

impl Facts {
    fn clear(&mut self) {
        self.attachment_types.clear();
        self.phrases.clear();
        self.cases.clear();
        self.nested = 0;
        self.without_text = false;
        self.bounce = false;
        self.broken = None;
        self.form = None;
        self.from_line = false;
        self.needle = None;
        self.dated = None;
    }
}

/// Which message to make.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) block: &'a Block,
    pub(crate) slot: &'a Slot,
    pub(crate) number: u64,
    /// 0, or 1 for the version that came over a list.
    pub(crate) version: u8,
    /// Custodians beyond the people of the conversation who have a copy.
    pub(crate) also_to: &'a [u32],
    /// The message is to hold a line that looks like a separator.
    pub(crate) from_line: bool,
}

impl<'a> Target<'a> {
    pub(crate) fn thread(&self) -> &'a Thread {
        self.block.thread_of(self.slot)
    }
}

/// Thresholds of the forms, in the order in which they are asked.
struct FormShares {
    alternative: u64,
    html_only: u64,
    flowed: u64,
    odd: u64,
    attachments: u64,
}

/// Makes messages; holds the vocabulary and buffers.
pub(crate) struct Renderer {
    pub(crate) vocabulary: Vocabulary,
    shares: FormShares,
    pub(crate) facts: Facts,
    pub(crate) text: Vec<u8>,
    pub(crate) scratch: Vec<u8>,
}

impl Renderer {
    pub(crate) fn new(planner: &Planner) -> Self {
        let s = &planner.config.shares;
        // Each share is asked of what the ones before it left over.
        let left = |taken: f64| if taken >= 1.0 { 1.0 } else { 1.0 - taken };
        let html = s.html_alternative;
        let both = html + s.html_only;
        Self {
            vocabulary: Vocabulary::new(),
            shares: FormShares {
                alternative: threshold(html),
                html_only: threshold(s.html_only / left(html)),
                flowed: threshold(s.flowed / left(both)),
                odd: threshold(s.odd_charsets / left(both + s.flowed)),
                attachments: threshold(s.attachments),
            },
            facts: Facts::default(),
            text: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Replaces `out` by the message and the facts by its own.
    pub(crate) fn render(&mut self, planner: &Planner, target: &Target<'_>, out: &mut Vec<u8>) {
        out.clear();
        self.facts.clear();
        match target.thread().sort {
            Sort::Ordinary => self.render_ordinary(planner, target, out),
            Sort::Bounce => self.render_bounce(planner, target, out),
            Sort::WithoutText => self.render_without_text(planner, target, out),
            Sort::Broken(kind) => self.render_broken(planner, target, kind, out),
        }
    }

    fn render_ordinary(&mut self, planner: &Planner, target: &Target<'_>, out: &mut Vec<u8>) {
        let mut rng = Rng::new(planner.config.seed, Purpose::Form, target.number);
        let needle = planner.needles.of(target.number);
        self.facts.needle = needle.map(|(number, _)| number);
        let needle = needle.map(|(_, needle)| needle);
        let form = self.choose_form(needle, &mut rng);
        self.facts.form = Some(form);
        let attachments = if needle.is_some_and(|needle| !needle.place.part().is_empty()) {
            1
        } else if rng.chance(self.shares.attachments) {
            1 + rng.below(8) / 6
        } else {
            0
        };
        self.write_headers(planner, target, needle, out);
        let boundary = format!("----=_Part_{:x}_{}", mix(target.number) >> 40, target.number);
        if attachments > 0 {
            write_multipart_type(out, "multipart/mixed", &boundary);
            out.extend_from_slice(b"\nThis is a multi-part message in MIME format.\n");
            open_part(out, &boundary);
        }
        let holder = if attachments == 0 {
            Holder::Message
        } else {
            attachment_kind(planner, target.number, 0, needle).holder()
        };
        self.compose(planner, target, form, needle, holder == Holder::Message, &mut rng);
        self.write_body(form, needle, &boundary, out);
        for nth in 0..attachments {
            open_part(out, &boundary);
            self.write_attachment(planner, target, nth, needle, out);
        }
        if attachments > 0 {
            close_parts(out, &boundary);
        }
    }

    fn choose_form(&self, needle: Option<&Needle>, rng: &mut Rng) -> Form {
        if let Some(needle) = needle {
            return match needle.place {
                NeedlePlace::BodyBase64 => Form::Base64,
                NeedlePlace::BodySoftBreak => Form::Utf8QuotedPrintable,
                NeedlePlace::BodyFlowed => Form::Flowed,
                NeedlePlace::BodyLatin1 => Form::Latin1,
                NeedlePlace::BodyWindows1252 => Form::Windows1252,
                NeedlePlace::BodyKoi8R => Form::Koi8R,
                NeedlePlace::BodyGb2312 => Form::Gb2312,
                NeedlePlace::BodyUndeclared => Form::Undeclared,
                NeedlePlace::HtmlOnly => Form::HtmlOnly,
                NeedlePlace::HtmlAlternative => Form::HtmlAlternative,
                _ => Form::Plain,
            };
        }
        if rng.chance(self.shares.alternative) {
            return Form::HtmlAlternative;
        }
        if rng.chance(self.shares.html_only) {
            return Form::HtmlOnly;
        }
        if rng.chance(self.shares.flowed) {
            return Form::Flowed;
        }
        if rng.chance(self.shares.odd) {
            let odd = [
                Form::Latin1,
                Form::Latin1,
                Form::Windows1252,
                Form::Windows1252,
                Form::Koi8R,
                Form::Gb2312,
                Form::Undeclared,
            ];
            return *rng.pick(&odd);
        }
        match rng.below(16) {
            0 => Form::Utf8,
            1 => Form::Utf8QuotedPrintable,
            2 => Form::Base64,
            _ => Form::Plain,
        }
    }

    /// Puts the plain text of the body, in UTF-8, into `self.text`.
    fn compose(
        &mut self,
        planner: &Planner,
        target: &Target<'_>,
        form: Form,
        needle: Option<&Needle>,
        phrases_here: bool,
        rng: &mut Rng,
    ) {
        let people = planner.people;
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let sender = target.slot.sender;
        let to = target
            .thread()
            .people
            .iter()
            .copied()
            .find(|person| *person != sender)
            .unwrap_or(sender);
        write_greeting(&mut text, people, to, rng);
        let wrap = if form == Form::Flowed { Wrap::Flowed } else { Wrap::Hard };
        write_own(&mut text, planner, &self.vocabulary, target.number, u32::MAX, wrap);
        self.add_case(planner, target, &mut text, rng);
        if phrases_here {
            self.plant_phrases(target.number, Holder::Message, &mut text);
        }
        write_foreign(&mut text, form, rng);
        if let Some(needle) = needle.filter(|needle| is_in_plain_body(needle.place)) {
            text.extend_from_slice("\nThe word was \u{201c}".as_bytes());
            if form != Form::Windows1252 {
                text.truncate(text.len() - 3);
            }
            text.extend_from_slice(needle.written.as_bytes());
            if form == Form::Windows1252 {
                text.extend_from_slice("\u{201d}".as_bytes());
            }
            text.extend_from_slice(b".\n");
        }
        if target.from_line && matches!(form, Form::Plain | Form::Flowed) {
            self.facts.from_line = true;
            text.extend_from_slice(b"\nFrom here on it is quiet.\n");
            if !planner.config.formats.contains(&BoxFormat::Mboxo) {
                text.extend_from_slice(b">From the other side it is not.\n");
            }
        }
        let extra = needle.filter(|needle| needle.place == NeedlePlace::Signature);
        let is_quoted_above = rng.bits() & 1 == 0;
        if is_quoted_above {
            write_quote(
                &mut text,
                &mut self.scratch,
                planner,
                &self.vocabulary,
                target.block,
                target.slot,
            );
        }
        write_signature(&mut text, people, sender, extra.map(|needle| needle.written.as_str()));
        if !is_quoted_above {
            write_quote(
                &mut text,
                &mut self.scratch,
                planner,
                &self.vocabulary,
                target.block,
                target.slot,
            );
        }
        self.text = text;
    }

    fn add_case(&mut self, planner: &Planner, target: &Target<'_>, text: &mut Vec<u8>, rng: &mut Rng) {
        if let Some(number) = target.thread().case {
            self.facts.cases.push((number, true));
            let case = &planner.cases[number as usize];
            let decision = &case.decisions[target.thread().decision];
            if rng.bits() & 1 == 0 {
                let line = format!(
                    "\nIn {} the {} ({}) is due with {}.\n",
                    case.case_ref,
                    decision.kind.replace('_', " "),
                    decision.outcome,
                    planner.people.name(decision.decided_by).1,
                );
                text.extend_from_slice(line.as_bytes());
            }
        } else if planner.config.cases > 0 && rng.below(48) == 0 {
            let number = rng.below(planner.config.cases);
            self.facts.cases.push((number, false));
            let line = format!("\nPlease compare with {}.\n", case_ref_of(&planner.config, number));
            text.extend_from_slice(line.as_bytes());
        }
    }

    /// Appends the planted phrases that fall to this message, and counts them for `holder`.
    pub(crate) fn plant_phrases(&mut self, number: u64, holder: Holder, text: &mut Vec<u8>) {
        for (at, phrase) in PHRASES.iter().enumerate() {
            let turn = mix(number ^ ((at as u64 + 1) << 40)) % phrase.one_in;
            if turn > 1 {
                continue;
            }
            let planted = if turn == 0 { phrase.words } else { phrase.decoy };
            self.facts.phrases.push((at, holder, turn == 0));
            write_planted(text, planted, number);
        }
    }

    /// Appends the entity (its own headers, an empty line, the content) that holds `self.text`.
    fn write_body(&mut self, form: Form, needle: Option<&Needle>, boundary: &str, out: &mut Vec<u8>) {
        let html_word = needle
            .filter(|needle| matches!(needle.place, NeedlePlace::HtmlOnly | NeedlePlace::HtmlAlternative))
            .map(|needle| needle.written.as_str());
        match form {
            Form::Plain => write_text_part(out, "text/plain; charset=us-ascii", "7bit", &self.text),
            Form::Flowed => write_text_part(out, "text/plain; charset=us-ascii; format=flowed", "7bit", &self.text),
            Form::Utf8 => write_text_part(out, "text/plain; charset=\"UTF-8\"", "8bit", &self.text),
            Form::Undeclared => {
                let text = String::from_utf8_lossy(&self.text).into_owned();
                write_text_part(out, "text/plain", "8bit", &Charset::Latin1.encode(&text));
            }
            Form::Base64 => {
                write_part_head(out, "text/plain; charset=utf-8", "base64");
                write_base64_lines(out, &self.text);
            }
            Form::Utf8QuotedPrintable => {
                write_part_head(out, "text/plain; charset=utf-8", "quoted-printable");
                write_soft_broken(out, &self.text, needle.map(|needle| needle.written.as_str()));
            }
            Form::Latin1 => self.write_in_charset(Charset::Latin1, false, out),
            Form::Windows1252 => self.write_in_charset(Charset::Windows1252, false, out),
            Form::Koi8R => self.write_in_charset(Charset::Koi8R, true, out),
            Form::Gb2312 => self.write_in_charset(Charset::Gb2312, true, out),
            Form::HtmlOnly => self.write_html_part(html_word, out),
            Form::HtmlAlternative => {
                let inner = format!("----=_Alternative_{}", boundary.trim_start_matches(['-', '=', '_']));
                write_multipart_type(out, "multipart/alternative", &inner);
                out.push(b'\n');
                open_part(out, &inner);
                write_text_part(out, "text/plain; charset=utf-8", "8bit", &self.text);
                open_part(out, &inner);
                self.write_html_part(html_word, out);
                close_parts(out, &inner);
            }
        }
    }

    fn write_in_charset(&mut self, charset: Charset, in_base64: bool, out: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(&self.text).into_owned();
        let bytes = charset.encode(&text);
        let kind = format!("text/plain; charset={}", charset.name());
        if in_base64 {
            write_part_head(out, &kind, "base64");
            write_base64_lines(out, &bytes);
        } else {
            write_part_head(out, &kind, "quoted-printable");
            write_quoted_printable(out, &bytes);
        }
    }

    fn write_html_part(&mut self, extra: Option<&str>, out: &mut Vec<u8>) {
        write_part_head(out, "text/html; charset=utf-8", "quoted-printable");
        self.scratch.clear();
        write_html(&mut self.scratch, &self.text, extra);
        write_quoted_printable(out, &self.scratch);
    }
}

/// True when the needle stands in the text that every alternative carries.
fn is_in_plain_body(place: NeedlePlace) -> bool {
    matches!(
        place,
        NeedlePlace::BodyPlain
            | NeedlePlace::BodyBase64
            | NeedlePlace::BodySoftBreak
            | NeedlePlace::BodyFlowed
            | NeedlePlace::BodyLatin1
            | NeedlePlace::BodyWindows1252
            | NeedlePlace::BodyKoi8R
            | NeedlePlace::BodyGb2312
            | NeedlePlace::BodyUndeclared
    )
}

/// Appends a paragraph in the language of the charset.
fn write_foreign(text: &mut Vec<u8>, form: Form, rng: &mut Rng) {
    let words: &[&str] = match form {
        Form::Latin1 | Form::Windows1252 | Form::Undeclared | Form::Utf8 | Form::Utf8QuotedPrintable | Form::Base64 => {
            // ISO 8859-1 has no ligature oe: the last words only.
            if matches!(form, Form::Latin1 | Form::Undeclared) {
                &LATIN[..10]
            } else {
                &LATIN
            }
        }
        Form::Koi8R => &CYRILLIC,
        Form::Gb2312 => {
            text.push(b'\n');
            for _ in 0..20 + rng.below(60) {
                // The last character of the table is kept for planted words.
                let (character, _) = GB[rng.below(GB.len() as u32 - 1) as usize];
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            text.push(b'\n');
            return;
        }
        _ => return,
    };
    text.push(b'\n');
    for at in 0..6 + rng.below(30) {
        text.extend_from_slice(rng.pick(words).as_bytes());
        text.push(if at % 9 == 8 { b'\n' } else { b' ' });
    }
    text.pop();
    text.extend_from_slice(b".\n");
}

/// Quoted-printable in which `word`, if it occurs, is broken by a soft line break.
fn write_soft_broken(out: &mut Vec<u8>, text: &[u8], word: Option<&str>) {
    let found = word.and_then(|word| text.windows(word.len()).position(|window| window == word.as_bytes()));
    let Some(at) = found else {
        return write_quoted_printable(out, text);
    };
    let (before, after) = text.split_at(at + 4);
    write_quoted_printable(out, before);
    out.extend_from_slice(b"=\n");
    write_quoted_printable(out, after);
}
