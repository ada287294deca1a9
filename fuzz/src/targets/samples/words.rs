//! Text of all kinds.

fn all(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(in crate::targets) fn headers() -> Vec<Vec<u8>> {
    all(&[
        "From: Ann =?utf-8?Q?=C3=84?= <ann@example.org>\nTo: group: b@c, \"d, e\" <f@g>;\nDate: Fri, 21 Nov 1997 09:55:06 -0600 (CST)\nSubject: =?iso-8859-1?B?5Q==?=\n a fold",
        "Date: 1997-11-21T09:55:06Z\nReceived: from a by b with SMTP id c; 21 Nov 97 09:55 EST\nMessage-ID: <1@a>\nReferences: <2@a> <3@a>\nIn-Reply-To: your message",
        "Content-Type: text/plain; charset*0=\"utf\"; charset*1=\"-8\"; name*=iso-8859-1'en'%E4.txt\nX-Gmail-Labels: a,\"b c\"\nThread-Index: AQHVs1sKPTvHJkmVMUyyK8wJ0V8zBg==",
        "Date: Thu Nov 21 09:55:06 EST5EDT 1997\nResent-Date: 21.11.1997 9:55\nSender: /O=ORG/OU=A/CN=RECIPIENTS/CN=ANN",
    ])
}

pub(in crate::targets) fn html() -> Vec<Vec<u8>> {
    all(&[
        "<!DOCTYPE html><html><head><title>t</title><style>p{}</style></head><body><p>one &amp; two<br>three</p><table><tr><td>a</td><td>b</td></tr></table></body></html>",
        "<div>a<blockquote>b<blockquote>c</blockquote></blockquote><ul><li>d<li>e</ul><a href=\"http://x.example/\">f</a><pre> g\n h</pre></div>",
        "<p>a<script>var x = '</p>';</script>b<!-- c --><![CDATA[d]]><textarea>e</textarea>&#x41;&#66&nbsp;&notin;",
        "<b><i><u><font><span style='display:none'>x</span></font></u></i></b><img src=a alt='words'><input value=v>",
    ])
}

pub(in crate::targets) fn texts() -> Vec<Vec<u8>> {
    let mut out = all(&[
        "plain words\r\nand more\n",
        "\u{feff}with a mark \u{20ac} \u{1f600}",
        "Hi Mom -+Jjo--!",
    ]);
    out.push(
        "caf\u{e9} na\u{ef}ve"
            .chars()
            .map(|c| (c as u32 & 0xFF) as u8)
            .collect(),
    );
    out.push("UTF-16 \u{20ac}".encode_utf16().flat_map(u16::to_le_bytes).collect());
    out.push("UTF-16 \u{20ac}".encode_utf16().flat_map(u16::to_be_bytes).collect());
    out.push(b"\x1b$B$3$s\x1b(B and ascii".to_vec());
    out.push(b"\xcf\xf0\xe8\xe2\xe5\xf2 \xc4\xc5".to_vec());
    out.push(b"\xc4\xe3\xba\xc3\x81\x30\x81\x30".to_vec());
    out.push(b"~{<:Ky2;S{#,~}".to_vec());
    out
}

pub(in crate::targets) fn heads() -> Vec<Vec<u8>> {
    let mut out = all(&[
        "From a@b Thu Jan  1 00:00:00 1970\nSubject: x\n\nbody\n",
        "Received: from a\nSubject: x\n\nbody\n",
        "37\nSubject: x\nFrom: a@b\n\nbody of mail\n\n<?xml version=\"1.0\"?><plist></plist>",
        "{\"a\": 1}",
        "a,b\n1,2\n",
        "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
        "<html><body>x",
        "%PDF-1.4\n",
    ]);
    out.push(super::zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", b"<a/>"),
    ]));
    out.push(super::zip(&[("mimetype", b"application/vnd.oasis.opendocument.text")]));
    out.push(super::tar());
    out.push(super::sevenz());
    out.push(super::tnef());
    out.push(super::msg());
    out
}

pub(in crate::targets) fn rich_texts() -> Vec<Vec<u8>> {
    all(&[
        "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset204 Cyr;}}{\\info{\\title T}{\\author A}{\\creatim\\yr2001\\mo5\\dy14\\hr9}}\\f1 \\'cf\\'f0\\f0 a\\par b\\tab c\\u8364?{\\v hidden}{\\deleted gone}}",
        "{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag19 <html>}{\\*\\htmltag64 <p>}\\htmlrtf {\\htmlrtf0 words\\htmlrtf }\\htmlrtf0{\\*\\htmltag72 </p>}}",
        "{\\rtf1{\\field{\\*\\fldinst HYPERLINK \"http://a.example/\"}{\\fldrslt link}}{\\pict\\pngblip\\picw1 89504e470d0a1a0a}{\\object\\objemb{\\*\\objclass Package}{\\*\\objdata 01050000020000000800000050616b6167650000000000000000000400000061626364}}}",
        "{\\rtf1\\trowd a\\cell b\\cell\\row{\\footnote note}\\bin3 \x01\x02\x03 after\\uc2\\u-10179??\\u-8704??}",
    ])
}

pub(in crate::targets) fn cards() -> Vec<Vec<u8>> {
    all(&[
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/London:20010514T093000\r\nSUMMARY:Meet\\, talk\r\nATTENDEE;CN=\"Ann\":mailto:ann@example.org\r\nRRULE:FREQ=DAILY;COUNT=3\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;Jan\nTEL;WORK:+44 1\nPHOTO;ENCODING=BASE64;JPEG:\n /9j/4AAQ\n\nEND:VCARD\n",
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann\r\nitem1.EMAIL:ann@example.org\r\nNOTE:a long\r\n  fold\r\nBDAY:--0514\r\nEND:VCARD\r\n",
    ])
}

pub(in crate::targets) fn queries() -> Vec<Vec<u8>> {
    all(&[
        "fraud OR (theft AND NOT \"fit for duty\") subject:miscon*",
        "a w/3 (b pre/2 c) NOT d not w/5 e NEAR/2 f",
        "date:2001-05..2001-07 size:>10MB from:\"Smith, John\" has:attachment",
        "bri?e \"say \\\"no\\\"\" word~2 /re[a-z]+/ date:(2001 OR >=2003-01-02T03:04:05)",
        "\u{201c}quoted\u{201d} \u{201e}low\u{201c} path:/home/x~1 tag:-urgent AT&T e-mail",
        "subject:(a (b OR c)) item:item:3f2a00/2.1 12:30 and or not near *",
    ])
}
