//! Sentences of what somebody wrote.
//!
//! A sentence ends at a full stop, question or exclamation mark before white space and something that may begin one, at an empty line, and
//! before a list item; a line break within a paragraph is a space. Abbreviations of ranks, titles and references end none. Main function:
//! [`sentences`]. Invariant: every word of the text is in exactly one sentence, in order.

/// Words before a full stop that ends no sentence.
const SHORT: [&str; 38] = [
    "mr", "mrs", "ms", "dr", "rev", "prof", "st", "det", "supt", "insp", "sgt", "ch", "con", "const", "cons", "pc",
    "ps", "dc", "ds", "no", "nos", "ref", "refs", "reg", "regs", "para", "paras", "sch", "art", "sec", "eg", "ie",
    "approx", "dept", "ext", "tel", "cf", "vs",
];

/// The sentences of a text, with single spaces.
pub(crate) fn sentences(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut paragraph = String::new();
    for line in text.lines() {
        let line = line.trim();
        let begins = line.is_empty() || is_list_item(line);
        if begins {
            divide(&paragraph, &mut all);
            paragraph.clear();
        }
        for word in line.split_whitespace() {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(word);
        }
    }
    divide(&paragraph, &mut all);
    all
}

fn is_list_item(line: &str) -> bool {
    let mut chars = line.chars();
    match chars.next() {
        Some('-' | '*' | '\u{2022}' | '\u{2013}') => chars.next().is_some_and(char::is_whitespace),
        Some(first) if first.is_ascii_alphanumeric() => {
            let label: String = line
                .chars()
                .take_while(|one| one.is_ascii_alphanumeric())
                .take(4)
                .collect();
            let numbered = label.chars().all(|one| one.is_ascii_digit()) || label.chars().count() == 1;
            numbered && label.len() <= 2 && line[label.len()..].starts_with(['.', ')']) && {
                line[label.len() + 1..].starts_with(char::is_whitespace)
            }
        }
        _ => false,
    }
}

fn divide(paragraph: &str, all: &mut Vec<String>) {
    let mut start = 0;
    let mut marks = paragraph.char_indices().peekable();
    while let Some((at, mark)) = marks.next() {
        if !matches!(mark, '.' | '?' | '!') {
            continue;
        }
        let next = marks.peek().map(|(_, next)| *next);
        // Marks in a row, and closing quotes, belong to the sentence.
        if next.is_some_and(|next| matches!(next, '.' | '?' | '!' | '"' | '\'' | ')' | '\u{2019}' | '\u{201d}')) {
            continue;
        }
        if next.is_some_and(|next| next != ' ') {
            continue;
        }
        if mark == '.' && ends_none(&paragraph[start..at], &paragraph[at + 1..]) {
            continue;
        }
        push(&paragraph[start..at + mark.len_utf8()], all);
        start = at + mark.len_utf8();
    }
    push(&paragraph[start..], all);
}

fn ends_none(before: &str, behind: &str) -> bool {
    let word: String = before
        .chars()
        .rev()
        .take_while(|one| one.is_alphanumeric() || *one == '.')
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let bare = word.replace('.', "").to_lowercase();
    // The number of a list item.
    let is_label = bare.len() <= 2 && before.trim() == word && bare.chars().all(|one| one.is_ascii_digit());
    let first = behind.trim_start().chars().next();
    let is_short =
        SHORT.contains(&bare.as_str()) || (bare.chars().count() == 1 && bare.chars().all(char::is_alphabetic));
    ((is_short || is_label) && !bare.is_empty()) || first.is_some_and(char::is_lowercase)
}

fn push(sentence: &str, all: &mut Vec<String>) {
    let sentence = sentence.trim();
    if sentence.chars().any(char::is_alphanumeric) {
        all.push(sentence.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(sentences(text), expected, "{text}");
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        check("One. Two?\nThree!", &["One.", "Two?", "Three!"]);
        check(
            "I told Det. Supt. Able of reg. 12\nand A. Best. Then I went.",
            &["I told Det. Supt. Able of reg. 12 and A. Best.", "Then I went."],
        );
        check(
            "Jo,\n\nDone: PS/1/20 (v1.2).\n- one\n- two",
            &["Jo,", "Done: PS/1/20 (v1.2).", "- one", "- two"],
        );
        check("Is it so...? Yes.", &["Is it so...?", "Yes."]);
        check("\n \n-- \n", &[]);
        check("1. One\n2) Two", &["1. One", "2) Two"]);
        check("e.g. this one", &["e.g. this one"]);
    }
}
