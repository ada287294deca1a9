//! The targets: strings in files, mail, documents and archives, in many encodings, each with its identifiers.

use embley_tests::{made, packed};

/// A file with target strings.
pub(crate) struct Target {
    /// Below the source.
    pub(crate) path: &'static str,
    /// What it is.
    pub(crate) about: &'static str,
    /// The identifiers that stand in it.
    pub(crate) ids: Vec<&'static str>,
    pub(crate) bytes: Vec<u8>,
}

fn target(path: &'static str, about: &'static str, ids: &[&'static str], bytes: impl Into<Vec<u8>>) -> Target {
    Target {
        path,
        about,
        ids: ids.to_vec(),
        bytes: bytes.into(),
    }
}

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xFEFF);
    mark.into_iter()
        .chain(text.encode_utf16())
        .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
        .collect()
}

/// A message of one text part.
fn mail(subject: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "Message-ID: <{subject}@mail.example>\r\nDate: Mon, 6 Jan 2020 10:00:00 +0000\r\nFrom: Ash Birch <ash.birch@mail.example>\r\n\
         Subject: {subject}\r\nMIME-Version: 1.0\r\n{headers}\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A paragraph of text that fills `bytes` bytes and holds none of the targets.
fn filler(bytes: usize) -> String {
    "The minutes of the meeting were read and agreed.\n".repeat(bytes / 49)
}

/// All of them.
pub(crate) fn targets() -> Vec<Target> {
    let mut all = strings();
    all.extend(unicode());
    all.extend(legacy());
    all.extend(formatted());
    all.extend(fragments());
    all
}

fn strings() -> Vec<Target> {
    vec![
        target("ascii/mixed.txt", "mixed case", &["as01"], "A DireWolf as01 was seen."),
        target("ascii/lower.txt", "lower case", &["as02"], "A direwolf as02 was seen."),
        target("ascii/upper.txt", "upper case", &["as03"], "A DIREWOLF as03 was seen."),
        target(
            "ascii/inside.txt",
            "inside longer words",
            &["as04"],
            "The direwolfhound as04 and the predirewolf.",
        ),
        target(
            "ascii/two.txt",
            "two words",
            &["as05"],
            "A DireWolf and a panda as05 were seen.",
        ),
        target("ascii/panda.txt", "the other word", &["as06"], "A panda as06 was seen."),
        target(
            "ascii/signs.txt",
            "signs between two words",
            &["as07"],
            "dire-wolf as07, written with a hyphen",
        ),
        target(
            "ascii/mail.eml",
            "body of a message",
            &["as08"],
            made::message(8, "DireWolf as08"),
        ),
        target(
            "ascii/attached.eml",
            "attachment of a message",
            &["as09"],
            packed::mail(
                "as",
                "see attached",
                &[("note.txt", "text/plain", b"A DireWolf as09 was seen.")],
            ),
        ),
        target(
            "ascii/packed.zip",
            "text file in an archive",
            &["as10"],
            packed::zip(&[("note.txt", b"A DireWolf as10 was seen.")]),
        ),
        target(
            "ascii/name.txt",
            "address and number",
            &["as11"],
            "Write to j.doe@wolf.example or 020 7946 0018 as11.",
        ),
    ]
}

fn unicode() -> Vec<Target> {
    let greek = "Ο λύκος un10 φάνηκε.";
    vec![
        target("unicode/utf8.txt", "UTF-8", &["un01"], "Der Werwölfe un01 Zug"),
        target(
            "unicode/utf8-mark.txt",
            "UTF-8 with a byte order mark",
            &["un02"],
            "\u{FEFF}Werwölfe un02",
        ),
        target(
            "unicode/utf16le.txt",
            "UTF-16LE with a byte order mark",
            &["un03"],
            utf16("Der Werwölfe un03 Zug", false, true),
        ),
        target(
            "unicode/utf16be.txt",
            "UTF-16BE with a byte order mark",
            &["un04"],
            utf16("Der Werwölfe un04 Zug", true, true),
        ),
        target(
            "unicode/utf16le-bare.txt",
            "UTF-16LE without a byte order mark",
            &["un05"],
            utf16("Der Werwölfe un05 Zug kam in der Nacht", false, false),
        ),
        target(
            "unicode/utf16be-bare.txt",
            "UTF-16BE without a byte order mark",
            &["un06"],
            utf16("Der Werwölfe un06 Zug kam in der Nacht", true, false),
        ),
        target(
            "unicode/combining.txt",
            "combining marks (NFD)",
            &["un07"],
            "Der Werwo\u{308}lfe un07 Zug",
        ),
        target(
            "unicode/ligature.txt",
            "the ligature U+FB01",
            &["un08"],
            "A \u{FB01}ngerprint un08 was found.",
        ),
        target(
            "unicode/no-ligature.txt",
            "two letters",
            &["un09"],
            "A fingerprint un09 was found.",
        ),
        target("unicode/greek.txt", "Greek", &["un10"], greek),
        target("unicode/cyrillic.txt", "Cyrillic", &["un11"], "Волк un11 пришёл ночью."),
        target(
            "unicode/arabic.txt",
            "Arabic, right to left",
            &["un12"],
            "رأيت الذئب un12 أمس",
        ),
        target(
            "unicode/hebrew.txt",
            "Hebrew, right to left",
            &["un13"],
            "ראיתי זאב un13 אתמול",
        ),
        target("unicode/chinese.txt", "Chinese", &["un14"], "昨天看见恐狼 un14 了。"),
        target(
            "unicode/japanese.txt",
            "Japanese",
            &["un15"],
            "きのうオオカミ un15 を見ました。",
        ),
        target("unicode/korean.txt", "Korean", &["un16"], "어제 늑대를 un16 보았다."),
        target(
            "unicode/korean-jamo.txt",
            "Korean, decomposed",
            &["un17"],
            "어제 \u{1102}\u{1173}\u{11A8}\u{1103}\u{1162}를 un17 보았다.",
        ),
        target(
            "unicode/chinese16.txt",
            "Chinese in UTF-16LE with a mark",
            &["un18"],
            utf16("昨天看见恐狼 un18 了。", false, true),
        ),
        target(
            "unicode/wide.txt",
            "full-width letters",
            &["un19"],
            "Ｄｉｒｅ Ｐｌａｎｅｔ un19",
        ),
    ]
}

fn legacy() -> Vec<Target> {
    let text =
        |charset: &str| format!("Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n");
    vec![
        target(
            "legacy/latin1.eml",
            "ISO 8859-1 in a message",
            &["lg01"],
            mail("lg", &text("iso-8859-1"), b"Der Werw\xF6lfe lg01 Zug"),
        ),
        target(
            "legacy/cp1252.txt",
            "Windows-1252, undeclared",
            &["lg02"],
            b"Der Werw\xF6lfe lg02 Zug kam in der Nacht.".as_slice(),
        ),
        target(
            "legacy/koi8.eml",
            "KOI8-R in a message",
            &["lg03"],
            mail("lg", &text("koi8-r"), b"\xF7\xCF\xCC\xCB lg03 \xD0\xD2\xC9\xDB\xA3\xCC"),
        ),
        target(
            "legacy/gb.eml",
            "GB 18030 in a message",
            &["lg04"],
            mail("lg", &text("gb18030"), b"\xBF\xD6\xC0\xC7 lg04"),
        ),
        target(
            "legacy/sjis.eml",
            "Shift_JIS in a message",
            &["lg05"],
            mail("lg", &text("shift_jis"), b"\x83I\x83I\x83J\x83~ lg05"),
        ),
        target(
            "legacy/euckr.eml",
            "EUC-KR in a message",
            &["lg06"],
            mail("lg", &text("euc-kr"), b"\xB4\xC1\xB4\xEB lg06"),
        ),
        target(
            "legacy/quoted.eml",
            "quoted-printable UTF-8, broken within the word",
            &["lg07"],
            mail(
                "lg",
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
                b"Der Werw=C3=\r\n=B6lfe lg07 Zug",
            ),
        ),
        target(
            "legacy/subject.eml",
            "encoded words in a subject",
            &["lg08"],
            mail("=?utf-8?Q?Werw=C3=B6?= =?utf-8?Q?lfe_lg08?=", "", b"see the subject"),
        ),
    ]
}

fn formatted() -> Vec<Target> {
    vec![
        target(
            "formatted/plain.html",
            "HTML",
            &["fm01"],
            "<html><body><p>The lynx pair fm01</p></body></html>",
        ),
        target(
            "formatted/inside.html",
            "HTML, tags within the word",
            &["fm02"],
            "<html><body><p>The ly<b>n</b>x pair fm02</p></body></html>",
        ),
        target(
            "formatted/entity.html",
            "HTML, entities for letters",
            &["fm03"],
            "<html><body><p>The l&#121;n&#x78; pair fm03</p></body></html>",
        ),
        target(
            "formatted/break.html",
            "HTML, words in two lines and elements",
            &["fm04"],
            "<html><body><i>The lynx</i>\n<b>pair</b> fm04</body></html>",
        ),
        target(
            "formatted/hidden.html",
            "HTML, text that is not shown",
            &["fm05"],
            "<html><body><p style=\"display:none\">The lynx pair fm05</p></body></html>",
        ),
        target(
            "formatted/word.docx",
            "Word",
            &["fm06"],
            packed::docx("The lynx pair fm06"),
        ),
        target(
            "formatted/runs.docx",
            "Word, formatting within the word",
            &["fm07"],
            packed::docx(
                "The ly</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>n</w:t></w:r><w:r><w:t xml:space=\"preserve\">x pair fm07",
            ),
        ),
        target(
            "formatted/sheet.xlsx",
            "Excel",
            &["fm08"],
            packed::xlsx("The lynx pair fm08"),
        ),
        target(
            "formatted/slides.pptx",
            "PowerPoint",
            &["fm09"],
            packed::pptx("The lynx pair fm09"),
        ),
        target(
            "formatted/text.odt",
            "OpenDocument text",
            &["fm10"],
            packed::odt("The lynx pair fm10"),
        ),
        target(
            "formatted/page.pdf",
            "PDF",
            &["fm11"],
            packed::pdf("The lynx pair fm11"),
        ),
        target(
            "formatted/pieces.pdf",
            "PDF, the word shown in pieces",
            &["fm12"],
            packed::pdf("The ly) Tj (nx pair fm12"),
        ),
        target(
            "formatted/rich.rtf",
            "RTF",
            &["fm13"],
            packed::rtf_1250("The lynx pair fm13"),
        ),
        target(
            "formatted/inside.rtf",
            "RTF, formatting within the word",
            &["fm14"],
            packed::rtf_1250("The ly{\\b n}x pair fm14"),
        ),
        target(
            "formatted/winmail.dat",
            "TNEF",
            &["fm15"],
            packed::tnef("fm", "The lynx pair fm15", "n.txt", b"nothing"),
        ),
        target(
            "formatted/html.eml",
            "HTML part of a message, base64",
            &["fm16"],
            packed::mail(
                "fm",
                "see the other part",
                &[("page.html", "text/html", b"<p>The ly<i>n</i>x pair fm16</p>")],
            ),
        ),
    ]
}

fn fragments() -> Vec<Target> {
    // Text in which the target lies across every boundary at which a program of this kind may cut: 4 KiB, 64 KiB, 1 MiB.
    let across = |boundary: usize, id: &str| {
        let mut text = filler(boundary);
        text.truncate(boundary.saturating_sub(4).min(text.len()));
        while text.len() < boundary - 4 {
            text.push('.');
        }
        text.pop();
        text.push(' ');
        format!("{text}Wolverine {id} was seen.")
    };
    let mailbox = |id: &str| {
        // Messages of all lengths around the range of mailboxes that is read at once.
        let mut messages = vec![made::message(1, "begin")];
        messages.push([made::message(2, "long"), across(1 << 20, id).into_bytes()].concat());
        messages.push(made::message(3, "end"));
        made::mailbox(&messages)
    };
    let lines = |id: &str| {
        mail(
            "fr",
            "Content-Type: text/plain; format=flowed\r\n",
            format!("A grey \r\nWolverine {id} was \r\nseen.").as_bytes(),
        )
    };
    vec![
        target("fragments/4k.txt", "across 4 KiB", &["fr01"], across(4 << 10, "fr01")),
        target(
            "fragments/64k.txt",
            "across 64 KiB",
            &["fr02"],
            across(64 << 10, "fr02"),
        ),
        target("fragments/1m.txt", "across 1 MiB", &["fr03"], across(1 << 20, "fr03")),
        target(
            "fragments/1m.mbox",
            "a message across 1 MiB of a mailbox",
            &["fr04"],
            mailbox("fr04"),
        ),
        target(
            "fragments/1m.txt.gz",
            "across 1 MiB, compressed",
            &["fr05"],
            packed::gzip(across(1 << 20, "fr05").as_bytes()),
        ),
        target("fragments/lines.eml", "words on two lines", &["fr06"], lines("fr06")),
        target(
            "fragments/base64.eml",
            "across lines of base64",
            &["fr07"],
            packed::mail(
                "fr",
                "see attached",
                &[("n.txt", "text/plain", across(4 << 10, "fr07").as_bytes())],
            ),
        ),
    ]
}
