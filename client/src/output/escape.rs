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

fn replace(text: impl Iterator<Item = char>, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::new();
    for letter in text {
        match letter {
            _ if stays(letter) => shown.push(letter),
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
    shown
}

fn is_hidden(letter: char) -> bool {
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
