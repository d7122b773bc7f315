//! Moves the bases of paths to what a commit of this machine was made from (B4).

use crate::api::{EngineResult, Notice, NoticeKind};
use crate::data::queue::MadeOn;
use crate::planted::{self, Rule};
use crate::project::worker::Worker;
use crate::state::{BaseRecord, GivenUp, LocalInput, TriedChange};

impl Worker {
    /// Moves the base of a path to what a commit that stands was made from, if
    /// that still is the base's next step (B4).
    pub(crate) fn move_base(&mut self, change: &TriedChange, seq: u64) {
        let Some(LocalInput { state, made_on }) = &change.input else { return };
        let base = MadeOn::of(self.state.bases().get(&change.path));
        if made_on.as_ref().is_some_and(|made_on| !MadeOn::of(made_on.as_ref()).is_still(base)) {
            return;
        }
        let state = if planted::stands(Rule::B4) { *state } else { change.to };
        let base = state.map(|state| BaseRecord::Known { state, seq });
        self.state.set_base(&change.path, base);
        self.agree_on_privacy(&change.path);
    }

    /// Says of each append that was given up, and whose place is filled by now,
    /// whether it arrived: then it moves bases like any other of this machine's (B4).
    pub(crate) async fn settle_given_up(&mut self) -> EngineResult<()> {
        let head = self.log.head();
        if self.state.given_up().iter().all(|given_up| given_up.seq > head) {
            return Ok(());
        }
        let mut arrived = Vec::new();
        for given_up in self.state.given_up().iter().filter(|given_up| given_up.seq <= head) {
            let entry = self.log.entry(given_up.seq).await?;
            let is_it = entry.commit.as_ref().is_some_and(|commit| commit.id == given_up.id);
            arrived.extend((is_it && entry.void.is_none()).then(|| given_up.clone()));
        }
        self.state.forget_given_up(head);
        for GivenUp { seq, changes, .. } in &arrived {
            for change in changes {
                self.move_base(change, *seq);
            }
            self.add_unprojected(changes.iter().map(|change| change.path.clone()));
        }
        self.save(false).await?;
        let notice = |GivenUp { seq, .. }: &GivenUp| Notice {
            kind: NoticeKind::DroppedPushArrived,
            path: None,
            message: format!(
                "a push that was dropped before the backend answered has arrived after all, as \
                 commit #{seq}"
            ),
            time: self.now(),
            stash: None,
        };
        let notices: Vec<_> = arrived.iter().map(notice).collect();
        self.keep_notices(&notices).await;
        Ok(())
    }
}
