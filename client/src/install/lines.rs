//! Our lines among those of a shell's file, between two that say whose they are.

/// A file with these lines at its end, or in the place of older ones.
pub(super) fn with(current: &str, name: &str, text: &str) -> String {
    let block = format!("{}{text}{}", first(name), last(name));
    match find(current, name) {
        Some((start, end)) => [&current[..start], &block, &current[end..]].concat(),
        None => {
            let is_open = !current.is_empty() && !current.ends_with('\n');
            [current, if is_open { "\n" } else { "" }, &block].concat()
        }
    }
}

pub(super) fn without(current: &str, name: &str) -> String {
    match find(current, name) {
        Some((start, end)) => [&current[..start], &current[end..]].concat(),
        None => current.to_owned(),
    }
}

/// Our lines, and the two around them.
pub(super) fn alone<'a>(current: &'a str, name: &str) -> &'a str {
    find(current, name).map_or("", |(start, end)| &current[start..end])
}

/// The first pair that names them with no other beginning in between: an end that a
/// person lost must not have us take what follows for ours.
fn find(current: &str, name: &str) -> Option<(usize, usize)> {
    let (first, last) = (first(name), last(name));
    let (mut start, mut at) = (None, 0);
    for line in current.split_inclusive('\n') {
        let is = |marker: &str| line.trim_end() == marker.trim_end();
        if is(&first) {
            start = Some(at);
        }
        at += line.len();
        if let Some(start) = start.filter(|_| is(&last)) {
            return Some((start, at));
        }
    }
    None
}

fn first(name: &str) -> String {
    format!("# >>> mirrorctl {name} >>>\n")
}

fn last(name: &str) -> String {
    format!("# <<< mirrorctl {name} <<<\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_and_go_and_the_rest_stays() {
        for text in ["", "export A=1\n", "no end"] {
            let made = with(text, "prompt", "PS1=x\n");
            assert_eq!(with(&made, "prompt", "PS1=x\n"), made);
            let left = without(&made, "prompt");
            assert_eq!(left.trim_end(), text.trim_end());
        }
        let made = with("a\n", "prompt", "old\n") + "b\n";
        let newer = with(&made, "prompt", "new\n");
        assert_eq!(newer, made.replace("old", "new"));
        assert_eq!(without(&newer, "prompt"), "a\nb\n");
        assert_eq!(without(&newer, "completions"), newer);
    }

    #[test]
    fn line_without_its_end_is_left_alone() {
        let cut = "# >>> mirrorctl prompt >>>\nmine\n";
        assert_eq!(without(cut, "prompt"), cut);
        let whole = with(cut, "prompt", "PS1=x\n");
        assert_eq!(with(&whole, "prompt", "PS1=x\n"), whole);
        assert_eq!(with(&whole, "prompt", "new\n"), whole.replace("PS1=x", "new"));
        assert_eq!(without(&whole, "prompt"), cut);
        for theirs in [
            "a # >>> mirrorctl prompt >>>\nmine\n# <<< mirrorctl prompt <<<\n",
            "# >>> mirrorctl prompt >>>\nmine\necho # <<< mirrorctl prompt <<<\n",
        ] {
            assert_eq!(without(theirs, "prompt"), theirs);
            assert_eq!(without(&with(theirs, "prompt", "x\n"), "prompt"), theirs);
        }
    }
}
