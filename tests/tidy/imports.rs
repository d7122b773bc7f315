//! Reads `use` declarations into whole paths, so that `use tokio::{fs, sync}`
//! can't hide what `use tokio::fs` would show.

/// Every path that the code names by `use`, braces written out.
pub(super) fn imports(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let declarations = code.split(';').filter_map(|statement| {
        let (before, tree) = statement.rsplit_once("use ")?;
        let begins = before.ends_with(|last: char| last.is_whitespace() || last == '}');
        (before.is_empty() || begins).then_some(tree)
    });
    for tree in declarations {
        let tree: String = tree.split_whitespace().collect();
        expand("", &tree, &mut paths);
    }
    paths
}

fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    match tree.split_once('{') {
        Some((stem, rest)) => {
            let inner = rest.strip_suffix('}').unwrap_or(rest);
            let prefix = format!("{prefix}{stem}");
            for branch in branches(inner) {
                expand(&prefix, branch, paths);
            }
        }
        None => paths.push(format!("{prefix}{tree}")),
    }
}

/// Splits at the commas outside all braces.
fn branches(tree: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_i32, 0, Vec::new());
    for (place, character) in tree.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&tree[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    found.push(&tree[start..]);
    found.retain(|branch| !branch.is_empty());
    found
}

#[test]
fn nested_imports_are_written_out() {
    let code = "//! x\nuse std::io;\nuse tokio::{\n    fs::{self, File},\n    sync::mpsc,\n};\nfn f() {}\n";
    assert_eq!(
        imports(code),
        ["std::io", "tokio::fs::self", "tokio::fs::File", "tokio::sync::mpsc"]
    );
}
