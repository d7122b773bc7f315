//! One pattern of an ignore file, matched as git matches it: byte by byte.
//!
//! Time is bounded by pattern times text, whatever the pattern: ignore files
//! come from other machines. So is a pattern, by what can match any path.

use crate::path::MAX_PATH_BYTES;

/// A set of bytes, as `[…]` makes one.
type Bytes = [bool; 256];

#[derive(Clone, Debug)]
enum Token {
    Byte(u8),
    /// `?`
    Any,
    Class(Box<Bytes>),
    /// `*`: whatever has no slash.
    Star,
    /// `**`: whatever there is.
    Deep,
    /// `**/`: nothing, or whatever ends with a slash.
    Folders,
}

/// A pattern without its `!`, its leading and its closing slash.
#[derive(Clone, Debug)]
pub(super) struct Wildmatch {
    /// What the text has to begin and to end with; most texts are told by it.
    prefix: Vec<u8>,
    suffix: Vec<u8>,
    /// What has to match all that is between.
    middle: Vec<Token>,
}

impl Wildmatch {
    /// `None` for what matches nothing: an open class, a lone backslash.
    pub(super) fn new(pattern: &[u8]) -> Option<Self> {
        let plain = pattern.iter().take_while(|byte| !b"*?[\\".contains(byte)).count();
        let (prefix, rest) = pattern.split_at(plain);
        let mut middle = tokens(rest)?;
        if prefix.len() + middle.iter().filter(|token| token.takes_one()).count() > MAX_PATH_BYTES {
            return None;
        }
        let mut suffix = Vec::new();
        while let Some(Token::Byte(byte)) = middle.last() {
            suffix.push(*byte);
            middle.pop();
        }
        suffix.reverse();
        Some(Self { prefix: prefix.to_vec(), suffix, middle })
    }

    /// The only text that it matches, if it has no wildcard.
    pub(super) fn plain(&self) -> Option<String> {
        let text = [self.prefix.as_slice(), self.suffix.as_slice()].concat();
        String::from_utf8(text).ok().filter(|_| self.middle.is_empty())
    }

    /// How many pieces are compared with a text one by one.
    pub(super) fn pieces(&self) -> usize {
        self.middle.len()
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let text = text.as_bytes().strip_prefix(self.prefix.as_slice());
        let between = text.and_then(|text| text.strip_suffix(self.suffix.as_slice()));
        between.is_some_and(|between| self.matches_middle(between))
    }

    fn matches_middle(&self, text: &[u8]) -> bool {
        match self.middle.as_slice() {
            [] => text.is_empty(),
            [Token::Star] => !text.contains(&b'/'),
            [Token::Folders] => text.is_empty() || text.ends_with(b"/"),
            tokens => {
                // Where in the text the tokens so far can end.
                let mut ends = vec![false; text.len() + 1];
                ends[0] = true;
                for token in tokens {
                    token.advance(text, &mut ends);
                }
                ends[text.len()]
            }
        }
    }
}

impl Token {
    /// Whether it stands for one byte: more of these than a path has match none.
    fn takes_one(&self) -> bool {
        match self {
            Self::Byte(_) | Self::Any | Self::Class(_) => true,
            Self::Star | Self::Deep | Self::Folders => false,
        }
    }

    /// Whether twice in a row it is what it is once.
    fn absorbs(&self, next: &Self) -> bool {
        matches!((self, next), (Self::Folders, Self::Folders))
    }

    fn advance(&self, text: &[u8], ends: &mut [bool]) {
        match self {
            Self::Byte(wanted) => step(text, ends, |byte| byte == *wanted),
            Self::Any => step(text, ends, |byte| byte != b'/'),
            Self::Class(class) => step(text, ends, |byte| byte != b'/' && class[usize::from(byte)]),
            Self::Star => stretch(text, ends, |byte| byte != b'/'),
            Self::Deep => stretch(text, ends, |_| true),
            Self::Folders => skip_folders(text, ends),
        }
    }
}

fn step(text: &[u8], ends: &mut [bool], takes: impl Fn(u8) -> bool) {
    for at in (0..text.len()).rev() {
        ends[at + 1] = ends[at] && takes(text[at]);
    }
    ends[0] = false;
}

fn stretch(text: &[u8], ends: &mut [bool], takes: impl Fn(u8) -> bool) {
    for at in 0..text.len() {
        ends[at + 1] |= ends[at] && takes(text[at]);
    }
}

fn skip_folders(text: &[u8], ends: &mut [bool]) {
    let mut begun = false;
    for at in 0..text.len() {
        begun |= ends[at];
        ends[at + 1] |= begun && text[at] == b'/';
    }
}

fn tokens(pattern: &[u8]) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut left = pattern;
    while let Some((&first, after)) = left.split_first() {
        let (token, after) = match first {
            b'*' => {
                // The end of the plain prefix counts as a border, as in git.
                let is_border = left.len() == pattern.len() || ends_with_slash(&tokens);
                stars(is_border, left)
            }
            b'?' => (Token::Any, after),
            b'[' => class(after)?,
            b'\\' => {
                let (&escaped, after) = after.split_first()?;
                (Token::Byte(escaped), after)
            }
            plain => (Token::Byte(plain), after),
        };
        if !tokens.last().is_some_and(|last: &Token| last.absorbs(&token)) {
            tokens.push(token);
        }
        left = after;
    }
    Some(tokens)
}

