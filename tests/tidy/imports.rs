//! Reads `use` declarations into whole paths, so that `use tokio::{fs, sync}`
//! can't hide what `use tokio::fs` would show.

use proc_macro2::TokenTree;

use super::items::{braces, group, is_mark, is_word, items, path, word};

/// One name that a `use` brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    /// `*` where it brings everything.
    pub(super) name: String,
    pub(super) line: usize,
}

/// What stands between `use` and its semicolon, braces written out.
pub(super) fn imports(tree: &[TokenTree]) -> Vec<Import> {
    let mut found = Vec::new();
    expand(&[], tree, &mut found);
    found
}

fn expand(prefix: &[String], tree: &[TokenTree], found: &mut Vec<Import>) {
    for branch in tree.split(|token| is_mark(token, ',')) {
        let Some(first) = branch.iter().find(|token| !is_mark(token, ':')) else { continue };
        let start = branch.iter().position(|token| !is_mark(token, ':')).unwrap_or(0);
        let (segments, length) = path(&branch[start..]);
        let whole: Vec<String> = prefix.iter().cloned().chain(segments).collect();
        let end = &branch[start + length..];
        let line = first.span().start().line;
        if let Some(inner) = end.iter().find_map(braces) {
            expand(&whole, &inner.stream().into_iter().collect::<Vec<_>>(), found);
            continue;
        }
        if end.iter().any(|token| is_mark(token, '*')) {
            found.push(Import { path: whole, name: "*".to_owned(), line });
            continue;
        }
        let path = match whole.split_last() {
            Some((last, rest)) if last == "self" && !rest.is_empty() => rest.to_vec(),
            _ => whole,
        };
        let alias = end.iter().position(|token| is_word(token, "as"));
        let alias = alias.and_then(|at| end.get(at + 1)).and_then(word);
        let name = alias.or_else(|| path.last().cloned()).unwrap_or_default();
        found.push(Import { path, name, line });
    }
}

/// Every path that some code names by `use`, with the name that it gets; what is
/// there for tests alone is left out.
pub(super) fn imported(code: &str) -> Vec<String> {
    let code = code.parse().unwrap_or_else(|error| panic!("{code}: {error}"));
    let mut found = Vec::new();
    for item in items(code) {
        match item.keyword.as_str() {
            "use" => found.extend(imports(&item.tokens)),
            _ => gather(&item.tokens, &mut found),
        }
    }
    found.into_iter().map(|import| format!("{}::{}", import.path.join("::"), import.name)).collect()
}

/// Looks for declarations within a body.
fn gather(tokens: &[TokenTree], found: &mut Vec<Import>) {
    for (at, token) in tokens.iter().enumerate() {
        if let Some(inner) = group(token) {
            gather(&inner.stream().into_iter().collect::<Vec<_>>(), found);
        } else if is_word(token, "use") {
            let tree = tokens[at + 1..].split(|token| is_mark(token, ';')).next();
            found.extend(imports(tree.unwrap_or_default()));
        }
    }
}

#[test]
fn nested_imports_are_written_out() {
    let code = "//! x\nuse std::io;\nfn f() { use tokio::{\n    fs::{self, File as Other},\n    sync::*,\n}; }\n";
    assert_eq!(
        imported(code),
        ["std::io::io", "tokio::fs::fs", "tokio::fs::File::Other", "tokio::sync::*"]
    );
}
