//! A line that falls silent in the middle of a command: nothing arrives any more,
//! and neither side is told. It costs the time until `ssh` gives the server up,
//! and no more than a cut that is told does.

use std::thread;

use super::cuts::{Cuts, clone_survives, command_survives, init_survives};

/// Side by side, as all of them do is wait.
#[test]
fn silence_in_the_middle_of_any_command_is_survived() {
    thread::scope(|scope| {
        for victim in ["push", "pull", "sync"] {
            scope.spawn(move || command_survives(victim, Cuts::Silent));
        }
        scope.spawn(|| clone_survives(Cuts::Silent));
        scope.spawn(|| init_survives(Cuts::Silent));
    });
}
