//! What opening Apple Mail's files promises. All of them are built here.

use std::io::{self, Read};

use embley_formats::emlx::{self, MEDIA_TYPE};
use embley_formats::opened::{Member, Members, OpenClass, Opened, class_of};
use embley_formats::probe::{FileKind, probe};
use embley_formats::walk::Place;
use embley_model::defect::DefectCode;

const MESSAGE: &str =
    "From: a@force.example\r\nTo: b@force.example\r\nSubject: notes\r\n\r\n<?xml version='1.0'?> is how it begins.\r\n";

const LIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>conversation-id</key>
	<integer>101</integer>
	<key>date-received</key>
	<integer>1456133430</integer>
	<key>flags</key>
	<integer>8590133253</integer>
	<key>gmail-labels</key>
	<array>
		<string>Caf&#233; &amp; more</string>
		<string>Work</string>
	</array>
	<key>ignored</key>
	<dict><key>inner</key><true/></dict>
	<key>seen</key>
	<true/>
</dict>
</plist>
"#;

#[derive(Default)]
struct Kept(Vec<(Member, Vec<u8>)>);

impl Members for Kept {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut content = Vec::new();
        bytes.read_to_end(&mut content)?;
        self.0.push((member, content));
        Ok(())
    }
}

fn open(bytes: &[u8], name: &str) -> (Opened, Member, Vec<u8>) {
    let mut kept = Kept::default();
    let opened = emlx::open(bytes, name.as_bytes(), &mut kept).expect("memory");
    assert_eq!(kept.0.len(), 1, "always one member");
    let (member, content) = kept.0.remove(0);
    (opened, member, content)
}

fn file(message: &str, list: &str) -> Vec<u8> {
    format!("{:<10}\n{message}{list}", message.len()).into_bytes()
}

fn media_type(bytes: &[u8], name: &str) -> &'static str {
    match probe(bytes, name.as_bytes(), &Place::Loose, bytes.len() as u64).0 {
        FileKind::Other { media_type, .. } => media_type,
        _ => "another",
    }
}

#[test]
fn the_member_is_the_exact_message_and_the_list_is_text() {
    let bytes = file(MESSAGE, LIST);
    assert_eq!(media_type(&bytes, "1498.emlx"), MEDIA_TYPE);
    assert_eq!(media_type(&bytes, "no name"), MEDIA_TYPE);
    assert_eq!(class_of(MEDIA_TYPE), Some(OpenClass::Container));
    let (opened, member, content) = open(&bytes, "1498.emlx");
    assert_eq!(content, MESSAGE.as_bytes());
    assert_eq!((&member.path[..], &member.defects[..]), (&b"message"[..], &[][..]));
    assert_eq!(member.mtime_nanos, Some(1_456_133_430_000_000_000));
    assert_eq!(opened.defects, []);
    assert_eq!(
        opened.text,
        "conversation-id: 101\ndate-received: 1456133430\nflags: 8590133253 (read, replied, attachments 2, priority 3)\n\
         gmail-labels: Café & more\ngmail-labels: Work\nseen: true\n"
    );
}

#[test]
fn a_partial_message_says_that_attachments_are_elsewhere() {
    let partial = MESSAGE.replace("Subject: notes", "Subject: notes\r\nX-Apple-Content-Length: 99");
    for (message, name) in [(MESSAGE, "1498.partial.emlx"), (&partial, "1498.emlx")] {
        let (_, member, content) = open(&file(message, LIST), name);
        assert_eq!(content, message.as_bytes());
        assert_eq!(member.defects.len(), 1, "{name}");
        assert_eq!(member.defects[0].code, DefectCode::MimePartial);
    }
}

#[test]
fn a_wrong_count_is_said_and_the_list_divides() {
    let check = |bytes: Vec<u8>, message: &str, has_text: bool| {
        assert_eq!(media_type(&bytes, "1.emlx"), MEDIA_TYPE);
        let (opened, _, content) = open(&bytes, "1.emlx");
        assert_eq!(String::from_utf8_lossy(&content), message);
        assert_eq!(!opened.text.is_empty(), has_text);
        let codes: Vec<_> = opened.defects.iter().map(|one| one.code).collect();
        assert_eq!(codes, [DefectCode::MailEmlx]);
    };
    check(format!("7\n{MESSAGE}{LIST}").into_bytes(), MESSAGE, true);
    check(format!("999999\n{MESSAGE}{LIST}").into_bytes(), MESSAGE, true);
    check(format!("999999\n{MESSAGE}").into_bytes(), MESSAGE, false);
    check(file(MESSAGE, ""), MESSAGE, false);
    check(file(MESSAGE, &LIST[..LIST.len() - 40]), MESSAGE, true);
}

#[test]
fn numbers_before_other_text_are_no_message() {
    assert_eq!(media_type(b"12\nhello\n", "x.txt"), "another");
    assert_eq!(media_type(b"12\nhello\n", "x.emlx"), "another");
    assert_eq!(media_type(format!("5\n{MESSAGE}").as_bytes(), "x.txt"), "another");
}

#[test]
fn cut_and_bent_files_end_with_one_member() {
    let bytes = file(MESSAGE, LIST);
    for end in 0..bytes.len() {
        open(&bytes[..end], "1.emlx");
        media_type(&bytes[..end], "1.emlx");
    }
    let mut seed = 0x5eed_u64;
    for _ in 0..10_000 {
        let mut bent = bytes.clone();
        for _ in 0..3 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (seed >> 33) as usize % bent.len();
            bent[at] ^= 1 << (seed >> 20 & 7);
        }
        open(&bent, "1.emlx");
    }
    let deep = format!("1\nF{}", "<?xml?><plist>".to_owned() + &"<dict>".repeat(300_000));
    open(deep.as_bytes(), "1.emlx");
}
