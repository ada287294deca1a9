//! Inputs made to hurt: ten megabytes each, judged by what comes out and by the size of it. None may take more than
//! linear time; a quadratic one would not end within the patience of whoever runs this.

use embley_formats::mail::{Family, ParseLimits, parse_message};
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;

const SIZE: usize = 10 << 20;

fn parse(message: &str) -> Family<'_> {
    let family = parse_message(message.as_bytes(), &ParseLimits::default());
    let text: usize = family.items.iter().map(|item| item.text.len()).sum();
    assert!(
        text <= 2 * message.len() + 4096,
        "{text} bytes of text from {}",
        message.len()
    );
    for item in &family.items {
        assert!(item.searchability != Searchability::Failed, "{:?}", item.defects);
        assert!(item.defects.len() <= 400, "{}", item.defects.len());
    }
    family
}

fn has(family: &Family<'_>, code: DefectCode) -> bool {
    family
        .items
        .iter()
        .any(|item| item.defects.iter().any(|defect| defect.code == code))
}

fn filled(head: &str, piece: &str) -> String {
    filled_to(SIZE, head, piece)
}

fn filled_to(size: usize, head: &str, piece: &str) -> String {
    let mut out = String::with_capacity(size + head.len() + piece.len());
    out.push_str(head);
    while out.len() < size {
        out.push_str(piece);
    }
    out
}

#[test]
fn many_tiny_parts_stop_at_the_limit() {
    let message = filled(
        "Content-Type: multipart/mixed; boundary=b\n\n",
        "--b\nContent-Type: a/b\n\nx\n",
    );
    let family = parse(&message);
    assert_eq!(family.items.len(), ParseLimits::default().max_parts);
    assert!(has(&family, DefectCode::MimeCount));
    assert_eq!(family.items[0].searchability, Searchability::PartlyLimit);
}

#[test]
fn deep_nesting_stops_at_the_limit() {
    for piece in [
        "Content-Type: message/rfc822\n\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\n",
    ] {
        let message = filled("", piece);
        let family = parse(&message);
        assert!(has(&family, DefectCode::MimeDepth), "{piece}");
        assert!(family.items.len() <= ParseLimits::default().max_parts, "{piece}");
    }
    let mut nested = String::new();
    for level in 0..100_000 {
        nested.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
        ));
    }
    assert!(has(&parse(&nested), DefectCode::MimeDepth));
}

#[test]
fn huge_header_sections_are_cut_and_stay_searchable() {
    for piece in [
        "X: y\n",
        "To: a@b, \n",
        "a:\n",
        "Subject: x\n folded\n",
        " =?utf-8?q?x?=\n",
        "no colon here\nTo: x\n",
    ] {
        let message = filled("Subject: start\n", piece);
        let family = parse(&message);
        assert!(has(&family, DefectCode::MailHeaderTooLong), "{piece}");
    }
    let message = filled("To: ", "someone@example.org, ");
    let family = parse(&message);
    let mail = family.items[0].mail.as_ref().expect("a message");
    assert!(mail.participants.len() < 100_100);
}

#[test]
fn single_fields_of_a_megabyte_are_read_in_linear_time() {
    for piece in [
        "a,",
        "<",
        "((",
        "\"",
        "=?utf-8?q?a?= ",
        "=?utf-8?b?",
        "x:;",
        "\\",
        "a@",
        "(a)(b)",
        "<a@b>,",
    ] {
        for name in [
            "To",
            "From",
            "Subject",
            "References",
            "Date",
            "Content-Type",
            "Content-Disposition",
            "X-Keywords",
            "Message-ID",
        ] {
            let value = piece.repeat(1_000_000 / piece.len());
            parse(&format!("{name}: {value}\nContent-Type: text/plain\n\nbody\n"));
        }
    }
    let sections = "; x*1*=a'b'c; x*0=\"d\"".repeat(50_000);
    parse(&format!("Content-Disposition: attachment{sections}\n\nbody\n"));
}

#[test]
fn lines_that_look_like_delimiters_cost_one_look() {
    let head = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n";
    for piece in ["--\n", "--b-\n", "--bb\n", "-- ", "----------", "\n\n\n"] {
        parse(&filled(head, piece));
    }
}

#[test]
fn bodies_that_fight_the_decoders_come_out_bounded() {
    for encoding in ["base64", "quoted-printable", "x-uuencode", "nonsense"] {
        let head = format!("Content-Type: text/plain\nContent-Transfer-Encoding: {encoding}\n\n");
        for piece in [
            "=",
            "=\n",
            "A",
            "A \n",
            "= = \n",
            "!!!!\n",
            "begin 644 a\n",
            "\r",
            "AAAA=AAAA\n",
            "====\n",
            " \t\n",
        ] {
            parse(&filled(&head, piece));
        }
    }
}

#[test]
fn bodies_that_fight_the_text_readers_come_out_bounded() {
    for head in [
        "Content-Type: text/plain; format=flowed; delsp=yes\n\n",
        "Content-Type: text/html\n\n",
        "Content-Type: text/plain; charset=utf-7\n\n",
        "Content-Type: text/plain; charset=utf-16\n\n",
        "Content-Type: text/plain; charset=iso-2022-jp\n\n",
    ] {
        for piece in [
            "> \n",
            "<a href=x>",
            "<",
            "&",
            "&amp;",
            "<!--",
            "<b a=b a=b>",
            "+AAA",
            "\u{1b}$B",
            ">>>>>> x \n",
            "\u{e9}\u{300}",
        ] {
            parse(&filled_to(SIZE / 4, head, piece));
        }
    }
    let uu = filled("Subject: x\n\n", "begin 644 a\n#0V%T\nend\n");
    let family = parse_message(uu.as_bytes(), &ParseLimits::default());
    assert!(family.items.len() > 1);
}

#[test]
fn alternatives_without_end_add_no_word_twice() {
    let part = "--b\nContent-Type: text/html\n\n<p>the same words again</p>\n";
    let message = filled("Content-Type: multipart/alternative; boundary=b\n\n", part);
    let family = parse(&message);
    assert_eq!(family.items[0].text.matches("same").count(), 1);
}

#[test]
fn encoded_messages_in_encoded_messages_stop() {
    let mut message = b"Subject: innermost\n\nwords\n".to_vec();
    for _ in 0..12 {
        let mut outer = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n".to_vec();
        outer.extend_from_slice(String::from_utf8_lossy(&message).replace('=', "=3D").as_bytes());
        message = outer;
    }
    let text = String::from_utf8(message).expect("ASCII");
    let family = parse(&text);
    assert!(has(&family, DefectCode::MimeDepth));
    assert_eq!(family.items.len(), 5);
}
