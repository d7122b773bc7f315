//! What a person can choose for one file, and how it is asked.

use mirror_proto::v1::ConflictDetail;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Local,
    Remote,
    Merged,
    Edit,
    Skip,
    Quit,
}

/// Each choice, how the question names it, and what becomes of the file then.
const CHOICES: [(Choice, &str, &str, &str); 6] = [
    (Choice::Local, "local", "[l]ocal", "your version, as it is"),
    (Choice::Remote, "remote", "[r]emote", "theirs, as it is; yours goes to the stash"),
    (Choice::Merged, "merged", "[m]erged", "both merged"),
    (Choice::Edit, "edit", "[e]dit", "what you make of it in your editor"),
    (Choice::Skip, "skip", "[s]kip", "this file waits"),
    (Choice::Quit, "quit", "[q]uit", "this file waits, and all after it"),
];

/// The question, with what can be done about this file.
pub(super) fn question(detail: &ConflictDetail) -> String {
    let offered = CHOICES.iter().filter(|(choice, ..)| is_offered(*choice, detail));
    let words: Vec<_> = offered.map(|(_, _, word, _)| *word).collect();
    format!("{}? ", words.join(", "))
}

/// What each choice means, a line each.
pub(super) fn meanings(detail: &ConflictDetail) -> String {
    let offered = CHOICES.iter().filter(|(choice, ..)| is_offered(*choice, detail));
    let lines = offered.map(|(_, word, _, meaning)| format!("  {word:.1}  {meaning}\n"));
    lines.collect::<Vec<_>>().concat()
}

/// The choice that was typed, as a word or its letter, if it is offered.
pub(super) fn read(typed: &str, detail: &ConflictDetail) -> Option<Choice> {
    let typed = typed.trim().to_lowercase();
    CHOICES
        .iter()
        .find(|(_, word, ..)| typed == *word || typed == word[..1])
        .map(|(choice, ..)| *choice)
        .filter(|choice| is_offered(*choice, detail))
}

fn is_offered(choice: Choice, detail: &ConflictDetail) -> bool {
    match choice {
        Choice::Merged => detail.merged_content.is_some(),
        Choice::Edit => detail.marked_content.is_some(),
        Choice::Local | Choice::Remote | Choice::Skip | Choice::Quit => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> ConflictDetail {
        ConflictDetail { marked_content: Some(Vec::new()), ..ConflictDetail::default() }
    }

    #[test]
    fn question_offers_what_the_file_allows() {
        let clean = ConflictDetail { merged_content: Some(Vec::new()), ..text() };
        assert_eq!(question(&clean), "[l]ocal, [r]emote, [m]erged, [e]dit, [s]kip, [q]uit? ");
        assert_eq!(question(&text()), "[l]ocal, [r]emote, [e]dit, [s]kip, [q]uit? ");
        let binary = ConflictDetail::default();
        assert_eq!(question(&binary), "[l]ocal, [r]emote, [s]kip, [q]uit? ");
    }

    #[test]
    fn letter_and_word_mean_the_same() {
        for typed in ["l", "L", "local", " Local\r"] {
            assert_eq!(read(typed, &text()), Some(Choice::Local), "{typed:?}");
        }
    }

    #[test]
    fn every_offered_choice_is_explained() {
        let binary = ConflictDetail::default();
        assert_eq!(
            meanings(&binary),
            "  l  your version, as it is\n  r  theirs, as it is; yours goes to the stash\n  \
             s  this file waits\n  q  this file waits, and all after it\n"
        );
    }

    #[test]
    fn anything_else_is_no_choice() {
        for typed in ["", "x", "lo", "merged", "locals"] {
            assert_eq!(read(typed, &text()), None, "{typed:?}");
        }
    }
}
