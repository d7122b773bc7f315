//! What a person can choose for one file, and how it is asked.
//!
//! One side is here, the other there, which the question calls by its name. What
//! they are called in JSON, `local` and `remote`, is understood as well.

use mirror_proto::v1::{Conflict, ConflictDetail, ConflictKind};

use crate::output::escape::escape;
use crate::output::text::conflict::other_word;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Local,
    Remote,
    Merged,
    Edit,
    Skip,
    Quit,
}

/// Each choice, and the words for it; the first is the one that is asked for.
const CHOICES: [(Choice, &[&str]); 6] = [
    (Choice::Local, &["here", "local"]),
    (Choice::Remote, &["there", "remote"]),
    (Choice::Merged, &["merged"]),
    (Choice::Edit, &["edit"]),
    (Choice::Skip, &["skip"]),
    (Choice::Quit, &["quit"]),
];

/// The question, with what can be done about this file.
pub(super) fn question(detail: &ConflictDetail) -> String {
    let ask = |(choice, word): (Choice, &str)| {
        let asked = format!("[{}]{}", &word[..1], &word[1..]);
        match choice {
            Choice::Remote => format!("{asked} ({})", other_word(&conflict_of(detail))),
            _ => asked,
        }
    };
    format!("{}? ", offered(detail).map(ask).collect::<Vec<_>>().join(", "))
}

/// What each choice means, a line each.
pub(super) fn meanings(detail: &ConflictDetail) -> String {
    let line = |(choice, word): (Choice, &str)| {
        format!("  {}  {}\n", &word[..1], meaning(choice, &conflict_of(detail)))
    };
    offered(detail).map(line).collect()
}

fn meaning(choice: Choice, conflict: &Conflict) -> String {
    let other = match conflict.remote_name.as_str() {
        "" => "the other version".to_owned(),
        name => escape(name),
    };
    match (choice, conflict.outside) {
        (Choice::Local, false) => "this folder's version, as it is".to_owned(),
        (Choice::Local, true) => {
            format!("this folder's version, as it is; {other} stays in the history")
        }
        (Choice::Remote, false) => {
            format!("{other}, as it is; this folder's goes to the stash")
        }
        (Choice::Remote, true) => {
            format!("{other}, as it is; this folder's stays in the history")
        }
        (Choice::Merged, _) => "both merged".to_owned(),
        (Choice::Edit, _) => "what you make of it in your editor".to_owned(),
        (Choice::Skip, _) => "this file waits".to_owned(),
        (Choice::Quit, _) => "this file waits, and all after it".to_owned(),
    }
}

/// The choice that was typed, as a word or its letter, if it is offered. What means
/// two things, as where the other side is called like a choice, is asked again.
pub(super) fn read(typed: &str, detail: &ConflictDetail) -> Option<Choice> {
    let typed = typed.trim().to_lowercase();
    let is = |word: &str| typed == word || typed == word[..1];
    let named = CHOICES.iter().find(|(_, words)| words.iter().any(|word| is(word)));
    let is_other = || typed == conflict_of(detail).remote_word.to_lowercase() && !typed.is_empty();
    let meant = match (named, is_other()) {
        (Some((choice, _)), false) => Some(*choice),
        (None | Some((Choice::Remote, _)), true) => Some(Choice::Remote),
        (Some(_), true) | (None, false) => None,
    };
    meant.filter(|choice| is_offered(*choice, detail))
}

fn offered(detail: &ConflictDetail) -> impl Iterator<Item = (Choice, &'static str)> {
    CHOICES
        .iter()
        .filter(|(choice, _)| is_offered(*choice, detail))
        .map(|(choice, words)| (*choice, words[0]))
}

fn conflict_of(detail: &ConflictDetail) -> Conflict {
    detail.conflict.clone().unwrap_or_default()
}

fn is_offered(choice: Choice, detail: &ConflictDetail) -> bool {
    // No content settles two names that can't stand side by side.
    let is_of_names = || conflict_of(detail).kind() == ConflictKind::NameClash;
    match choice {
        Choice::Merged => detail.merged_content.is_some(),
        Choice::Edit => detail.marked_content.is_some(),
        Choice::Local | Choice::Remote => !is_of_names(),
        Choice::Skip | Choice::Quit => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary() -> ConflictDetail {
        let conflict = Conflict {
            remote_name: "#2 by ann on desktop".to_owned(),
            remote_word: "desktop".to_owned(),
            ..Conflict::default()
        };
        ConflictDetail { conflict: Some(conflict), ..ConflictDetail::default() }
    }

    fn text() -> ConflictDetail {
        ConflictDetail { marked_content: Some(Vec::new()), ..binary() }
    }

    #[test]
    fn question_offers_what_the_file_allows() {
        let clean = ConflictDetail { merged_content: Some(Vec::new()), ..text() };
        let sides = "[h]ere, [t]here (desktop)";
        assert_eq!(question(&clean), format!("{sides}, [m]erged, [e]dit, [s]kip, [q]uit? "));
        assert_eq!(question(&text()), format!("{sides}, [e]dit, [s]kip, [q]uit? "));
        assert_eq!(question(&binary()), format!("{sides}, [s]kip, [q]uit? "));
        let mut names = binary();
        names.conflict.as_mut().expect("a conflict").set_kind(ConflictKind::NameClash);
        assert_eq!(question(&names), "[s]kip, [q]uit? ", "no content settles them");
        assert_eq!(read("here", &names), None);
    }

    #[test]
    fn letter_and_word_mean_the_same() {
        for typed in ["h", "H", "here", " Here\r", "l", "local"] {
            assert_eq!(read(typed, &text()), Some(Choice::Local), "{typed:?}");
        }
        for typed in ["t", "there", "r", "remote", "Desktop"] {
            assert_eq!(read(typed, &text()), Some(Choice::Remote), "{typed:?}");
        }
    }

    #[test]
    fn name_that_is_also_a_choice_decides_nothing() {
        for (typed, word) in [("h", "here"), ("l", "local"), ("q", "quit"), ("s", "skip")] {
            let mut detail = text();
            let conflict = detail.conflict.as_mut().expect("a conflict");
            conflict.remote_word = typed.to_owned();
            assert_eq!(read(typed, &detail), None, "{typed:?}");
            assert!(read(word, &detail).is_some_and(|choice| choice != Choice::Remote));
            assert_eq!(read("there", &detail), Some(Choice::Remote));
        }
    }

    #[test]
    fn every_offered_choice_is_explained() {
        assert_eq!(
            meanings(&binary()),
            "  h  this folder's version, as it is\n  \
             t  #2 by ann on desktop, as it is; this folder's goes to the stash\n  \
             s  this file waits\n  q  this file waits, and all after it\n"
        );
    }

    #[test]
    fn edit_on_the_backend_is_kept_by_the_history_whatever_is_chosen() {
        let conflict = Conflict {
            outside: true,
            remote_name: "nas, edited there".to_owned(),
            ..Conflict::default()
        };
        let detail = ConflictDetail { conflict: Some(conflict), ..ConflictDetail::default() };
        let meanings = meanings(&detail);
        assert!(
            meanings.contains("as it is; nas, edited there stays in the history"),
            "{meanings}"
        );
        assert!(meanings.contains("as it is; this folder's stays in the history"), "{meanings}");
    }

    #[test]
    fn anything_else_is_no_choice() {
        for typed in ["", "x", "lo", "merged", "locals"] {
            assert_eq!(read(typed, &text()), None, "{typed:?}");
        }
    }
}
