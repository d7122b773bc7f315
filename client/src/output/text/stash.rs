//! `stash`: one version a line, the newest last.

use mirror_proto::v1::{ListStashResponse, StashedVersion};

use super::table;
use crate::dates;
use crate::output::escape::escape;
use crate::output::measure::bytes;
use crate::output::paint::Paint;

pub(crate) fn list(listed: &ListStashResponse, paint: Paint) -> String {
    if listed.versions.is_empty() {
        return "the stash is empty\n".to_owned();
    }
    let rows: Vec<_> = listed.versions.iter().map(row).collect();
    // Whole: every version has to be found here.
    let lines = table(&rows).into_iter().map(|line| match line.split_once(' ') {
        Some((id, rest)) => format!("{} {rest}\n", paint.yellow(id)),
        None => line + "\n",
    });
    lines.collect()
}

fn row(version: &StashedVersion) -> [String; 5] {
    [
        escape(&version.id),
        escape(&dates::local(&version.time)),
        bytes(version.size_bytes),
        format!("before {}", escape(&version.reason)),
        escape(&version.path),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_named_with_what_took_its_place() {
        let listed = ListStashResponse {
            versions: vec![StashedVersion {
                id: "01J".to_owned(),
                path: "a\n.md".to_owned(),
                size_bytes: 10,
                time: "once".to_owned(),
                reason: "restore".to_owned(),
                ..StashedVersion::default()
            }],
        };
        assert_eq!(list(&listed, Paint::PLAIN), "01J  once  10 B  before restore  a\\n.md\n");
    }

    #[test]
    fn empty_stash_says_so() {
        assert_eq!(list(&ListStashResponse::default(), Paint::PLAIN), "the stash is empty\n");
    }
}
