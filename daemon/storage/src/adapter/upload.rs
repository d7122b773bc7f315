//! The names of uploads under way, below `_mirror/tmp`.

use ulid::Ulid;

/// What an upload becomes that is to be removed. No writer knows this name.
const SWEPT: &str = "swept-";

/// What stands behind the name of an upload that is to become a folder.
const FOLDER: &str = "-entry";

pub(super) fn name() -> String {
    Ulid::generate().to_string()
}

pub(super) fn name_as_folder(name: &str) -> String {
    format!("{name}{FOLDER}")
}

pub(super) fn swept_name() -> String {
    format!("{SWEPT}{}", Ulid::generate())
}

/// Whether an upload or a sweep made this name.
pub(super) fn is_ours(name: &str) -> bool {
    let name = name.strip_prefix(SWEPT).unwrap_or(name);
    let name = name.strip_suffix(FOLDER).unwrap_or(name);
    Ulid::from_string(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_told_from_others() {
        for own in [name(), name_as_folder(&name()), swept_name()] {
            assert!(is_ours(&own), "{own}");
        }
        for other in ["", "notes.md", "swept-", "-entry", "swept-notes"] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
