//! Text from other machines, made fit for a terminal or an agent.

use std::fmt::Write as _;

use super::rules::is_ignorable;

/// Longest text that is shown whole, in characters of the original.
const MAX_SHOWN: usize = 200;

/// Writes control, bidirectional and invisible characters as `\u{…}` and ends
/// what is too long with `…`.
pub fn display_safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (count, character) in text.chars().enumerate() {
        if count == MAX_SHOWN {
            shown.push('…');
            break;
        }
        if is_unsafe(character) {
            // Writing to a `String` can't fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Line and paragraph separators break lines for some readers; interlinear
/// marks, tags and private characters show nothing that can be trusted.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || is_ignorable(character)
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_shown_as_it_is() {
        for text in ["notes/a.md", "café", "日本語", "🦀", "a b", ""] {
            assert_eq!(display_safe(text), text);
        }
    }

    #[test]
    fn nothing_reaches_a_terminal_that_could_drive_it() {
        assert_eq!(display_safe("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(display_safe("a\r\nb\u{9b}"), "a\\u{d}\\u{a}b\\u{9b}");
    }

    #[test]
    fn bidi_and_invisible_characters_are_spelt_out() {
        assert_eq!(display_safe("a\u{202e}dm.exe"), "a\\u{202e}dm.exe");
        assert_eq!(display_safe("a\u{200b}\u{feff}\u{2028}"), "a\\u{200b}\\u{feff}\\u{2028}");
        assert_eq!(display_safe("\u{e0041}\u{2066}"), "\\u{e0041}\\u{2066}");
    }

    #[test]
    fn shown_text_is_bounded() {
        assert_eq!(display_safe(&"é".repeat(200)), "é".repeat(200));
        assert_eq!(display_safe(&"é".repeat(5_000)), "é".repeat(200) + "…");
    }
}
