//! The difference of two texts as a unified diff.

use mirror_core::RelPath;
use similar::TextDiff;

/// One side of a difference.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    /// The folder that its file is said to be in.
    pub(crate) name: &'a str,
    /// Whose it is, if that is worth saying.
    pub(crate) note: &'a str,
    /// `None` where there is no file.
    pub(crate) text: Option<&'a str>,
}

impl Named<'_> {
    fn header(&self, path: &RelPath) -> String {
        match (self.text, self.note) {
            (None, _) => "/dev/null".to_owned(),
            (Some(_), "") => format!("{}/{path}", self.name),
            (Some(_), note) => format!("{}/{path}\t{note}", self.name),
        }
    }
}

pub(crate) fn unified(path: &RelPath, from: Named<'_>, to: Named<'_>, context: usize) -> String {
    let diff = TextDiff::from_lines(from.text.unwrap_or_default(), to.text.unwrap_or_default());
    diff.unified_diff()
        .context_radius(context)
        .header(&from.header(path), &to.header(path))
        .to_string()
}
