//! Patterns for paths: what `--exclude` takes.
//!
//! Not for: file systems; pure over bytes. A pattern without `/` is held against the last part of a path, one with `/`
//! against the whole path below the root. `*` is any run without `/`, `**` any run, `?` one byte but `/`, `[a-z]` one of
//! a set (`[!a-z]`: none of it), `\` takes the next byte as it is. Everything else is itself, byte for byte.
//! Invariant: time is at most pattern length times path length.

/// One pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    tokens: Vec<Token>,
    whole_path: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    AnyByte,
    Set {
        negated: bool,
        ranges: Vec<(u8, u8)>,
    },
    /// A run without `/`.
    Run,
    /// Any run.
    DeepRun,
    /// Stands before the two tokens of `**/` at the start of a part: they may be left out together.
    Parents,
}

impl Glob {
    /// Reads a pattern. Every text is one: a `[` that is not closed is itself.
    pub fn new(pattern: &str) -> Self {
        let pattern = pattern.strip_suffix('/').unwrap_or(pattern).as_bytes();
        let whole_path = pattern.contains(&b'/');
        let pattern = pattern.strip_prefix(b"/").unwrap_or(pattern);
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < pattern.len() {
            if pattern[at..].starts_with(b"**/") && (at == 0 || pattern[at - 1] == b'/') {
                tokens.push(Token::Parents);
            }
            let (token, length) = token(&pattern[at..]);
            tokens.push(token);
            at += length;
        }
        Self { tokens, whole_path }
    }

    /// True when the pattern matches this path below the root.
    pub fn matches(&self, path: &[u8]) -> bool {
        let text = if self.whole_path {
            path
        } else {
            path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
        };
        // The states a matcher can be in after each byte, so that no pattern takes exponential time.
        let mut states = vec![false; self.tokens.len() + 1];
        states[0] = true;
        self.skip_runs(&mut states);
        for byte in text {
            let mut next = vec![false; states.len()];
            for (index, token) in self.tokens.iter().enumerate().filter(|(index, _)| states[*index]) {
                match token {
                    Token::Run | Token::DeepRun => next[index] |= *token == Token::DeepRun || *byte != b'/',
                    one => next[index + 1] |= one.takes(*byte),
                }
            }
            self.skip_runs(&mut next);
            states = next;
        }
        states[self.tokens.len()]
    }

    /// A run may be empty: whoever stands before it may stand behind it.
    fn skip_runs(&self, states: &mut [bool]) {
        for (index, token) in self.tokens.iter().enumerate() {
            if states[index] && matches!(token, Token::Run | Token::DeepRun) {
                states[index + 1] = true;
            }
            if states[index] && *token == Token::Parents {
                states[index + 1] = true;
                states[index + 3] = true;
            }
        }
    }
}

impl Token {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(own) => *own == byte,
            Self::AnyByte => byte != b'/',
            Self::Set { negated, ranges } => {
                byte != b'/' && ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte)) != *negated
            }
            Self::Run | Self::DeepRun | Self::Parents => false,
        }
    }
}

/// The first token of a pattern and how many bytes it takes.
fn token(pattern: &[u8]) -> (Token, usize) {
    match pattern {
        [b'*', b'*', ..] => (Token::DeepRun, 2),
        [b'*', ..] => (Token::Run, 1),
        [b'?', ..] => (Token::AnyByte, 1),
        [b'\\', byte, ..] => (Token::Byte(*byte), 2),
        [b'[', rest @ ..] => set(rest).map_or((Token::Byte(b'['), 1), |(token, length)| (token, length + 1)),
        [byte, ..] => (Token::Byte(*byte), 1),
        [] => (Token::Run, 1),
    }
}

fn set(pattern: &[u8]) -> Option<(Token, usize)> {
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    // A `]` right at the start is a member.
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|byte| *byte == b']')?;
    let mut ranges = Vec::new();
    let mut members = &pattern[start..end];
    while let Some(low) = members.first() {
        if let [low, b'-', high, rest @ ..] = members {
            ranges.push((*low, *high));
            members = rest;
        } else {
            ranges.push((*low, *low));
            members = &members[1..];
        }
    }
    Some((Token::Set { negated, ranges }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_or_whole_paths() {
        for (pattern, path, expected) in [
            ("*.tmp", "a/b.tmp", true),
            ("*.tmp", "a/b.tmpx", false),
            ("a/*.tmp", "a/b.tmp", true),
            ("a/*.tmp", "a/c/b.tmp", false),
            ("a/**.tmp", "a/c/b.tmp", true),
            ("**/b", "b", true),
            ("**/b", "x/y/b", true),
            ("**/b", "x/yb", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/x/yb", false),
            ("/top", "top", true),
            ("/top", "x/top", false),
            ("dovecot*", "m/dovecot.index", true),
            ("?b", "ab", true),
            ("?b", "b", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[x", "[x", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("folder/", "folder", true),
            ("", "a", false),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(path.as_bytes()),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn a_pattern_of_many_runs_is_not_slow() {
        let pattern = "*a".repeat(200);
        assert!(!Glob::new(&pattern).matches("a".repeat(199).as_bytes()));
        assert!(Glob::new(&pattern).matches("a".repeat(400).as_bytes()));
    }
}
