//! Percent-encoding of the parts of a URL.

use std::fmt::Write;

/// Gives the text that stands encoded here; `None` where it is no UTF-8 or a
/// `%` is not followed by two digits.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// Encodes what would end a part of a URL or be read as an encoding.
pub(super) fn encoded(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_plain(letter) {
            shown.push(letter);
            continue;
        }
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            // Writing into a string never fails.
            let _ = write!(shown, "%{byte:02X}");
        }
    }
    shown
}

fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || "-._~!$&'()*+,=".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for text in ["notes", "a b", "100%", "ü/é", "a?b#c", "ann@corp", "~", "%41", "😀"] {
            assert_eq!(decoded(&encoded(text)).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_encoding_is_refused() {
        for text in ["%", "%4", "%zz", "%+1", "%ff"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn letters_of_any_script_stay_readable() {
        assert_eq!(encoded("Übung 1"), "Übung%201");
    }
}
