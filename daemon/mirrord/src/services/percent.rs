//! Percent-encoding of the parts of a URL, where letters of any script stay
//! readable.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What would end a part of a URL, or be read as an encoding.
const NOT_IN_A_PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=');

/// Gives the text that stands encoded here; `None` where it is no UTF-8 or a
/// `%` is not followed by two digits.
pub(super) fn decoded(text: &str) -> Option<String> {
    let is_byte = |after: &str| {
        after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    // The library takes a `%` that begins no encoding as it stands.
    if !text.split('%').skip(1).all(is_byte) {
        return None;
    }
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

pub(super) fn encoded(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            shown.push(letter);
        } else {
            shown.extend(utf8_percent_encode(letter.encode_utf8(&mut [0; 4]), NOT_IN_A_PART));
        }
    }
    shown
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
        for text in ["%", "%4", "%zz", "%+1", "%ff", "%%41", "%ü"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn letters_of_any_script_stay_readable() {
        assert_eq!(encoded("Übung 1"), "Übung%201");
        assert_eq!(encoded("a@b:c/d"), "a%40b%3Ac%2Fd");
        assert_eq!(encoded("-._~!$&'()*+,="), "-._~!$&'()*+,=");
    }
}
