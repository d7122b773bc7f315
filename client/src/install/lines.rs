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

fn find(current: &str, name: &str) -> Option<(usize, usize)> {
    let (first, last) = (first(name), last(name));
    let start = current.find(&first).filter(|start| is_line_start(current, *start))?;
    let end = current[start..].find(&last)?;
    Some((start, start + end + last.len()))
}

fn is_line_start(text: &str, place: usize) -> bool {
    place == 0 || text[..place].ends_with('\n')
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
    }
}