fn ends_with_slash(tokens: &[Token]) -> bool {
    matches!(tokens.last(), Some(Token::Byte(b'/') | Token::Folders))
}

/// Two stars or more mean more than one only as a whole part of the path.
fn stars(is_border: bool, pattern: &[u8]) -> (Token, &[u8]) {
    let count = pattern.iter().take_while(|byte| **byte == b'*').count();
    let after = &pattern[count..];
    match after {
        _ if count == 1 || !is_border => (Token::Star, after),
        [b'/', below @ ..] => (Token::Folders, below),
        [] | [b'\\', b'/', ..] => (Token::Deep, after),
        _ => (Token::Star, after),
    }
}

/// Reads a class from behind its `[`.
fn class(pattern: &[u8]) -> Option<(Token, &[u8])> {
    let (negated, mut left) = match pattern {
        [b'!' | b'^', after @ ..] => (true, after),
        _ => (false, pattern),
    };
    let mut set = Box::new([false; 256]);
    let mut previous = None;
    // A bracket in the first place is a member.
    loop {
        let (&first, after) = left.split_first()?;
        left = match (first, after, previous) {
            (b'[', [b':', named @ ..], _) if names_class(named)? => {
                previous = None;
                add_named(&mut set, named)?
            }
            (b'-', [next, ..], Some(from)) if *next != b']' => {
                let (to, after) = member(after)?;
                (from..=to).for_each(|byte| set[usize::from(byte)] = true);
                previous = None;
                after
            }
            _ => {
                let (byte, after) = member(left)?;
                set[usize::from(byte)] = true;
                previous = Some(byte);
                after
            }
        };
        if let [b']', after @ ..] = left {
            set.iter_mut().for_each(|is_in| *is_in ^= negated);
            return Some((Token::Class(set), after));
        }
    }
}

/// One member of a class, perhaps behind a backslash.
fn member(pattern: &[u8]) -> Option<(u8, &[u8])> {
    match pattern {
        [b'\\', escaped, after @ ..] => Some((*escaped, after)),
        [b'\\'] | [] => None,
        [plain, after @ ..] => Some((*plain, after)),
    }
}

/// Whether what follows `[:` closes with `:]`; else the bracket is a member.
fn names_class(pattern: &[u8]) -> Option<bool> {
    let end = pattern.iter().position(|byte| *byte == b']')?;
    Some(end > 0 && pattern[end - 1] == b':')
}

/// Adds all of a class such as `alpha:]`; no such class makes no pattern.
fn add_named<'a>(set: &mut Bytes, pattern: &'a [u8]) -> Option<&'a [u8]> {
    let end = pattern.iter().position(|byte| *byte == b']')?;
    let is_in: fn(&u8) -> bool = match &pattern[..end - 1] {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| matches!(byte, b' ' | b'\t'..=b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    };
    (0..=u8::MAX).filter(is_in).for_each(|byte| set[usize::from(byte)] = true);
    Some(&pattern[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        let matches = Wildmatch::new(pattern.as_bytes()).is_some_and(|glob| glob.matches(text));
        assert_eq!(matches, expected, "{pattern:?} on {text:?}");
    }

    #[test]
    fn one_star_stays_in_its_folder() {
        check("*.md", "a.md", true);
        check("*.md", "a/b.md", false);
        check("a/*/c", "a/b/c", true);
        check("a/*/c", "a/b/b/c", false);
    }

    #[test]
    fn two_stars_cross_folders_when_they_stand_alone() {
        check("**/c", "c", true);
        check("**/c", "a/b/c", true);
        check("a/**/c", "a/c", true);
        check("a/**", "a/b/c", true);
        check("a/b**c", "a/b/c", false);
        check("x?/b**c", "xy/b/c", false);
    }

    #[test]
    fn class_takes_members_ranges_and_names() {
        check("[a-c]", "b", true);
        check("[!a-c]", "b", false);
        check("[]a]", "]", true);
        check("[a-]", "-", true);
        check("[\\]]", "]", true);
        check("[[:digit:]x]", "7", true);
        check("[[:digit:]x]", "x", true);
        check("[[:nonsense:]]", "a", false);
        check("[[:a]", ":", true);
        check("a[!b]c", "a/c", false);
    }

    #[test]
    fn broken_pattern_matches_nothing() {
        check("[a", "[a", false);
        check("a\\", "a\\", false);
        check("[a\\", "a", false);
    }

    #[test]
    fn cunning_pattern_ends_in_time() {
        let pattern = "**/*a".repeat(100);
        check(&pattern, &"a/".repeat(500), false);
    }

    #[test]
    fn pattern_has_no_more_pieces_than_can_match_a_path() {
        let pieces = |pattern: &str| Wildmatch::new(pattern.as_bytes()).map(|glob| glob.pieces());
        assert_eq!(pieces(&"?".repeat(1_024)), Some(1_024));
        assert_eq!(pieces(&"?".repeat(1_025)), None);
        assert_eq!(pieces(&"[a]".repeat(2_000)), None);
        assert_eq!(pieces(&format!("*{}", "a".repeat(4 << 20))), None);
        assert_eq!(pieces(&"**/".repeat(100_000)), Some(1));
        assert_eq!(pieces(&"*".repeat(100_000)), Some(1));
        assert_eq!(pieces(&"*?".repeat(1_000)), Some(2_000));
        check(&"?".repeat(1_024), &"a".repeat(1_024), true);
        check(&format!("{}a", "**/".repeat(3)), "b/c/d/e/a", true);
    }
}
