//! Where the program and the independent reader differ with reason: each place by name, with the rule. A place that no longer differs
//! fails the tests, and so does one that is not here.

/// A file that the two split into different numbers of messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    pub(crate) path: &'static str,
    pub(crate) program: u64,
    pub(crate) reader: u64,
    #[expect(dead_code, reason = "for the reader of a failure")]
    pub(crate) rule: &'static str,
}

/// What is known of one set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allowed {
    pub(crate) counts: &'static [Count],
    /// Listed as being without text although the reader finds words: path and rule.
    pub(crate) text_after_all: &'static [(&'static str, &'static str)],
    /// Without text for the reader, with text for the program: path with ordinal, and rule.
    pub(crate) text_by_the_program: &'static [(&'static str, &'static str)],
}

pub(crate) const NOTHING: Allowed = Allowed {
    counts: &[],
    text_after_all: &[],
    text_by_the_program: &[],
};

pub(crate) const SAMPLES: Allowed = Allowed {
    counts: &[
        Count {
            path: "mail/box/content-length.mbox",
            program: 2,
            reader: 3,
            rule: "mboxcl2: Content-Length says where the message ends, and it agrees with a separator there",
        },
        Count {
            path: "mail/box/junk-before.mbox",
            program: 2,
            reader: 1,
            rule: "the script takes a file for a mailbox only when it begins as one",
        },
    ],
    ..NOTHING
};

const INSIDE: &str = "the mailbox's own expectations and RFC 2046 section 5.1: what stands inside an included message is text of that message";

pub(crate) const MBOX: Allowed = Allowed {
    counts: &[
        Count {
            path: "mbox/messageparser/mailboxes/mailarc-2.txt",
            program: 4,
            reader: 5,
            rule: INSIDE,
        },
        Count {
            path: "mbox/messageparser/results/mailarc-2.txt",
            program: 4,
            reader: 5,
            rule: INSIDE,
        },
        Count {
            path: "mbox/messageparser/mailboxes/mailarc-3.txt",
            program: 14,
            reader: 17,
            rule: INSIDE,
        },
        Count {
            path: "mbox/messageparser/mailboxes/separators2.sep",
            program: 2,
            reader: 3,
            rule: "RFC 4155 appendix A: a separator has an address and a date; `From this principle, all of life` has neither",
        },
    ],
    ..NOTHING
};

pub(crate) const MBOX_SPLIT_FURTHER: &[(&str, &str)] = &[
    (
        "mailarc-3",
        "line 822 is a separator with a date and header fields behind it, without an empty line before it",
    ),
    (
        "malformed",
        "its 54 separators have dates and header fields behind them, and mostly no empty line before them",
    ),
];

const ODD_BASE64: &str = "RFC 2045 section 6.8: the lines are no base64; the program keeps them as text of the message";

pub(crate) const MIME: Allowed = Allowed {
    counts: &[
        Count {
            path: "mime/notmuch-corpora/insert/mbox-attachment.eml",
            program: 1,
            reader: 2,
            rule: "`From COMMIT Mon Sep 17 00:00:00 2001` heads a git patch (git-format-patch(1)), which is attached here",
        },
        Count {
            path: "mime/spamassassin-t-data/spam/008",
            program: 1,
            reader: 2,
            rule: "RFC 5322 section 4.5: a field name may have white space before its colon, as in `From  :<...>`",
        },
    ],
    text_after_all: &[(
        "mime/mimekit/messages/missing-subtype.txt",
        "RFC 2045 section 5.2 recommends text/plain for the type `application-x-gzip`; the part has a file name and is an attachment here, \
         whose text is searched",
    )],
    text_by_the_program: &[
        ("mime/mailcore2-parser/input/mbox/jwz/35#0", ODD_BASE64),
        ("mime/mailcore2-parser/input/mbox/jwz/85#0", ODD_BASE64),
        ("mime/mimekit/partial/rfc2046.eml#0", ODD_BASE64),
        (
            "mime/spamassassin-t-data/spam/008#0",
            "for the program the text behind `From  :` belongs to it, see the counts",
        ),
    ],
};

pub(crate) const BOUNCES: Allowed = Allowed {
    counts: &[Count {
        path: "bounces/sisimai/maildir/mac/rhost-cox-01.eml",
        program: 2,
        reader: 1,
        rule: "RFC 5322 section 2.3: bare CR as the only line end; its twin with LF has two messages for both",
    }],
    ..NOTHING
};
