//! Names as the most forgiving file system compares them.

use std::borrow::Borrow;

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

/// The Unicode versions of case folding and of normalisation that twins are
/// found by, part of format 1: another version could make other commits void.
///
/// The two differ harmlessly. Both may only ever add characters, so they agree
/// on every character that the older one knows.
pub const UNICODE_VERSION: (&str, &str) = ("16.0.0", "18.0.0");

/// A text after canonical case folding and composition, NFC(fold(NFD(x))), each
/// part without the dots and spaces at its end.
///
/// Two parts fold alike when they are a canonical caseless match (Unicode D145)
/// but for that end, which Windows drops: there `a.` is the file `a`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folded(Box<str>);

impl Folded {
    /// Folds each segment by itself, as `/` neither folds nor composes.
    pub fn of(text: &str) -> Self {
        let folded = match text.is_ascii() {
            true => text.to_ascii_lowercase(),
            false => text.nfd().default_case_fold().nfc().collect(),
        };
        Self(without_ends(folded).into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0.into()
    }

    /// Every folder above this, outermost first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }
}

fn without_ends(text: String) -> String {
    let dropped = ['.', ' '];
    if !text.split('/').any(|part| part.ends_with(dropped)) {
        return text;
    }
    let parts: Vec<&str> = text.split('/').map(|part| part.trim_end_matches(dropped)).collect();
    parts.join("/")
}

impl Borrow<str> for Folded {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn alike(one: &str, other: &str) {
        assert_eq!(Folded::of(one), Folded::of(other), "{one:?} and {other:?}");
    }

    #[track_caller]
    fn apart(one: &str, other: &str) {
        assert_ne!(Folded::of(one), Folded::of(other), "{one:?} and {other:?}");
    }

    #[test]
    fn names_fold_alike_when_only_case_differs() {
        alike("README.md", "readme.MD");
        alike("STRASSE", "straße");
        alike("Σίσυφος", "ΣΊΣΥΦΟΣ");
        apart("a", "á");
        apart("ı", "i");
    }

    #[test]
    fn names_fold_alike_when_only_composition_differs() {
        alike("caf\u{e9}", "cafe\u{301}");
        alike("\u{1e69}", "s\u{307}\u{323}");
        alike("CAFE\u{301}/A", "caf\u{e9}/a");
    }

    #[test]
    fn names_fold_alike_when_only_dots_and_spaces_at_the_end_differ() {
        alike("a.", "a");
        alike("Notes. ./B..", "notes/b");
        alike("caf\u{e9} ", "CAFE\u{301}.");
        apart("a.b", "ab");
        apart(" a", "a");
        apart("a-", "a");
    }

    #[test]
    fn folding_composes_again_after_case() {
        // Alpha with iota below and an accent: folding without NFD first, or
        // without composing after, tells these apart.
        alike("\u{3b1}\u{345}\u{301}", "\u{391}\u{301}\u{345}");
        alike("\u{1f80}", "\u{1f88}");
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["İstanbul", "ǰ\u{323}", "ΐ", "\u{1fc3}\u{301}", "ﬁ", "Å", "a. ./b. "] {
            let once = Folded::of(text);
            assert_eq!(Folded::of(once.as_str()), once, "{text:?}");
        }
    }

    #[test]
    fn folding_stays_at_the_unicode_versions_of_format_one() {
        let (major, minor, patch) = caseless::UNICODE_VERSION;
        assert_eq!(format!("{major}.{minor}.{patch}"), UNICODE_VERSION.0);
        let (major, minor, patch) = unicode_normalization::UNICODE_VERSION;
        assert_eq!(format!("{major}.{minor}.{patch}"), UNICODE_VERSION.1);
    }
}
