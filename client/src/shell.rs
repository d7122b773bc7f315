//! Words of a command line that a person may copy.

/// A word as every POSIX shell reads it, quoted only where it must be.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-._/:@%+=,~".contains(letter);
    // Where a shell would put a home folder.
    let has_home = word.starts_with('~') || word.contains("=~") || word.contains(":~");
    match !word.is_empty() && !has_home && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
