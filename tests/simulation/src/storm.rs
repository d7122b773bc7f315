//! The storm: people type, daemons work, and things go wrong, until the
//! schedule's events are used up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mirror_core::Digest;
use mirror_engine::{Auto, Direction, HeldChoice, Job, Overdue, Scope, Settle};
use mirror_storage::{Expect, FaultClass, RemotePath};

use crate::ledger::Holder;
use crate::machine::{Ending, Errand, Machine};
use crate::op::Op;
use crate::scheduler::Idle;
use crate::service::{content, is_log};
use crate::setup::Event;
use crate::waiting::{Stage, Waiting};
use crate::world::World;
use crate::writers::Place;

/// So many calls go on between two events, on average.
const CALLS_PER_EVENT: u32 = 8;

/// So long a file has to have stood still before it goes by itself.
const QUIET: Duration = Duration::from_secs(2);

/// A person or a daemon in the middle of a schedule.
#[derive(Debug)]
pub(crate) struct Storm {
    pub(crate) world: Arc<World>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) idle: Idle,
    turn: usize,
    /// All is healed: whatever fails now is a finding.
    pub(crate) is_judging: bool,
    /// Commits that a job said stand.
    pub(crate) acknowledged: Vec<(u64, mirror_core::Ulid)>,
}

impl Storm {
    pub(crate) fn new(world: Arc<World>, machines: Vec<Machine>, idle: Idle) -> Self {
        Self { world, machines, idle, turn: 0, is_judging: false, acknowledged: Vec::new() }
    }

    /// Lets it rage.
    pub(crate) async fn rages(&mut self) {
        self.world.set_calm(false);
        let weights: Vec<u32> =
            self.world.setup.weights.iter().map(|(_, weight)| *weight).collect();
        let mut left = self.world.setup.events;
        while left > 0 && !self.world.has_found() {
            self.settles_down().await;
            let waits = !self.world.waiting().is_empty();
            let serves =
                |chance: &mut crate::chance::Chance| chance.weigh(&[1, CALLS_PER_EVENT]) == 1;
            if waits && self.world.chance(serves) {
                self.world.advance(self.world.chance(|chance| *chance.pick(&[0, 1, 20, 300])));
                if let Some(name) = self.name_in_the_balance() {
                    self.edits_by_hand(name);
                }
                match self.worst_moment() {
                    Some((Event::Cancel, machine)) => {
                        self.cancels(machine);
                        self.world.serve_one();
                    }
                    Some((_, machine)) => self.crashes(machine),
                    None => self.world.serve_one(),
                }
                continue;
            }
            left -= 1;
            let at = self.world.chance(|chance| chance.weigh(&weights));
            let event = self.world.setup.weights[at].0;
            self.happens(event);
        }
        self.world.set_calm(true);
        self.world.heal_lines();
    }

