//! Makes text from other machines and services safe for a terminal.
//!
//! What comes out has no control, bidi or zero-width character and a bounded
//! length; what was there is shown as an escape instead.

use std::fmt::Write;

/// Longer names and messages are cut; no path needs more to be recognised.
const LONGEST: usize = 1_000;

/// Text on one line: a name, a message, a reason.
pub(crate) fn escape(text: &str) -> String {
    let mut shown = replace(text.chars().take(LONGEST), |_| false);
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// A line of a file's content: tabs stay, and so does its length.
pub(crate) fn escape_content(text: &str) -> String {
    replace(text.chars(), |letter| letter == '\t')
}

/// Whole text of ours with what came from elsewhere in it: lines, tabs and our
/// colours stay, and whatever was forgotten to be escaped is escaped here.
pub(crate) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let taken = match color_at(rest) {
            0 => letter.len_utf8(),
            color => color,
        };
        let (now, later) = rest.split_at(taken);
        match taken > letter.len_utf8() || letter == '\n' || letter == '\t' {
            true => shown.push_str(now),
            false => now.chars().for_each(|letter| push_escaped(letter, &mut shown)),
        }
        rest = later;
    }
    shown
}

/// How long the change of colour is that the text begins with; 0 for anything else.
fn color_at(text: &str) -> usize {
    let Some(after) = text.strip_prefix("\u{1b}[") else { return 0 };
    let digits = after.find(|letter: char| !matches!(letter, '0'..='9' | ';'));
    match digits.filter(|end| *end <= 8 && after[*end..].starts_with('m')) {
        Some(end) => 2 + end + 1,
        None => 0,
    }
}

/// A JSON document whose strings say the same with no hidden character in them, so
/// that it may be looked at in a terminal, too.
pub(crate) fn harmless_json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    for letter in document.chars() {
        match letter {
            '\n' => shown.push(letter),
            _ if is_hidden(letter) => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing into a string never fails.
                    let _ = write!(shown, "\\u{unit:04x}");
                }
            }
            _ => shown.push(letter),
        }
    }
    shown
}

/// The same of a file's content, whose colours are none of ours.
pub(crate) fn harmless_content(text: &str) -> String {
    replace(text.chars(), |letter| matches!(letter, '\n' | '\t'))
}

fn replace(text: impl Iterator<Item = char>, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::new();
    for letter in text {
        match stays(letter) {
            true => shown.push(letter),
            false => push_escaped(letter, &mut shown),
        }
    }
    shown
}

fn push_escaped(letter: char, shown: &mut String) {
    match letter {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        _ if is_hidden(letter) => {
            // Writing into a string never fails.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(letter));
        }
        _ => shown.push(letter),
    }
}

pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{00ad}' // soft hyphen
            | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' // zero width and direction marks
            | '\u{2028}'..='\u{202e}' // separators, embeddings, overrides
            | '\u{2060}'..='\u{206f}' // joiners, isolates
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' // tags
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["a.md", "memory/Grüße — 日本.md", "sp ace\\.md"] {
            assert_eq!(escape(name), name);
        }
    }

    #[test]
    fn control_bidi_and_zero_width_characters_are_shown_not_obeyed() {
        assert_eq!(escape("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(escape("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(escape("dm.\u{202e}exe"), "dm.\\u{202e}exe");
        assert_eq!(escape("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
        assert_eq!(escape("a\nb\tc\r"), "a\\nb\\tc\\r");
    }

    #[test]
    fn nothing_but_colours_gets_through_unescaped() {
        let text = "\u{1b}[1;32msent\u{1b}[0m\ta\u{1b}]0;title\u{7}\n\u{1b}[2J\u{9b}m\u{202e}\r";
        assert_eq!(
            harmless(text),
            "\u{1b}[1;32msent\u{1b}[0m\ta\\u{1b}]0;title\\u{7}\n\\u{1b}[2J\\u{9b}m\\u{202e}\\r"
        );
    }

    #[test]
    fn json_says_the_same_with_nothing_hidden_in_it() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}2J\u{7f}\u{200b}", "\u{e0041}é\n"]});
        let shown = harmless_json(&format!("{value}\n"));
        assert!(!shown.trim_end().chars().any(is_hidden), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn long_text_is_cut() {
        let shown = escape(&"x".repeat(5_000));
        assert_eq!(shown.chars().count(), LONGEST + 1);
        assert!(shown.ends_with('…'));
    }

    #[test]
    fn content_keeps_its_tabs_and_its_length() {
        let line = format!("\t{}\u{7}", "x".repeat(5_000));
        assert_eq!(escape_content(&line), format!("\t{}\\u{{7}}", "x".repeat(5_000)));
    }
}
