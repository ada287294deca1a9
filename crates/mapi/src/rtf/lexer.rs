//! Rich text as tokens (RTF 1.9.1, "Basic Entities").
//!
//! Invariant: every token borrows from the input and moves on by at least one byte.

/// A piece of rich text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`.
    Open,
    /// `}`.
    Close,
    /// `\name` with its number.
    Word(&'a [u8], Option<i32>),
    /// `\` and one character that is no letter.
    Symbol(u8),
    /// `\'hh`.
    Hex(u8),
    /// Bytes as they stand, without line ends.
    Text(&'a [u8]),
    /// What follows `\binN`.
    Binary(&'a [u8]),
}

pub(super) struct Lexer<'a> {
    data: &'a [u8],
    at: usize,
    binary: Option<usize>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            at: 0,
            binary: None,
        }
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let first = *self.data.get(self.at)?;
        if first == b'\'' {
            let digits = self.data.get(self.at + 1..self.at + 3);
            let value = digits
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| u8::from_str_radix(digits, 16).ok());
            return Some(match value {
                Some(value) => {
                    self.at += 3;
                    Token::Hex(value)
                }
                None => {
                    self.at += 1;
                    Token::Symbol(b'\'')
                }
            });
        }
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            return Some(Token::Symbol(first));
        }
        let start = self.at;
        while self.data.get(self.at).is_some_and(u8::is_ascii_alphabetic) {
            self.at += 1;
        }
        let name = &self.data[start..self.at];
        let negative =
            self.data.get(self.at) == Some(&b'-') && self.data.get(self.at + 1).is_some_and(u8::is_ascii_digit);
        if negative {
            self.at += 1;
        }
        let mut number: Option<i32> = None;
        while let Some(digit) = self.data.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            let value = i32::from(digit - b'0');
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(value));
            self.at += 1;
        }
        if negative {
            number = number.map(|number| -number);
        }
        if self.data.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        if name == b"bin" {
            self.binary = number
                .and_then(|count| usize::try_from(count).ok())
                .filter(|count| *count > 0);
        }
        Some(Token::Word(name, number))
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(count) = self.binary.take() {
            let end = self.at.saturating_add(count).min(self.data.len());
            let bytes = &self.data[self.at..end];
            self.at = end;
            return Some(Token::Binary(bytes));
        }
        loop {
            let byte = *self.data.get(self.at)?;
            match byte {
                b'\r' | b'\n' => self.at += 1,
                b'{' => {
                    self.at += 1;
                    return Some(Token::Open);
                }
                b'}' => {
                    self.at += 1;
                    return Some(Token::Close);
                }
                b'\\' => {
                    self.at += 1;
                    return self.control();
                }
                _ => {
                    let rest = &self.data[self.at..];
                    let length = rest
                        .iter()
                        .position(|byte| matches!(byte, b'\r' | b'\n' | b'{' | b'}' | b'\\'))
                        .unwrap_or(rest.len());
                    self.at += length;
                    return Some(Token::Text(&rest[..length]));
                }
            }
        }
    }
}