    /// A file of the view that a machine has looked at and is about to replace,
    /// now and then: there an edit by hand is the easiest to lose.
    fn name_in_the_balance(&self) -> Option<&'static str> {
        let edits = self.world.setup.happens(Event::HandEdit);
        if !edits || !self.world.chance(|chance| chance.permille(40)) {
            return None;
        }
        let waiting = self.world.waiting();
        let mut names = waiting.iter().filter_map(|waiting| match &waiting.stage {
            Stage::Asked(op, _) if op.changes() => Some(op.path().as_str()),
            _ => None,
        });
        let paths = &self.world.setup.paths;
        names.find_map(|name| paths.iter().find(|path| **path == name).copied())
    }

    /// The machine whose entry is on its way to the log, now and then: there a
    /// crash is the hardest to get over, and a cancel the hardest to heed.
    fn worst_moment(&self) -> Option<(Event, usize)> {
        let happens = |event| self.world.setup.happens(event);
        let crashes = happens(Event::Crash) || happens(Event::StateLoss);
        let event = if crashes && self.world.chance(|chance| chance.permille(60)) {
            Event::Crash
        } else if happens(Event::Cancel) && self.world.chance(|chance| chance.permille(150)) {
            Event::Cancel
        } else {
            return None;
        };
        let waiting = self.world.waiting();
        let appends = |waiting: &&Waiting| match &waiting.stage {
            Stage::Asked(op, _) | Stage::Uploaded(op, ..) => op.changes() && is_log(op.path()),
            Stage::Answered(..) | Stage::Begun(..) | Stage::Local(_) => false,
        };
        waiting.iter().find(appends).map(|waiting| (event, waiting.machine))
    }

    /// Waits until nothing goes on by itself, and hears how errands ended.
    pub(crate) async fn settles_down(&mut self) {
        self.idle.wait().await;
        for panic in crate::panics::taken() {
            self.world.finds(format!("a panic: {panic}"));
        }
        for at in 0..self.machines.len() {
            if self.machines[at].life.is_over() {
                self.crashes(at);
            }
            if let Some(ending) = self.machines[at].ending() {
                self.hears(at, ending);
            }
        }
    }

    fn happens(&mut self, event: Event) {
        let at = self.world.chance(|chance| chance.below(self.machines.len()));
        match event {
            Event::Edit => {
                let (typist, path) = (self.typist(), self.a_path());
                self.machines[typist].ground.edit(path);
            }
            Event::Delete => {
                let (typist, path) = (self.typist(), self.a_path());
                self.machines[typist].ground.delete(path);
            }
            Event::Rename => {
                let (typist, from, to) = (self.typist(), self.a_path(), self.a_path());
                if from != to {
                    self.machines[typist].ground.rename(from, to);
                }
            }
            Event::Work => self.works(at),
            Event::Crash => self.crashes(at),
            Event::Cancel => self.cancels(at),
            Event::Partition => {
                self.world.cut_off(at, self.world.chance(|chance| *chance.pick(&[0, 10, 40])));
                self.world.note(format_args!("machine {at} is cut off"));
            }
            Event::ClockJump => {
                let jump = self.world.chance(|chance| {
                    *chance.pick(&[-86_400_007, -61_003, -1_511, 2_503, 7_200_011])
                });
                self.machines[at].clock.jump(jump);
                self.world.note(format_args!("machine {at}'s clock jumps by {jump} ms"));
            }
            Event::StateLoss => {
                self.crashes(at);
                self.forgets(at);
            }
            Event::HandEdit => self.edits_by_hand(self.a_path()),
            Event::TimePasses => {
                let time = self.world.chance(|chance| *chance.pick(&[3_000, 11_000, 700_000]));
                self.world.advance(time);
                self.world.note(format_args!("{time} ms pass"));
            }
            Event::OrphanLands => self.world.land_orphan(),
            Event::Cleaner => self.world.sweep(),
            Event::Janitor => self.world.remove_entry(),
            Event::SetBack => {
                let busy = self.machines.iter().filter(|machine| machine.busy);
                self.world.set_back(busy.map(|machine| machine.index).collect());
            }
        }
    }

    /// The machine at which somebody sits now.
    fn typist(&mut self) -> usize {
        let count = self.machines.len();
        if !self.world.setup.turns {
            return self.world.chance(|chance| chance.below(count));
        }
        if self.world.chance(|chance| chance.permille(120)) {
            self.turn = (self.turn + 1) % count;
        }
        self.turn
    }

    fn a_path(&self) -> &'static str {
        self.world.chance(|chance| *chance.pick(&self.world.setup.paths))
    }

    /// An idle daemon gets something to do; a dead one is started.
    fn works(&mut self, at: usize) {
        let path = self.a_path();
        let (kind, names_it, consent) = self.world.chance(|chance| {
            (chance.weigh(&[50, 15, 15, 20]), chance.permille(300), chance.permille(500))
        });
        let machine = &mut self.machines[at];
        if !machine.is_idle() {
            return;
        }
        if machine.project.is_none() {
            self.world.note(format_args!("machine {at} starts its daemon"));
            self.world.ledger().begins(at);
            machine.begin(Errand::Open, false);
            return;
        }
        let names = if names_it { vec![path.to_owned()] } else { Vec::new() };
        let scope = Scope { names };
        let by_itself =
            self.world.setup.by_itself && self.world.chance(|chance| chance.permille(700));
        let errand = match kind {
            _ if by_itself => Errand::Run(something_by_itself(&self.world)),
            0 => Errand::Run(Job::Sync { scope, message: None, settle: Settle::Wait }),
            1 => Errand::Run(Job::Push {
                scope,
                message: None,
                force_local: false,
                no_wait: self.world.chance(|chance| chance.permille(300)),
            }),
            2 => Errand::Run(Job::Pull { scope }),
            _ => Errand::Poll,
        };
        self.world.note(format_args!("machine {at} begins {errand:?}"));
        self.world.ledger().begins(at);
        machine.begin(errand, consent);
    }

    fn cancels(&self, at: usize) {
        self.machines[at].cancel.cancel();
        self.world.note(format_args!("machine {at}'s job is cancelled"));
    }

    fn crashes(&mut self, at: usize) {
        let power = self.world.chance(|chance| chance.permille(500));
        self.world.note(format_args!("machine {at} crashes, power lost: {power}"));
        self.world.abandon(at);
        let lost = self.machines[at].dies(power);
        self.forgives(&lost);
        self.world.ledger().unsees(at);
        let forgets = self.world.setup.happens(Event::StateLoss);
        if forgets && self.world.chance(|chance| chance.permille(400)) {
            self.forgets(at);
        }
    }

    fn forgets(&mut self, at: usize) {
        self.machines[at].loses_state();
        self.world.ledger().forgets(at);
        if self.world.chance(|chance| chance.permille(300)) {
            self.machines[at].loses_cache();
        }
    }

    /// Somebody changes a file of the view with another program.
    fn edits_by_hand(&self, name: &'static str) {
        let path = RemotePath::new(name).expect("our paths are allowed");
        let old = content(&self.world, &path);
        let mut writers = self.world.writers();
        let had = |version| self.world.ledger().has_held(Holder::View, name, version);
        let new: Option<Bytes> = match self.world.chance(|chance| chance.weigh(&[60, 15, 15, 10])) {
            0 => Some(writers.write(name, old.as_ref(), had)),
            1 => old.as_ref().map(|old| writers.shorter(old)),
            2 => writers.an_older_version(name, had),
            _ => None,
        };
        if new == old {
            return;
        }
        writers.note(Place::View, name, old.as_ref(), new.as_ref());
        drop(writers);
        let version = new.as_ref().map(|new| Digest::of(new));
        self.world.ledger().is_put_by_hand(name, version);
        let op = match &new {
            Some(new) => Op::Write(path, new.clone(), Expect::Anything),
            None => Op::Remove(path, Expect::Anything),
        };
        let size = new.map(|new| Digest::of(&new).to_string()[..8].to_owned());
        self.world.note(format_args!("hand edit of {name} in the view: {size:?}"));
        drop(op.carry_out(&self.world.files));
        self.world.takes_note(&op);
    }

    pub(crate) fn hears(&mut self, at: usize, ending: Ending) {
        let world = &self.world;
        let is_unasked = matches!(&ending, Ending::Ran(Job::Auto(_), _));
        match ending {
            Ending::Opened(Ok(project)) => {
                world.note(format_args!("machine {at} is open at #{}", project.head()));
                self.machines[at].project = Some(project);
            }
            Ending::Ran(job, Ok(report)) => {
                world.note(format_args!("machine {at} ended {job:?}: {report:?}"));
                self.acknowledged.extend(report.commit);
                if report.queued {
                    world.ledger().queues(self.machines[at].author().machine_id);
                }
                for fault in &report.failed {
                    if fault.class == FaultClass::Internal {
                        world.finds(format!("an internal fault: {fault:?}"));
                    }
                }
            }
            Ending::Polled(Ok(news)) => world.note(format_args!("machine {at} polled: {news}")),
            Ending::Opened(Err(error))
            | Ending::Ran(_, Err(error))
            | Ending::Polled(Err(error)) => {
                world.note(format_args!("machine {at} failed: {error}"));
                world.ledger().unsees(at);
                match error.class() {
                    // A fork is told, and nothing is written (L7).
                    FaultClass::Stopped if world.ledger().is_broken() => {}
                    // Read again on top of what took the place of a lost entry,
                    // a commit of this machine's own may be void: told as well.
                    FaultClass::Internal
                        if world.ledger().is_broken() && error.to_string().contains("is void") => {}
                    FaultClass::Internal | FaultClass::Stopped => {
                        world.finds(format!("machine {at}: {error}"));
                    }
                    // What a daemon may not do by itself waits for consent (B12).
                    FaultClass::Consent if is_unasked => {}
                    _ if self.is_judging => world.finds(format!("in calm, machine {at}: {error}")),
                    _ => {}
                }
            }
        }
    }
}

/// What a daemon does when nobody asked.
pub(crate) fn by_itself(overdue: Overdue) -> Job {
    Job::Auto(Auto { direction: Direction::Both, quiet: QUIET, overdue })
}

/// What a daemon does unasked, or somebody does about what it left to them.
fn something_by_itself(world: &World) -> Job {
    match world.chance(|chance| chance.weigh(&[80, 10, 6, 4])) {
        0 => by_itself(Overdue::Nothing),
        1 => by_itself(Overdue::Everything),
        2 => Job::AcceptHeld(HeldChoice::default()),
        _ => Job::RejectHeld { choice: HeldChoice::default(), for_everyone: false },
    }
}
