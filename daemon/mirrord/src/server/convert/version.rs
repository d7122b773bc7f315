//! Versions of single files, and the stash.

use mirror_engine::{FileVersion, Stashed, VersionName, VersionRole};
use mirror_proto::v1;

use crate::error::RequestError;

/// So many digits of a SHA-256 name a version at least.
const FEWEST_DIGITS: usize = 8;

pub(in crate::server) fn file_version(version: &FileVersion) -> v1::FileVersion {
    v1::FileVersion {
        seq: version.seq.unwrap_or(0),
        time: version.time.to_string(),
        user: version.user.clone(),
        machine: version.machine.clone(),
        sha256: version.sha256.map(|digest| digest.to_string()),
        size_bytes: version.size,
        path: version.path.as_str().to_owned(),
        role: version_role(version.role).into(),
        stash_id: version.stash.map(|id| id.to_string()),
        queue_id: version.push.map(|id| id.to_string()),
    }
}

fn version_role(role: VersionRole) -> v1::VersionRole {
    match role {
        VersionRole::Committed => v1::VersionRole::Committed,
        VersionRole::Input => v1::VersionRole::Input,
        VersionRole::Stash => v1::VersionRole::Stash,
        VersionRole::Queued => v1::VersionRole::Queued,
        VersionRole::Conflict => v1::VersionRole::Conflict,
    }
}

pub(in crate::server) fn stashed_version(stashed: &Stashed) -> v1::StashedVersion {
    v1::StashedVersion {
        id: stashed.id.to_string(),
        path: stashed.path.as_str().to_owned(),
        sha256: stashed.sha256.to_string(),
        size_bytes: stashed.size,
        time: stashed.time.to_string(),
        reason: stashed.reason.clone(),
    }
}

/// The version that a person means. From eight digits on, a number is the beginning
/// of a SHA-256; a commit of such a number is written with its `#`.
pub(in crate::server) fn version_name(typed: &str) -> Result<VersionName, RequestError> {
    if typed == "latest" {
        return Ok(VersionName::Latest);
    }
    let digits = typed.strip_prefix("sha256:").unwrap_or(typed);
    let is_digest = (FEWEST_DIGITS..=64).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest {
        return Ok(VersionName::Digest(digits.to_ascii_lowercase()));
    }
    match typed.strip_prefix('#').unwrap_or(typed).parse() {
        Ok(seq @ 1..) => Ok(VersionName::Commit(seq)),
        Ok(0) | Err(_) => Err(RequestError::usage_with_hint(
            format!("{typed:?} names no version"),
            "write a commit as #42, 42 or latest, or 8 digits or more of a version's SHA-256; \
             `mirrorctl history PATH` lists both",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_is_named_by_its_number_or_as_the_latest() {
        assert_eq!(version_name("latest").unwrap(), VersionName::Latest);
        for typed in ["#42", "42"] {
            assert_eq!(version_name(typed).unwrap(), VersionName::Commit(42), "{typed:?}");
        }
        assert_eq!(version_name("#12345678").unwrap(), VersionName::Commit(12_345_678));
    }

    #[test]
    fn version_is_named_by_eight_digits_of_its_digest() {
        let whole = "0123456789abcdef".repeat(4);
        for typed in ["12345678", "ABCDEF01", "sha256:abcdef01", whole.as_str()] {
            let digits = typed.trim_start_matches("sha256:").to_lowercase();
            assert_eq!(version_name(typed).unwrap(), VersionName::Digest(digits), "{typed:?}");
        }
    }

    #[test]
    fn anything_else_names_no_version() {
        let long = "a".repeat(65);
        for typed in ["", "#", "0", "#0", "-1", "someday", "4 2", "abcdef0", "abcdefgh", &long] {
            assert!(version_name(typed).is_err(), "{typed:?}");
        }
    }
}
