//! A failure: what happened, to what, and what to do.

use mirror_proto::v1::{Deletions, Fault};

use crate::output::escape::escape;
use crate::output::paint::Paint;

/// So many folders are shown.
const MOST_FOLDERS: usize = 10;

pub(crate) fn report(fault: &Fault, paint: Paint) -> String {
    let mut text = format!("{} {}", paint.red("error:"), escape(&fault.message));
    let named = [&fault.path, &fault.backend];
    for name in named.into_iter().flatten() {
        // Most messages name it already.
        if !fault.message.contains(name.as_str()) {
            text += &format!(" ({})", escape(name));
        }
    }
    text.push('\n');
    if let Some(deletions) = &fault.deletions {
        text += &folders(deletions);
    }
    text + &hint(fault, paint)
}

/// What to do about it, where there is anything.
pub(crate) fn hint(fault: &Fault, paint: Paint) -> String {
    let line = |hint: &String| format!("{} {}\n", paint.cyan("hint:"), escape(hint));
    fault.hint.as_ref().map(line).unwrap_or_default()
}

/// The folders that would lose files, a line each: the fullest first.
pub(crate) fn folders(deletions: &Deletions) -> String {
    let shown = deletions.folders.len().min(MOST_FOLDERS);
    let (first, others) = deletions.folders.split_at(shown);
    let mut text = String::new();
    for folder in first {
        let name = match folder.folder.as_str() {
            "" => "the project's folder".to_owned(),
            name => format!("{}/", escape(name)),
        };
        text += &format!("  {} in {name}\n", folder.count);
    }
    if !others.is_empty() {
        let files: u64 = others.iter().map(|folder| folder.count).sum();
        let folders = if others.len() == 1 { "folder" } else { "folders" };
        text += &format!("  {files} in {} other {folders}\n", others.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::FolderDeletions;

    use super::*;

    #[test]
    fn fault_says_what_where_and_what_to_do() {
        let fault = Fault {
            message: "storage is full".to_owned(),
            backend: Some("primary".to_owned()),
            hint: Some("make room\nthere".to_owned()),
            ..Fault::default()
        };
        assert_eq!(
            report(&fault, Paint::PLAIN),
            "error: storage is full (primary)\nhint: make room\\nthere\n"
        );
    }

    #[test]
    fn path_in_the_message_is_not_repeated() {
        let fault = Fault {
            message: "no permission for a.md".to_owned(),
            path: Some("a.md".to_owned()),
            ..Fault::default()
        };
        assert_eq!(report(&fault, Paint::PLAIN), "error: no permission for a.md\n");
    }

    #[test]
    fn folders_that_lose_files_are_counted() {
        let folder =
            |(folder, count): (&str, u64)| FolderDeletions { folder: folder.to_owned(), count };
        let many = (0..9).map(|_| ("d", 1));
        let folders = [("a\tb", 7), ("", 2)].into_iter().chain(many).map(folder).collect();
        let fault = Fault {
            message: "this would make 18 deletions".to_owned(),
            hint: Some("do".to_owned()),
            deletions: Some(Deletions { count: 18, first_paths: Vec::new(), folders }),
            ..Fault::default()
        };
        let text = report(&fault, Paint::PLAIN);
        assert!(text.starts_with(
            "error: this would make 18 deletions\n  7 in a\\tb/\n  2 in the project's folder\n"
        ));
        assert!(text.ends_with("  1 in d/\n  1 in 1 other folder\nhint: do\n"), "{text}");
    }
}
