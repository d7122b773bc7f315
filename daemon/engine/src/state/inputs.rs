//! What tried changes were made from, when that says nothing any more.

use std::sync::Arc;

use mirror_core::RelPath;

use super::facts::Fact;
use super::{State, TriedChange};

impl State {
    /// Forgets what tried changes of these paths were made from: their bases are no
    /// more for it to move (B15).
    pub fn forget_inputs(&mut self, of: impl Fn(&RelPath) -> bool) {
        let concerned = |change: &TriedChange| change.input.is_some() && of(&change.path);
        let forget = |changes: &mut Vec<TriedChange>| {
            changes.iter_mut().filter(|it| concerned(it)).for_each(|it| it.input = None);
        };
        if let Some(attempt) = &mut self.attempt
            && attempt.changes.iter().any(concerned)
        {
            forget(&mut Arc::make_mut(attempt).changes);
            self.changed.insert(Fact::Attempt);
        }
        if self.given_up.iter().flat_map(|it| &it.changes).any(concerned) {
            self.given_up.iter_mut().for_each(|it| forget(&mut it.changes));
            self.changed.insert(Fact::GivenUp);
        }
    }
}
