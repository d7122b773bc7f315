//! Where each value of a text stands. The text is known to be JSON.

use super::{Kind, Member, Node};

/// The value that begins here, after blanks.
pub(super) fn value(text: &str, start: usize) -> Node {
    Scanner { text, at: start }.value()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn value(&mut self) -> Node {
        let first = self.next_letter();
        let start = self.at;
        let kind = match first {
            b'{' => Kind::Object(self.inside(b'}', Self::member)),
            b'[' => Kind::Array(self.inside(b']', Self::value)),
            b'"' => {
                self.string();
                Kind::Plain
            }
            _ => {
                let rest = &self.text[start..];
                let end = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']);
                self.at = end.map_or(self.text.len(), |end| start + end);
                Kind::Plain
            }
        };
        Node { span: start..self.at, kind }
    }

    /// All up to the bracket that closes, each read by `one`.
    fn inside<T>(&mut self, close: u8, one: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut all = Vec::new();
        self.at += 1;
        while self.next_letter() != close {
            all.push(one(self));
            if self.next_letter() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        all
    }

    fn member(&mut self) -> Member {
        self.next_letter();
        let start = self.at;
        self.string();
        let key = serde_json::from_str(&self.text[start..self.at]).unwrap_or_default();
        self.next_letter();
        // The colon.
        self.at += 1;
        Member { key, start, value: self.value() }
    }

    fn string(&mut self) {
        let mut is_escaped = false;
        let rest = self.text.as_bytes()[self.at + 1..].iter();
        let end = rest.enumerate().find(|(_, byte)| {
            let ends = **byte == b'"' && !is_escaped;
            is_escaped = **byte == b'\\' && !is_escaped;
            ends
        });
        self.at = end.map_or(self.text.len(), |(end, _)| self.at + end + 2);
    }

    /// Goes past blanks, and says what comes then.
    fn next_letter(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        // The closing bracket of everything ends the loops above.
        bytes.get(self.at).copied().unwrap_or(b'}')
    }
}
