//! Decides which call goes on next, and what becomes of it.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::sync::oneshot;

use mirror_core::Digest;
use mirror_storage::{Expect, Guarded};

use crate::line::unreachable;
use crate::op::{Answer, Op, Reply};
use crate::panics::locked;
use crate::plants::Fake;
use crate::service::{content, is_log};
use crate::waiting::{Stage, Swept, Waiting};
use crate::world::World;

/// Tells when every task waits for something: then it is the scheduler's turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Idle(Arc<Mutex<(bool, Option<Waker>)>>);

impl Idle {
    /// To be called when the runtime has nothing left to do.
    pub(crate) fn reached(&self) {
        let mut state = locked(&self.0);
        state.0 = true;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }

    /// Waits until nothing can go on by itself.
    pub(crate) fn wait(&self) -> impl Future<Output = ()> {
        locked(&self.0).0 = false;
        Until(self.clone())
    }
}

struct Until(Idle);

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = locked(&self.0.0);
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Fine,
    Before,
    After,
    SlowReply,
    Late,
}

impl World {
    /// Lets one thing that waits go on.
    pub(crate) fn serve_one(&self) {
        let count = self.waiting().len();
        if count == 0 {
            return;
        }
        let at = self.chance(|chance| chance.below(count));
        let Waiting { id, machine, life, stage } = self.waiting().remove(at);
        if life.is_over() {
            return;
        }
        match stage {
            Stage::Local(go) => drop(go.send(())),
            Stage::Answered(reply, caller) => drop(caller.send(reply)),
            Stage::Begun(op, caller) => drop(caller.send(self.serve_rest(machine, &op))),
            Stage::Uploaded(op, Swept::Not, caller) => {
                drop(caller.send(self.serve(machine, &op)));
            }
            Stage::Uploaded(op, Swept::Empty, caller) => {
                drop(caller.send(self.serve(machine, &op.emptied())));
            }
            Stage::Uploaded(_, Swept::Away, caller) => drop(caller.send(Err(unreachable()))),
            Stage::Asked(op, caller) if self.takes_two_steps(&op) => {
                let stage = Stage::Uploaded(op, Swept::Not, caller);
                self.waiting().push(Waiting { id, machine, life, stage });
            }
            Stage::Asked(op, caller) => {
                self.let_a_rival_land_first(&op);
                let fate = self.fate(&op, self.is_cut(machine));
                if let Some(stage) = self.meets(fate, machine, op, caller) {
                    self.waiting().push(Waiting { id, machine, life, stage });
                }
            }
        }
    }

    /// Lets a call meet its fate; what is left of it, if it goes on.
    fn meets(
        &self,
        fate: Fate,
        machine: usize,
        op: Op,
        caller: oneshot::Sender<Reply>,
    ) -> Option<Stage> {
        let what = format!("machine {machine} {} {}", op.verb(), op.path());
        if fate == Fate::Fine
            && let Some([first, rest]) = op.halves().filter(|_| self.writes_bit_by_bit(&op))
        {
            return match self.serve(machine, &first) {
                Ok(Answer::Written(Guarded::Done(_))) => Some(Stage::Begun(rest, caller)),
                reply => {
                    drop(caller.send(reply));
                    None
                }
            };
        }
        match fate {
            Fate::Fine => {
                let reply = self.serve(machine, &op);
                self.hears_of_view(machine, &op, &reply);
                drop(caller.send(reply));
            }
            Fate::Before => {
                self.note(format_args!("{what}: cut"));
                drop(caller.send(Err(unreachable())));
            }
            Fate::After => {
                drop(caller.send(lost(self.serve(machine, &op))));
                // A line seldom breaks for one reply only.
                let calls = self.chance(|chance| *chance.pick(&[0, 0, 1, 6, 12]));
                self.cut_off(machine, calls);
            }
            Fate::SlowReply => return Some(Stage::Answered(self.serve(machine, &op), caller)),
            Fate::Late => {
                self.note(format_args!("{what}: given up, on its way"));
                self.orphans().push((machine, op));
                drop(caller.send(Err(unreachable())));
            }
        }
        None
    }

