use embley_model::defect::DefectCode;

use super::*;

fn check(input: &[u8], text: &str) {
    let rtf = read(input);
    assert_eq!(rtf.text, text);
    assert_eq!(rtf.defects, Vec::new());
}

fn check_html(input: &[u8], html: &str) {
    assert_eq!(read(input).html.as_deref(), Some(html));
}

#[test]
fn code_pages_of_document_and_font() {
    check(br"{\rtf1\ansi\ansicpg1250 \'9alu\'9dou\'e8k\'fd}", "šluťoučký");
    check(br"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset238 Arial;}{\f2 Arial Cyr;}}\f0 \'e8 {\f1 \'e8}\f2  \'e8}", "è č и");
    check(
        br"{\rtf1\ansi{\fonttbl{\f0\fcharset128 MS Mincho;}}\f0 {\'83}{\'65}\'83X\'83\'5c}",
        "テスソ",
    );
    check(br"{\rtf1\pca\'81}", "ü");
    check(br"{\rtf1\mac\'8a}", "ä");
}

#[test]
fn unicode_with_alternatives() {
    check(br"{\rtf1\ansi\uc1 \u268?\u-4051?a\u8364\'80b}", "Č\u{f02d}a€b");
    check(br"{\rtf1\ansi\uc2 \u1055\'cf\'cf\uc0\u1088 x{\uc1\u1080?}}", "Прxи");
    check(br"{\rtf1\ansi \u55357?\u56832?}", "😀");
    check(br"{\rtf1\ansi \u55357?x}", "\u{fffd}x");
}

#[test]
fn paragraphs_tables_quotes_and_escapes() {
    check(
        br"{\rtf1 a\par b\line c\cell d\row\ldblquote x\rdblquote \{\}\\ y\~z\emdash}",
        "a\nb\nc\td\n\u{201c}x\u{201d}{}\\ y\u{a0}z\u{2014}",
    );
    check(b"{\\rtf1 a\\\nb\r\nc}", "a\nbc");
}

#[test]
fn destinations_are_passed_over_or_read() {
    check(
        br"{\rtf1{\*\generator Writer;}{\colortbl;\red0;}{\stylesheet{\s0 Normal;}}{\*\unknown x{y}}a{\header h}b{\footnote n}c{\v hidden}{\deleted gone}}",
        "a\nh\nb\nn\nchiddengone",
    );
    check(br"{\rtf1{\upr{ab?}{\*\ud{ab\u268?}}}c}", "abČc");
}

#[test]
fn tracked_changes_and_hidden_text_are_told_in_their_versions() {
    let versions = |input: &[u8]| read(input).versions;
    assert_eq!(
        versions(br"{\rtf1 on {\deleted Monday}{\revised Tuesday} noon\par {\v x}y\par plain}"),
        ["on Tuesday noon\n", "on Monday noon\n", "y\n", "x"]
    );
    assert_eq!(
        versions(br"{\rtf1 a\deleted b\deleted0 c\v d\plain e}"),
        ["ace", "abce", "d"]
    );
    assert_eq!(versions(br"{\rtf1 a{\b c}\par d}"), [""; 0]);
    let deep = read(&br"{\deleted x".repeat(20_000));
    assert!(deep.versions.iter().map(String::len).sum::<usize>() <= 3 * deep.text.len());
}

