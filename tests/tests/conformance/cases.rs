//! The cases: what is asked and which targets must be found.

/// One group of cases, by its name at NIST.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) note: Option<&'static str>,
}

/// One search.
pub(crate) struct Case {
    pub(crate) group: &'static str,
    pub(crate) about: &'static str,
    pub(crate) query: &'static str,
    /// The identifiers that it must find, and no other.
    pub(crate) finds: &'static [&'static str],
}

pub(crate) const GROUPS: &[Group] = &[
    Group {
        name: "FT-SS-01",
        about: "search ASCII",
        note: Some("With the letters as typed: `=` asks for case and accents."),
    },
    Group {
        name: "FT-SS-02",
        about: "search ignore case",
        note: None,
    },
    Group {
        name: "FT-SS-03",
        about: "search for words",
        note: Some("A word without a star is a whole word; stars ask for what lies within words. Signs part words."),
    },
    Group {
        name: "FT-SS-04",
        about: "search logical AND",
        note: None,
    },
    Group {
        name: "FT-SS-05",
        about: "search logical OR",
        note: None,
    },
    Group {
        name: "FT-SS-06",
        about: "search logical NOT",
        note: None,
    },
    Group {
        name: "FT-SS-07",
        about: "search Unicode",
        note: Some(
            "UTF-8, UTF-16 with and without byte order marks, combining marks, ligatures, scripts from right to left, Chinese, Japanese and Korean,\n\
             and the older character sets of mail. Ideographs, kana and hangul are words of one character; a string of them is a phrase.",
        ),
    },
    Group {
        name: "FT-SS-09",
        about: "formatted text and fragments",
        note: Some(
            "Strings with formatting in them, and strings across the boundaries at which files are read. Deleted files, unallocated space and\n\
             slack of file systems are no input of this program: an image of a disk is kept, hashed and counted as not searchable.",
        ),
    },
];

macro_rules! cases {
    ($($group:literal, $about:literal, $query:literal => [$($id:literal),*];)*) => {
        pub(crate) const CASES: &[Case] = &[$(Case { group: $group, about: $about, query: $query, finds: &[$($id),*] }),*];
    };
}

cases! {
    "FT-SS-01", "letters as typed", "=DireWolf" => ["as01", "as05", "as08", "as09", "as10"];
    "FT-SS-01", "upper case only", "=DIREWOLF" => ["as03"];
    "FT-SS-01", "words side by side", "=\"DireWolf and\"" => ["as05"];
    "FT-SS-01", "an address", "\"j.doe@wolf.example\"" => ["as11"];
    "FT-SS-01", "a telephone number", "\"020 7946 0018\"" => ["as11"];
    "FT-SS-02", "lower case asks for any", "direwolf" => ["as01", "as02", "as03", "as05", "as08", "as09", "as10"];
    "FT-SS-02", "so does upper case", "DIREWOLF" => ["as01", "as02", "as03", "as05", "as08", "as09", "as10"];
    "FT-SS-03", "whole words", "wolf" => ["as07", "as11"];
    "FT-SS-03", "beginnings of words", "direwolf*" => ["as01", "as02", "as03", "as04", "as05", "as08", "as09", "as10"];
    "FT-SS-03", "anywhere in words", "*rewolf*" => ["as01", "as02", "as03", "as04", "as05", "as08", "as09", "as10"];
    "FT-SS-03", "words with a sign between them", "dire-wolf" => ["as07"];
    "FT-SS-04", "both words", "direwolf AND panda" => ["as05"];
    "FT-SS-04", "words of which one is nowhere", "direwolf AND unicorn" => [];
    "FT-SS-05", "one of two words", "unicorn OR panda" => ["as05", "as06"];
    "FT-SS-06", "one word without the other", "panda NOT direwolf" => ["as06"];
    "FT-SS-07", "UTF-8 and UTF-16, composed and decomposed, and older character sets", "werwölfe"
        => ["un01", "un02", "un03", "un04", "un05", "un06", "un07", "lg01", "lg02", "lg07", "lg08"];
    "FT-SS-07", "without the accent", "werwolfe"
        => ["un01", "un02", "un03", "un04", "un05", "un06", "un07", "lg01", "lg02", "lg07", "lg08"];
    "FT-SS-07", "with the accent as typed", "=Werwölfe"
        => ["un01", "un02", "un03", "un04", "un05", "un06", "un07", "lg01", "lg02", "lg07", "lg08"];
    "FT-SS-07", "a ligature and its letters", "fingerprint" => ["un08", "un09"];
    "FT-SS-07", "a query with a ligature", "ﬁngerprint" => ["un08", "un09"];
    "FT-SS-07", "Greek, any case", "ΛΎΚΟΣ" => ["un10"];
    "FT-SS-07", "Cyrillic", "волк" => ["un11", "lg03"];
    "FT-SS-07", "Arabic", "الذئب" => ["un12"];
    "FT-SS-07", "Hebrew", "זאב" => ["un13"];
    "FT-SS-07", "Chinese", "恐狼" => ["un14", "un18", "lg04"];
    "FT-SS-07", "Chinese, one character", "狼" => ["un14", "un18", "lg04"];
    "FT-SS-07", "Chinese, the characters in another order", "狼恐" => [];
    "FT-SS-07", "Japanese", "オオカミ" => ["un15", "lg05"];
    "FT-SS-07", "Korean, composed and decomposed", "늑대" => ["un16", "un17", "lg06"];
    "FT-SS-07", "full-width letters", "\"dire planet\"" => ["un19"];
    "FT-SS-09", "formatted text", "\"lynx pair\""
        => ["fm01", "fm02", "fm03", "fm04", "fm05", "fm06", "fm07", "fm08", "fm09", "fm10", "fm11", "fm12", "fm13", "fm14", "fm15", "fm16"];
    "FT-SS-09", "fragments", "wolverine" => ["fr01", "fr02", "fr03", "fr04", "fr05", "fr06", "fr07"];
    "FT-SS-09", "words on two lines", "\"grey wolverine\"" => ["fr06"];
}
