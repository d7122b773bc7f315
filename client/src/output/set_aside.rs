//! Which notices of a job tell of versions that the stash keeps.

use mirror_proto::v1::{JobFinished, Notice};

/// Where the version is that made way when a path was settled. A report may also tell
/// of others, which went to the stash before.
pub(super) fn made_way<'a>(typed: &str, job: &'a JobFinished) -> Option<&'a Notice> {
    let is_it = |notice: &&Notice| {
        notice.stash_id.is_some() && notice.path.as_deref().is_some_and(|path| means(typed, path))
    };
    job.notices.iter().rev().find(is_it)
}

/// Whether a path as it was typed, in any folder, may be this one of the project.
fn means(typed: &str, path: &str) -> bool {
    let typed = typed.trim_start_matches("./");
    let ends = |whole: &str, end: &str| whole.ends_with(&format!("/{end}"));
    typed == path || ends(typed, path) || ends(path, typed)
}

/// Whether what failed says by itself where the version is.
pub(super) fn is_said(notice: &Notice, job: &JobFinished) -> bool {
    let Some(id) = &notice.stash_id else { return false };
    let faults = job.failed.iter().filter_map(|failed| failed.fault.as_ref());
    faults.into_iter().any(|fault| fault.message.contains(id.as_str()))
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{FailedFile, Fault};

    use super::*;

    fn notice(path: &str, id: &str) -> Notice {
        let (path, stash_id) = (Some(path.to_owned()), Some(id.to_owned()));
        Notice { path, stash_id, ..Notice::default() }
    }

    #[test]
    fn version_that_made_way_is_the_last_of_the_path_as_it_was_typed() {
        let notices = vec![notice("sub/a.md", "1"), notice("sub/a.md", "2"), notice("b.md", "3")];
        let job = JobFinished { notices, ..JobFinished::default() };
        for typed in ["sub/a.md", "a.md", "./sub/a.md", "/home/ann/notes/sub/a.md"] {
            let found = made_way(typed, &job).and_then(|notice| notice.stash_id.as_deref());
            assert_eq!(found, Some("2"), "{typed}");
        }
        assert!(made_way("c.md", &job).is_none());
    }

    #[test]
    fn what_a_failure_says_is_not_said_again() {
        let message = "kept in the stash as 01J and 01K".to_owned();
        let fault = Some(Fault { message, ..Fault::default() });
        let failed = vec![FailedFile { path: "a.md".to_owned(), fault }];
        let job = JobFinished { failed, ..JobFinished::default() };
        assert!(is_said(&notice("a.md", "01K"), &job));
        assert!(!is_said(&notice("a.md", "01L"), &job));
    }
}
