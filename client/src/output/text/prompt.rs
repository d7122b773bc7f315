//! `prompt`: a few letters. Nothing in it comes from elsewhere but numbers.

use mirror_proto::v1::{ProjectState, StatusGlance};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Symbols,
    Ascii,
    Text,
}

/// Empty where there is no project, and where nothing differs unless `says_clean`.
pub(crate) fn line(known: &StatusGlance, shape: Shape, says_clean: bool) -> String {
    if known.project.is_empty() {
        return String::new();
    }
    let counts = [
        (known.local_count, "↑", ">", "to send"),
        (known.remote_count, "↓", "<", "to fetch"),
        (known.conflict_count, "✗", "!", conflicts(known.conflict_count)),
        (known.held_count, "◆", "#", "held"),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let mut said: Vec<String> = counts
        .map(|(count, symbol, letter, words)| match shape {
            Shape::Symbols => format!("{symbol}{count}"),
            Shape::Ascii => format!("{letter}{count}"),
            Shape::Text => format!("{count} {words}"),
        })
        .collect();
    said.extend(state(known.state(), shape).map(str::to_owned));
    let (clean, between) = match shape {
        Shape::Symbols => ("✓", " "),
        Shape::Ascii => ("=", " "),
        Shape::Text => ("in sync", ", "),
    };
    match said.is_empty() && says_clean {
        true => clean.to_owned(),
        false => said.join(between),
    }
}

const fn conflicts(count: u64) -> &'static str {
    if count == 1 { "conflict" } else { "conflicts" }
}

/// What somebody may want to do something about. That it is at work is over in a moment.
const fn state(state: ProjectState, shape: Shape) -> Option<&'static str> {
    let [symbol, letters, words] = match state {
        ProjectState::Paused => ["⏸", "paused", "paused"],
        ProjectState::Stopped => ["■", "stopped", "stopped"],
        ProjectState::Consent => ["?", "consent", "deletions wait for you"],
        ProjectState::Idle | ProjectState::Busy | ProjectState::Unspecified => return None,
    };
    Some(match shape {
        Shape::Symbols => symbol,
        Shape::Ascii => letters,
        Shape::Text => words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: [u64; 4], state: ProjectState, expected: [&str; 3]) {
        let [local_count, remote_count, conflict_count, held_count] = counts;
        let known = StatusGlance {
            project: "notes".to_owned(),
            local_count,
            remote_count,
            conflict_count,
            held_count,
            state: state.into(),
        };
        let said = [Shape::Symbols, Shape::Ascii, Shape::Text].map(|it| line(&known, it, true));
        assert_eq!(said, expected);
    }

    #[test]
    fn what_differs_is_counted_and_nothing_else_is_said() {
        check([0; 4], ProjectState::Busy, ["✓", "=", "in sync"]);
        check(
            [1, 2, 1, 3],
            ProjectState::Idle,
            ["↑1 ↓2 ✗1 ◆3", ">1 <2 !1 #3", "1 to send, 2 to fetch, 1 conflict, 3 held"],
        );
        check([0, 0, 2, 0], ProjectState::Idle, ["✗2", "!2", "2 conflicts"]);
    }

    #[test]
    fn state_that_waits_for_a_person_is_said() {
        check([0; 4], ProjectState::Paused, ["⏸", "paused", "paused"]);
        check([1, 0, 0, 0], ProjectState::Stopped, ["↑1 ■", ">1 stopped", "1 to send, stopped"]);
        check([0; 4], ProjectState::Consent, ["?", "consent", "deletions wait for you"]);
    }
}
