//! Text that arrives in pieces, which may end inside a letter.

/// What the last piece left: less than a letter.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    rest: Vec<u8>,
}

impl Pieces {
    /// The text of a piece, with what an earlier one left; the beginning of a letter
    /// waits for its end. What is no text is shown as such.
    pub(super) fn next(&mut self, piece: &[u8]) -> String {
        self.rest.extend_from_slice(piece);
        let unfinished = unfinished(&self.rest);
        let rest = self.rest.split_off(self.rest.len() - unfinished);
        let whole = std::mem::replace(&mut self.rest, rest);
        String::from_utf8_lossy(&whole).into_owned()
    }

    pub(super) fn end(self) -> String {
        String::from_utf8_lossy(&self.rest).into_owned()
    }
}

/// How many bytes at the end are the beginning of a letter.
fn unfinished(bytes: &[u8]) -> usize {
    let end = &bytes[bytes.len().saturating_sub(3)..];
    (1..=end.len())
        .find(|count| {
            let tail = std::str::from_utf8(&end[end.len() - count..]);
            tail.is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(bytes: &[u8], length: usize) -> String {
        let mut pieces = Pieces::default();
        let text: String = bytes.chunks(length).map(|piece| pieces.next(piece)).collect();
        text + &pieces.end()
    }

    #[test]
    fn text_is_the_same_wherever_its_pieces_end() {
        let texts: [&[u8]; 4] = [
            "aä€\u{1f600}, Grüße: 日本".as_bytes(),
            b"no \xff text \xe2\x82 at all \xf0\x9f",
            b"\xe2",
            b"",
        ];
        for text in texts {
            let whole = String::from_utf8_lossy(text);
            for length in 1..=7 {
                assert_eq!(in_pieces(text, length), whole, "in pieces of {length}");
            }
        }
    }

    #[test]
    fn text_is_shown_as_soon_as_it_is_whole() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.next("ab\u{e4}".as_bytes()), "ab\u{e4}");
        assert_eq!(pieces.next(&"€".as_bytes()[..2]), "");
        assert_eq!(pieces.next(&"€".as_bytes()[2..]), "€");
    }
}
