//! Guesses which word was meant.

/// The known word that is nearest to a mistyped one, if any is near.
pub(crate) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let allowed = (typed.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        // Letters added, dropped, exchanged, or swapped with their neighbour.
        .map(|word| (strsim::osa_distance(&typed, word), word))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_word_finds_the_one_that_was_meant() {
        let known = ["url", "root", "patterns", "poll_interval"];
        assert_eq!(nearest("pol_interval", known), Some("poll_interval"));
        assert_eq!(nearest("ulr", known), Some("url"));
        assert_eq!(nearest("Pattern", known), Some("patterns"));
    }

    #[test]
    fn word_far_from_all_finds_none() {
        assert_eq!(nearest("webhook", ["url", "root"]), None);
        assert_eq!(nearest("", ["url"]), None);
    }
}
