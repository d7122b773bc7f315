//! Which of a person's answers an error is about: a table.

use mirror_engine::EngineError;

use crate::config::{Problem, SSH_KEYS};
use crate::error::RequestError;
use crate::url::{SftpUrlError, UrlError};

/// A part of the URL or the name of a key; `None` where it is none of them alone.
pub(super) fn culprit(error: &RequestError) -> Option<&'static str> {
    match error {
        RequestError::Url(error) => of_url(error),
        RequestError::Config(problem) => of_setting(problem),
        RequestError::Storage(error) | RequestError::Engine(EngineError::Storage(error)) => {
            error.about()
        }
        RequestError::Root { .. } | RequestError::Folder { .. } => Some("path"),
        _ => None,
    }
}

fn of_url(error: &UrlError) -> Option<&'static str> {
    match error {
        UrlError::Relative | UrlError::BadPath => Some("path"),
        UrlError::Empty | UrlError::NotBuilt(_) | UrlError::UnknownScheme { .. } => None,
        UrlError::Sftp(error) => match error {
            SftpUrlError::NoSlashes => None,
            SftpUrlError::Password | SftpUrlError::BadUser => Some("user"),
            SftpUrlError::NoHost | SftpUrlError::BadHost => Some("host"),
            SftpUrlError::BadPort => Some("port"),
            SftpUrlError::NoFolder
            | SftpUrlError::Upwards
            | SftpUrlError::BadPath
            | SftpUrlError::Tail => Some("path"),
        },
    }
}

/// A problem begins with the key that it is about.
fn of_setting(problem: &Problem) -> Option<&'static str> {
    SSH_KEYS.into_iter().find(|key| problem.what.starts_with(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projects::given;
    use crate::url::BackendUrl;

    #[track_caller]
    fn check(url: &str, settings: &[(&str, &str)], expected: Option<&str>) {
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let error = BackendUrl::parse(url)
            .map_err(RequestError::from)
            .and_then(|url| given(&url, &settings))
            .unwrap_err();
        assert_eq!(culprit(&error), expected, "{}", error.message());
    }

    #[test]
    fn wrong_answer_is_named_by_its_part_of_the_url_or_its_key() {
        check("sftp://ann:x@nas/a", &[], Some("user"));
        check("sftp://-nas/a", &[], Some("host"));
        check("sftp://nas:0/a", &[], Some("port"));
        check("sftp://nas/", &[], Some("path"));
        check("gopher://nas/", &[], None);
        check("sftp://nas/a", &[("key_file", "id")], Some("key_file"));
        check("sftp://nas/a", &[("ssh_options", "BatchMode=no")], Some("ssh_options"));
        check("sftp://nas/a", &[("poll_interval", "1")], None);
    }
}
