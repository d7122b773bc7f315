//! What a path may be (L6). Part of format 1: whoever changes a rule here
//! changes which commits are void.

use super::fold::Folded;

pub const MAX_PATH_BYTES: usize = 1_024;
pub const MAX_SEGMENT_BYTES: usize = 255;

/// Why a text is not the path of a mirrored file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    #[error("the path is empty")]
    Empty,
    #[error("the path is longer than {MAX_PATH_BYTES} bytes")]
    PathTooLong,
    #[error("a name in the path is longer than {MAX_SEGMENT_BYTES} bytes")]
    NameTooLong,
    #[error("the path is absolute")]
    Absolute,
    #[error("the path has an empty part, or one of dots and blanks only")]
    NotNormal,
    #[error("the path has a backslash, which separates folders on Windows")]
    Backslash,
    #[error("the path has a control character")]
    Control,
    #[error("the path begins with a drive letter")]
    DriveLetter,
    #[error("the path leads into `.git`")]
    Git,
    #[error("the path leads into `_mirror`, which is our own folder")]
    Mirror,
}

pub(super) fn check(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.len() > MAX_PATH_BYTES {
        return Err(PathError::PathTooLong);
    }
    if path.starts_with('/') {
        return Err(PathError::Absolute);
    }
    if path.contains('\\') {
        return Err(PathError::Backslash);
    }
    if path.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    if has_drive_letter(path) {
        return Err(PathError::DriveLetter);
    }
    path.split('/').try_for_each(check_segment)?;
    if path.split('/').next().is_some_and(|first| is_disguised(first, "_mirror")) {
        return Err(PathError::Mirror);
    }
    Ok(())
}

fn check_segment(segment: &str) -> Result<(), PathError> {
    if segment.chars().all(is_dot_or_blank) {
        return Err(PathError::NotNormal);
    }
    if segment.len() > MAX_SEGMENT_BYTES {
        return Err(PathError::NameTooLong);
    }
    if is_git(segment) {
        return Err(PathError::Git);
    }
    Ok(())
}

/// Names of these alone lead up or nowhere where dots and spaces at the end are
/// dropped, and nobody can tell them apart or see them.
fn is_dot_or_blank(character: char) -> bool {
    character == '.' || character.is_whitespace() || is_ignorable(character)
}

/// Both `C:/a` and `C:a` leave the folder on Windows. A colon elsewhere is a
/// plain character on Linux and macOS, and stays allowed: `at 10:30.md`.
fn has_drive_letter(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

fn is_git(segment: &str) -> bool {
    // Cheap and enough for nearly every name: each disguise keeps a G.
    let may_be = segment.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'g'));
    may_be && (is_disguised(segment, ".git") || is_short_git(segment))
}

/// `git~1`, or another number when that was taken: what `.git` is called where
/// Windows gives long names a second, short one.
fn is_short_git(segment: &str) -> bool {
    let plain = undisguised(segment);
    let number = plain.strip_prefix("git~").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
}

fn is_disguised(segment: &str, name: &str) -> bool {
    undisguised(segment) == name
}

/// The name that the most careless file system would read here: HFS+ skips
/// invisible characters, NTFS drops dots and spaces at the end and takes what
/// follows a colon for a stream of the same file, and most fold case.
fn undisguised(segment: &str) -> String {
    let visible: String = segment.chars().filter(|c| !is_ignorable(*c)).collect();
    let main = visible.split(':').next().unwrap_or_default();
    Folded::of(main.trim_end_matches(['.', ' '])).into_string()
}

/// Unicode's default-ignorable characters, a superset of what HFS+ skips.
pub(super) fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(error: PathError, paths: &[&str]) {
        for path in paths {
            assert_eq!(check(path), Err(error), "{path:?}");
        }
    }

    #[track_caller]
    fn allowed(paths: &[&str]) {
        for path in paths {
            assert_eq!(check(path), Ok(()), "{path:?}");
        }
    }

    #[test]
    fn ordinary_names_are_allowed() {
        allowed(&["CLAUDE.md", "a/b/c", ".mirrorignore", "with space", "-rf", "#1", "*?", "~"]);
        allowed(&[
            "été.md",
            "e\u{301}.md",
            "日本語/メモ.md",
            "🦀",
            "a\u{200d}b",
            "CON",
            "a.",
            "a ",
        ]);
    }

    #[test]
    fn path_stays_inside_the_project() {
        refused(PathError::Empty, &[""]);
        refused(PathError::Absolute, &["/", "/etc/passwd", "//host/share"]);
        refused(PathError::NotNormal, &["..", "../x", "a/../b", "a/..", ".", "./a", "a/./b"]);
        refused(PathError::NotNormal, &["a//b", "a/", ".. /a", "a/. "]);
        refused(PathError::Backslash, &["..\\x", "a\\b", "\\\\host\\share"]);
        allowed(&["..a", "a..", ".a"]);
    }

    #[test]
    fn name_has_more_than_dots_and_blanks() {
        refused(PathError::NotNormal, &["...", "....", " ", "  ", ". .", " .", ". ", "a/.../b"]);
        refused(PathError::NotNormal, &["\u{a0}", "\u{3000}.", "\u{2003}/a", "a/\u{200b}"]);
        refused(PathError::NotNormal, &["\u{feff}..", ".\u{200d}.", "\u{3164}", "\u{e0001}"]);
        allowed(&["a/.-", "_", ". a", "a .", "...a", " a", "\u{200b}a"]);
    }

    #[test]
    fn drive_letter_is_refused_but_a_colon_is_not() {
        refused(PathError::DriveLetter, &["C:", "c:/a", "C:a"]);
        allowed(&["at 10:30.md", "1:a", "a/C:b", "é:a"]);
    }

    #[test]
    fn control_characters_are_refused() {
        refused(PathError::Control, &["a\nb", "a\0", "\u{1b}[31m", "a\u{7f}", "a\u{85}b", "\t"]);
    }

    #[test]
    fn git_is_refused_however_it_is_written() {
        refused(PathError::Git, &[".git", ".git/config", "a/.git/hooks/x", "sub/.GIT", ".Git"]);
        refused(
            PathError::Git,
            &[".g\u{200c}it", "\u{feff}.git", ".gi\u{200b}t/x", ".git\u{206f}"],
        );
        refused(PathError::Git, &[".git.", ".git ", ".git . ./x", ".GIT::$INDEX_ALLOCATION/x"]);
        refused(PathError::Git, &["git~1", "GIT~1/config", "Git~2", "a/git~1. "]);
        allowed(&[".gitignore", ".github/x", "git", ".gitt", "git~", "git~x", "a.git", "_git"]);
    }

    #[test]
    fn our_own_folder_is_refused_however_it_is_written() {
        refused(PathError::Mirror, &["_mirror", "_mirror/log", "_MIRROR/x", "_Mirror. /x"]);
        refused(PathError::Mirror, &["_mir\u{200d}ror/x", "_mirror::$INDEX_ALLOCATION/x"]);
        allowed(&["a/_mirror", "_mirrors", "mirror", "_mirror2/x"]);
    }

    #[test]
    fn lengths_are_counted_in_bytes() {
        allowed(&[&"é".repeat(127), &format!("{}abcd", "abcd/".repeat(204))]);
        refused(PathError::NameTooLong, &[&"é".repeat(128), &format!("a/{}", "x".repeat(256))]);
        refused(PathError::PathTooLong, &[&"abcd/".repeat(205)]);
    }
}
