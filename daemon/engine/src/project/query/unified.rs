//! The difference of two texts as a unified diff.

use mirror_core::RelPath;
use similar::TextDiff;

pub(crate) fn unified(
    path: &RelPath,
    remote: Option<&str>,
    local: Option<&str>,
    context: usize,
) -> String {
    let name = |side: &str, text: Option<&str>| match text {
        Some(_) => format!("{side}/{path}"),
        None => "/dev/null".to_owned(),
    };
    let diff = TextDiff::from_lines(remote.unwrap_or_default(), local.unwrap_or_default());
    diff.unified_diff()
        .context_radius(context)
        .header(&name("remote", remote), &name("local", local))
        .to_string()
}
