//! Splits code into items: what a file, a module or an `impl` block is made of.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Words that say what an item is.
const KEYWORDS: [&str; 12] = [
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "impl",
    "mod",
    "use",
    "const",
    "static",
    "type",
    "macro_rules",
];

/// Items that hold braces before they end.
const END_AT_SEMICOLON: [&str; 4] = ["use", "const", "static", "type"];

/// One `fn`, `struct`, `impl` and so on, or the call of a macro.
pub(super) struct Item {
    /// Empty for a macro's call.
    pub(super) keyword: String,
    /// The first word after the keyword.
    pub(super) name: String,
    pub(super) is_public: bool,
    /// What follows the keyword; all of it for a macro's call.
    pub(super) tokens: Vec<TokenTree>,
}

impl Item {
    /// The last braces: a body, or what a block holds.
    pub(super) fn body(&self) -> Option<&Group> {
        self.tokens.iter().rev().find_map(|token| braces(token))
    }

    fn of(tokens: Vec<TokenTree>) -> Self {
        let Some(at) = keyword_in(&tokens) else {
            let (keyword, name) = (String::new(), String::new());
            return Self { keyword, name, is_public: false, tokens };
        };
        let (head, rest) = tokens.split_at(at);
        let is_public = head.iter().any(|token| is_word(token, "pub"));
        let rest = &rest[1..];
        let name = rest.iter().find_map(word).unwrap_or_default();
        Self { keyword: tokens[at].to_string(), name, is_public, tokens: rest.to_vec() }
    }
}

/// The items of some code, without those for tests alone.
pub(super) fn items(code: TokenStream) -> Vec<Item> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for token in code {
        let ends = is_mark(&token, ';') || (braces(&token).is_some() && ends_with_braces(&open));
        open.push(token);
        if ends {
            let tokens = std::mem::take(&mut open);
            found.extend((!is_for_tests(&tokens)).then(|| Item::of(tokens)));
        }
    }
    found
}

fn ends_with_braces(open: &[TokenTree]) -> bool {
    let keyword = keyword_in(open).map(|at| open[at].to_string());
    !keyword.is_some_and(|keyword| END_AT_SEMICOLON.contains(&keyword.as_str()))
}

/// Where the keyword stands; the `const` of a `const fn` is none.
fn keyword_in(tokens: &[TokenTree]) -> Option<usize> {
    let at = tokens.iter().position(|token| KEYWORDS.iter().any(|word| is_word(token, word)))?;
    let function = tokens[at..].iter().take(4).position(|token| is_word(token, "fn"));
    if is_word(&tokens[at], "const") { Some(at + function.unwrap_or(0)) } else { Some(at) }
}

fn is_for_tests(tokens: &[TokenTree]) -> bool {
    let attributes = tokens.windows(2).filter(|pair| is_mark(&pair[0], '#'));
    attributes.filter_map(|pair| group(&pair[1])).any(|attribute| {
        let words: String = attribute.stream().to_string().split_whitespace().collect();
        words == "cfg(test)" || words.starts_with("cfg(all(test,")
    })
}

pub(super) fn group(token: &TokenTree) -> Option<&Group> {
    if let TokenTree::Group(group) = token { Some(group) } else { None }
}

/// The inside of a token in braces.
pub(super) fn braces(token: &TokenTree) -> Option<&Group> {
    group(token).filter(|group| group.delimiter() == Delimiter::Brace)
}

pub(super) fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

pub(super) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

pub(super) fn word(token: &TokenTree) -> Option<String> {
    if let TokenTree::Ident(ident) = token { Some(ident.to_string()) } else { None }
}

/// The path that begins at the front: `a::b::c`, and how many tokens it takes.
pub(super) fn path(tokens: &[TokenTree]) -> (Vec<String>, usize) {
    let (mut path, mut length) = (Vec::new(), 0);
    while let Some(segment) = tokens.get(length).and_then(word) {
        path.push(segment);
        length += 1;
        let colons = tokens.get(length..length + 2).is_some_and(are_colons);
        if !colons || tokens.get(length + 2).and_then(word).is_none() {
            break;
        }
        length += 2;
    }
    (path, length)
}

pub(super) fn are_colons(pair: &[TokenTree]) -> bool {
    pair.len() == 2 && pair.iter().all(|token| is_mark(token, ':'))
}