    /// What is late lands just when it hurts: before another change of the
    /// same file.
    fn let_a_rival_land_first(&self, op: &Op) {
        let rival = self.orphans().iter().position(|(_, late)| late.path() == op.path());
        if let Some(at) = rival.filter(|_| op.changes() && !self.is_calm())
            && self.chance(|chance| chance.permille(500))
        {
            self.land(at);
        }
    }

    /// Who wrote into the view knows what stands there.
    fn hears_of_view(&self, machine: usize, op: &Op, reply: &Reply) {
        if let (Op::Write(path, bytes, _), Ok(Answer::Written(Guarded::Done(_)))) = (op, reply)
            && !path.is_ours()
        {
            self.ledger().sees(machine, path.as_str(), Digest::of(bytes));
        }
    }

    /// Brings the rest of a file, if its beginning still stands there.
    fn serve_rest(&self, machine: usize, op: &Op) -> Reply {
        let Some([Op::Write(_, half, _), Op::Write(path, body, _)]) = op.halves() else {
            return Err(unreachable());
        };
        if content(self, &path) != Some(half) {
            return Err(unreachable());
        }
        self.serve(machine, &Op::Write(path, body, Expect::Anything))
    }

    fn writes_bit_by_bit(&self, op: &Op) -> bool {
        self.setup.torn && !self.is_calm() && !op.path().is_ours()
    }

    fn takes_two_steps(&self, op: &Op) -> bool {
        let creates = matches!(op, Op::Write(path, ..) if is_log(path));
        self.setup.folder_trick && !self.is_calm() && creates
    }

    /// A cleaner comes upon an upload that takes long (L9).
    pub(crate) fn sweep(&self) {
        let swept = if self.setup.keeps(Fake::L9) { Swept::Away } else { Swept::Empty };
        let mut waiting = self.waiting();
        let found = waiting.iter_mut().find_map(|waiting| match &mut waiting.stage {
            Stage::Uploaded(_, was, _) => Some((was, waiting.machine)),
            _ => None,
        });
        let Some((was, machine)) = found else { return };
        *was = swept;
        drop(waiting);
        self.note(format_args!("a cleaner sweeps the upload of machine {machine}: {swept:?}"));
    }

    fn fate(&self, op: &Op, is_cut: bool) -> Fate {
        if self.is_calm() {
            return Fate::Fine;
        }
        if is_cut {
            return Fate::Before;
        }
        let faults = self.setup.faults;
        let may_be_late = op.changes() && !self.ledger().is_broken();
        let late = if may_be_late { faults.late } else { 0 };
        let sum = faults.before + faults.after + faults.slow_reply + late;
        let weights =
            [1_000_u32.saturating_sub(sum), faults.before, faults.after, faults.slow_reply, late];
        let fates = [Fate::Fine, Fate::Before, Fate::After, Fate::SlowReply, Fate::Late];
        fates[self.chance(|chance| chance.weigh(&weights))]
    }

    /// A change whose sender is gone reaches the service after all.
    pub(crate) fn land_orphan(&self) {
        let count = self.orphans().len();
        if count == 0 {
            return;
        }
        self.land(self.chance(|chance| chance.below(count)));
    }

    fn land(&self, at: usize) {
        let (machine, op) = self.orphans().remove(at);
        self.note(format_args!("late: {} {}", op.verb(), op.path()));
        drop(self.serve(machine, &op));
    }

    /// Takes what a dead daemon waits for; its changes may still be on the way.
    pub(crate) fn abandon(&self, machine: usize) {
        let all = std::mem::take(&mut *self.waiting());
        for waiting in all {
            if waiting.machine != machine {
                self.waiting().push(waiting);
                continue;
            }
            if let Stage::Asked(op, _) | Stage::Uploaded(op, Swept::Not, _) = waiting.stage
                && op.changes()
                && !self.ledger().is_broken()
                && self.chance(|chance| chance.permille(500))
            {
                self.orphans().push((machine, op));
            }
        }
    }
}

/// The reply does not arrive, or only half of a stream does.
fn lost(reply: Reply) -> Reply {
    match reply {
        Ok(Answer::Read(Some((bytes, _)))) => Ok(Answer::Read(Some((bytes, true)))),
        _ => Err(unreachable()),
    }
}
