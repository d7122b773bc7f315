//! The names of uploads under way, below `_mirror/tmp`.

use ulid::Ulid;

/// What an upload becomes that is to be removed. No writer knows this name.
const SWEPT: &str = "swept-";

/// Why one can't go as a rule.
pub(super) const STUCK: &str = "it can't be removed; it may hold what no upload left";

/// What stands behind the name of an upload that is to become a folder.
const FOLDER: &str = "-entry";

pub(super) fn name() -> String {
    Ulid::generate().to_string()
}

#[allow(dead_code, reason = "the adapters that use it may be left out of a build")]
pub(super) fn name_as_folder(name: &str) -> String {
    format!("{name}{FOLDER}")
}

pub(super) fn swept_name() -> String {
    format!("{SWEPT}{}", Ulid::generate())
}

/// By what names sort as an upload or a sweep made them; `None` for the names
/// of others.
pub(super) fn moment(name: &str) -> Option<Ulid> {
    let name = name.strip_prefix(SWEPT).unwrap_or(name);
    let name = name.strip_suffix(FOLDER).unwrap_or(name);
    Ulid::from_string(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_told_from_others() {
        for own in [name(), name_as_folder(&name()), swept_name()] {
            assert!(moment(&own).is_some(), "{own}");
        }
        for other in ["", "notes.md", "swept-", "-entry", "swept-notes"] {
            assert_eq!(moment(other), None, "{other}");
        }
    }

    #[test]
    fn names_sort_by_their_time_whatever_stands_around_it() {
        let at = |second: u64| Ulid::from_parts(second, 0);
        let names = [
            format!("{}{FOLDER}", at(1)),
            at(2).to_string(),
            format!("{SWEPT}{}", at(3)),
            at(4).to_string(),
        ];
        assert!(names.is_sorted_by_key(|name| moment(name)), "{names:?}");
    }
}
