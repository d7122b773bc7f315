//! What no pattern can take: left-overs of programs that are writing a file.

/// How every temporary file begins that mirrord makes beside a mirrored one.
pub const OWN_TEMPORARY_PREFIX: &str = ".mirrord-";

/// Whether a file or folder of this name is ours for a moment.
pub(super) fn is_own_temporary(name: &str) -> bool {
    name.starts_with(OWN_TEMPORARY_PREFIX)
}

/// Whether a file of this name is ours or an editor's for a moment. Of a folder
/// only ours is: editors make files, and people name folders as they like.
///
/// Only what no person would name a file: Vim's `.name.swp` and its probe
/// `4913`, backups `name~`, Emacs' `.#lock` and `#autosave#`, `LibreOffice`'s
/// `.~lock.name#`, `gedit`'s `.goutputstream-`, and Office's `~$name`.
/// `*.tmp` and `*.bak` may be anybody's.
pub fn is_temporary(name: &str) -> bool {
    is_own_temporary(name)
        || name == "4913"
        || (name.len() > 1 && name.ends_with('~'))
        || is_vim_swap(name)
        || name.starts_with(".#")
        || (name.len() > 2 && name.starts_with('#') && name.ends_with('#'))
        || (name.starts_with(".~lock.") && name.ends_with('#'))
        || name.starts_with(".goutputstream-")
        || name.starts_with("~$")
}

/// `.name.swp`, and `.swo`, `.swn` … when that was taken.
fn is_vim_swap(name: &str) -> bool {
    let Some((stem, end)) = name.strip_prefix('.').and_then(|rest| rest.rsplit_once('.')) else {
        return false;
    };
    !stem.is_empty() && matches!(end.as_bytes(), [b's', b'w', b'a'..=b'p'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_overs_of_editors_are_temporary() {
        for name in [
            "a.md~",
            ".a.md.swp",
            ".a.md.swo",
            "4913",
            ".#a.md",
            "#a.md#",
            ".~lock.a.odt#",
            ".goutputstream-X2Y3Z1",
            "~$a.docx",
            ".mirrord-01J8",
        ] {
            assert!(is_temporary(name), "{name}");
            assert_eq!(is_own_temporary(name), name == ".mirrord-01J8", "{name}");
        }
    }

    #[test]
    fn names_that_a_person_may_choose_are_not() {
        for name in [
            "a.md",
            "a.tmp",
            "a.bak",
            "~",
            "#",
            "##",
            "# notes.md",
            "#1",
            "a.swp",
            ".swp",
            ".swift",
            ".mirrorignore",
            ".mirrord",
            "4913.md",
            "a~b",
            ".a.swz",
            ".a.sw",
        ] {
            assert!(!is_temporary(name), "{name}");
        }
    }
}