#[test]
fn fields_give_their_result_and_target() {
    let rtf = read(br#"{\rtf1{\field{\*\fldinst{HYPERLINK "http://example.org/x" \\o "tip"}}{\fldrslt{shown}}}}"#);
    assert_eq!(rtf.text, "shown");
    assert_eq!(rtf.links, ["http://example.org/x"]);
}

#[test]
fn metadata() {
    let rtf = read(br"{\rtf1\ansi\ansicpg1250{\info{\title T\'e8}{\author A}{\operator O}{\creatim\yr2010\mo7\dy3\hr9\min5}{\nofpages1}}x}");
    assert_eq!(
        (
            rtf.info.title.as_str(),
            rtf.info.author.as_str(),
            rtf.info.operator.as_str()
        ),
        ("Tč", "A", "O")
    );
    assert_eq!(rtf.info.created, Some(jiff::civil::date(2010, 7, 3).at(9, 5, 0, 0)));
    assert_eq!(rtf.text, "x");
}

#[test]
fn pictures_and_objects() {
    let mut package = vec![2, 0];
    package.extend(b"a.txt\0C:\\a.txt\0\0\0\x03\0\x02\0\0\0X\0\x03\0\0\0abc");
    let mut ole = vec![1, 5, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0];
    ole.extend(b"Package\0\0\0\0\0\0\0\0\0");
    ole.extend((package.len() as u32).to_le_bytes());
    ole.extend(package);
    let digits: String = ole.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut input = format!(
        r"{{\rtf1{{\pict\pngblip 8950}}{{\object\objemb{{\*\objclass Package}}{{\*\objdata {digits}}}{{\result r}}}}"
    )
    .into_bytes();
    input.extend(br"{\pict\jpegblip\bin4 }{\x}z}");
    let rtf = read(&input);
    let expected = vec![
        Object {
            kind: ObjectKind::Picture("png"),
            name: String::new(),
            bytes: vec![0x89, 0x50],
        },
        Object {
            kind: ObjectKind::Package,
            name: "a.txt".to_owned(),
            bytes: b"abc".to_vec(),
        },
        Object {
            kind: ObjectKind::Picture("jpg"),
            name: String::new(),
            bytes: b"}{\\x".to_vec(),
        },
    ];
    assert_eq!(rtf.objects, expected);
    assert_eq!(rtf.text, "rz");
}

#[test]
fn html_is_taken_out_of_rich_text() {
    check_html(
        br"{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fcharset238 X;}}
{\*\htmltag19 <html>}{\*\htmltag34 <head>}{\*\mhtmltag84 <img src='x'>}
{\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 \'cf\f1 \'e8{\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0 {\*\htmltag92 </b>}\htmlrtf }\htmlrtf0\par\tab\ldblquote x\u8364?\{}",
        "<html><head><b>Пč&nbsp;</b>\r\n\t&ldquo;x€{",
    );
    let rtf = read(br"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}a\htmlrtf b\htmlrtf0 c}");
    assert_eq!(rtf.text, "abc");
    assert_eq!(rtf.html.as_deref(), Some("<p>ac"));
    // What htmlrtf hides ends with its group.
    check_html(br"{\rtf1\fromhtml1 {\htmlrtf x}y}", "y");
}

#[test]
fn plain_text_is_taken_out_of_rich_text() {
    let rtf = read(br"{\rtf1\ansi\fromtext\fbidis \deff0{\fonttbl{\f0\fmodern Courier New;}}one\par two\{\par }");
    assert_eq!(rtf.encapsulated, Encapsulated::Text);
    assert_eq!(rtf.text, "one\ntwo{\n");
}

#[test]
fn cut_anywhere_ends_and_is_reported() {
    let whole = br"{\rtf1\ansi\ansicpg932{\fonttbl{\f0\fcharset128 M;}}{\info{\title t}}\f0 \'83\'65{\*\fldinst HYPERLINK x}{\pict\bin3 abc}\u55357?\u56832?}";
    for end in 0..whole.len() {
        let rtf = read(&whole[..end]);
        assert!(
            rtf.defects.iter().any(|defect| defect.code == DefectCode::RtfStructure),
            "cut at {end}"
        );
    }
    assert_eq!(read(whole).defects, Vec::new());
}

#[test]
fn groups_without_end_cost_no_stack() {
    let mut input = b"{\\rtf1 ".to_vec();
    input.extend(std::iter::repeat_n(b'{', 300_000));
    input.extend(b"x");
    input.extend(std::iter::repeat_n(b'}', 300_000));
    input.extend(b"y}");
    assert_eq!(read(&input).text, "xy");
}

#[test]
fn flipped_bits_never_panic() {
    let whole = br"{\rtf1\ansi\ansicpg932\fromhtml1{\fonttbl{\f0\fcharset128 M;}}{\info{\title t}}\f0 \'83\'65{\*\htmltag84 <b>}{\object{\*\objdata 0105000002000000080000005061636b61676500}}\u55357?\uc3\u56832?\bin3 abc}";
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..20_000 {
        let mut damaged = whole.to_vec();
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = (state >> 8) as usize % damaged.len();
            damaged[at] ^= 1 << ((state >> 3) & 7);
        }
        read(&damaged);
    }
}
