//! Where the program and the independent reader differ with reason: each place by name, with the rule. A place that no longer differs
//! fails the tests, and so does one that is not here.

/// A file that the two split into different numbers of messages.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub path: &'static str,
    pub program: u64,
    pub reader: u64,
    #[expect(dead_code, reason = "for the reader of a failure")]
    pub rule: &'static str,
}

/// What is known of one set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowed {
    pub counts: &'static [Count],
    /// Listed as being without text although the reader finds words: path and rule.
    pub text_after_all: &'static [(&'static str, &'static str)],
    /// Without text for the reader, with text for the program: path with ordinal, and rule.
    pub text_by_the_program: &'static [(&'static str, &'static str)],
}

pub const NOTHING: Allowed = Allowed {
    counts: &[],
    text_after_all: &[],
    text_by_the_program: &[],
};

pub const SAMPLES: Allowed = Allowed {
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

pub const MBOX: Allowed = Allowed { counts: &[], ..NOTHING };

pub const MBOX_SPLIT_FURTHER: &[(&str, &str)] = &[
    (
        "mailarc-3",
        "line 822 is a separator with a date and header fields behind it, without an empty line before it",
    ),
    (
        "malformed",
        "its 54 separators have dates and header fields behind them, and mostly no empty line before them",
    ),
];

pub const MIME: Allowed = Allowed { counts: &[], ..NOTHING };

pub const BOUNCES: Allowed = Allowed { counts: &[], ..NOTHING };
