//! When one project's turn comes.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::{DaemonSettings, ProjectConfig};

/// What a project is opened by: its own settings, where they can be read, and the
/// daemon's.
pub(super) type Basis = (Option<ProjectConfig>, DaemonSettings);

/// When a project's turn comes again, and what its last turn still does.
#[derive(Debug)]
pub(super) struct Turn {
    due: Instant,
    under_way: Option<JoinHandle<()>>,
    /// When it was taken up out of turn last, and by which settings.
    hurried: Option<(Instant, Basis)>,
    was_paused: bool,
    /// The settings by which it does something of its own.
    pub(super) follows: Option<Arc<ProjectConfig>>,
}

/// Somewhat less than `poll`, so that not all who poll a service do so at once.
pub(super) fn spread(poll: Duration, bits: u128) -> Duration {
    let [byte, ..] = bits.to_le_bytes();
    poll * 3 / 4 + poll / 4 * u32::from(byte) / 255
}

impl Turn {
    pub(super) fn at(due: Instant) -> Self {
        Self { due, under_way: None, hurried: None, was_paused: false, follows: None }
    }

    /// Has one that was closed taken up at once. One that ends again and again by the
    /// same settings waits for its round.
    pub(super) fn hurry(&mut self, now: Instant, poll: Duration, basis: Basis) {
        let is_new = self.hurried.as_ref().is_none_or(|(_, before)| *before != basis);
        let is_over = self.hurried.as_ref().is_none_or(|(at, _)| *at + poll <= now);
        if !is_new && !is_over {
            return;
        }
        if is_new {
            // What its last turn still waits for is no business of this one.
            self.under_way = None;
        }
        self.hurried = Some((now, basis));
        self.due = now;
    }

    /// One that is resumed has its turn.
    pub(super) fn pause(&mut self, now: Instant, is_paused: bool) {
        if std::mem::replace(&mut self.was_paused, is_paused) && !is_paused {
            self.due = now;
        }
    }

    /// Whether its turn has come; the next one is at `next` then.
    pub(super) fn comes(&mut self, now: Instant, next: Instant) -> bool {
        let is_busy = self.under_way.as_ref().is_some_and(|task| !task.is_finished());
        let comes = self.due <= now && !is_busy;
        if comes {
            self.due = next;
        }
        comes
    }

    pub(super) fn begun(&mut self, task: JoinHandle<()>) {
        self.under_way = Some(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    const POLL: Duration = Duration::from_secs(30);

    fn basis(machine: &str) -> Basis {
        let nowhere = std::path::Path::new("/nowhere/mirrord.toml");
        let mut daemon = DaemonSettings::open(nowhere, &Environment::default()).unwrap();
        machine.clone_into(&mut daemon.machine);
        (None, daemon)
    }

    #[test]
    fn polls_are_spread_and_never_later_than_said() {
        assert_eq!(spread(POLL, 0), POLL * 3 / 4);
        assert_eq!(spread(POLL, u128::MAX), POLL);
        assert!(spread(POLL, 77) > POLL * 3 / 4 && spread(POLL, 77) < POLL);
    }

    #[test]
    fn turn_comes_once_a_poll() {
        let now = Instant::now();
        let mut turn = Turn::at(now);
        assert!(turn.comes(now, now + POLL));
        assert!(!turn.comes(now + POLL / 2, now + POLL));
        assert!(turn.comes(now + POLL, now + 2 * POLL));
    }

    #[test]
    fn one_that_ends_again_and_again_is_taken_up_at_once_only_once_a_poll() {
        let now = Instant::now();
        let mut turn = Turn::at(now + POLL);
        turn.hurry(now, POLL, basis("a"));
        assert!(turn.comes(now, now + POLL));
        turn.hurry(now, POLL, basis("a"));
        assert!(!turn.comes(now, now + POLL));
        turn.hurry(now + POLL, POLL, basis("a"));
        assert!(turn.comes(now + POLL, now + 2 * POLL));
    }

    #[tokio::test]
    async fn each_change_of_settings_counts_at_once_whatever_is_under_way() {
        let now = Instant::now();
        let mut turn = Turn::at(now + POLL);
        for machine in ["a", "b", "a"] {
            turn.hurry(now, POLL, basis(machine));
            assert!(turn.comes(now, now + POLL), "{machine}");
            turn.begun(tokio::spawn(std::future::pending()));
        }
    }
}
