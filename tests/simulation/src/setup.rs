//! What one schedule is like, chosen by its seed: how many machines, which
//! service, how much goes wrong. Each seed leaves something out, so that what
//! is left happens often.

use mirror_storage::adapter::memory::MemoryProfile;

use crate::chance::Chance;
use crate::plants::{Fake, Rule};

/// The paths that people work on.
const PATHS: [&str; 6] =
    ["notes.md", "todo.txt", "plans/june.md", "data.bin", "plans/july.md", "copy of notes.md"];

/// The same where daemons work by themselves: a list of lines, which is merged as such
/// (M4), and a file that an agent runs, which is held (B16).
const PATHS_BY_ITSELF: [&str; 4] = ["MEMORY.md", ".claude/skills/go.md", "notes.md", "todo.txt"];

/// What may happen next, with how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Edit,
    Delete,
    Rename,
    Work,
    Crash,
    /// Somebody ends a job before it is through.
    Cancel,
    Partition,
    ClockJump,
    StateLoss,
    HandEdit,
    TimePasses,
    OrphanLands,
    /// A cleaner finds an upload that takes long and thinks it is left over.
    Cleaner,
    /// Something removes an entry of the log: only without L2.
    Janitor,
    /// The service is set back by some entries.
    SetBack,
}

/// In thousandths: how a call of a machine ends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Nothing reaches the service.
    pub(crate) before: u32,
    /// The service does it; its reply is lost.
    pub(crate) after: u32,
    /// The reply comes later than others.
    pub(crate) slow_reply: u32,
    /// The caller gives up; the service does it later.
    pub(crate) late: u32,
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a schedule has each of them or not")]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) machines: usize,
    pub(crate) profile: MemoryProfile,
    pub(crate) parallel: usize,
    pub(crate) paths: Vec<&'static str>,
    /// How many events the storm has.
    pub(crate) events: usize,
    pub(crate) weights: Vec<(Event, u32)>,
    pub(crate) faults: Faults,
    /// In thousandths: someone types between two steps of a daemon.
    pub(crate) haunting: u32,
    /// In thousandths: a daemon is killed between two steps of its own.
    pub(crate) deaths: u32,
    /// A writer of the view may leave a beginning of a file there.
    pub(crate) torn: bool,
    /// How often someone goes back to an older version, next to other edits.
    pub(crate) reverts: u32,
    /// People take turns, so that machines agree more often than not.
    pub(crate) turns: bool,
    /// Entries are created by the folder trick: uploaded, then renamed.
    pub(crate) folder_trick: bool,
    /// Daemons push and pull by themselves (B17), next to what people ask for.
    pub(crate) by_itself: bool,
    pub(crate) rule: Option<Rule>,
}

impl Setup {
    /// Whether this schedule has such events.
    pub(crate) fn happens(&self, event: Event) -> bool {
        self.weights.iter().any(|(one, weight)| *one == event && *weight > 0)
    }

    /// Whether a rule that the fakes keep holds.
    pub(crate) fn keeps(&self, rule: Fake) -> bool {
        self.rule != Some(Rule::Fake(rule))
    }

    pub(crate) fn of(seed: u64, rule: Option<Rule>) -> Self {
        let mut chance = Chance::new(seed);
        let machines = 2 + chance.weigh(&[70, 22, 8]);
        let profile = *chance.pick(&[MemoryProfile::SWAP, MemoryProfile::RENAME]);
        let count = 1 + chance.weigh(&[25, 35, 20, 10, 5, 5]);
        let paths = PATHS.into_iter().take(count).collect();
        let faults = Faults {
            before: *chance.pick(&[0, 0, 20, 80]),
            after: *chance.pick(&[0, 0, 20, 80]),
            slow_reply: *chance.pick(&[0, 100, 300]),
            late: *chance.pick(&[0, 0, 30, 100]),
        };
        let mut weigh = |event, levels: &[u32]| (event, *chance.pick(levels));
        let weights = vec![
            weigh(Event::Edit, &[20, 40]),
            weigh(Event::Delete, &[0, 5, 15]),
            weigh(Event::Rename, &[0, 0, 4]),
            weigh(Event::Work, &[50, 120]),
            weigh(Event::Crash, &[0, 0, 4, 12]),
            weigh(Event::Partition, &[0, 0, 5]),
            weigh(Event::ClockJump, &[0, 0, 4]),
            weigh(Event::StateLoss, &[0, 0, 3, 8]),
            weigh(Event::HandEdit, &[0, 0, 8, 20]),
            weigh(Event::TimePasses, &[5, 20]),
            weigh(Event::OrphanLands, &[0, 2, 10]),
            weigh(Event::Cleaner, &[0, 4, 20]),
            weigh(Event::SetBack, &[0, 0, 0, 0, 0, 0, 0, 2]),
            weigh(Event::Cancel, &[0, 0, 10, 40]),
            (Event::Janitor, if rule == Some(Rule::Fake(Fake::L2)) { 5 } else { 0 }),
        ];
        let setup = Self {
            seed,
            machines,
            profile,
            parallel: *chance.pick(&[1, 4]),
            paths,
            events: *chance.pick(&[40, 90, 160]),
            weights,
            faults,
            haunting: *chance.pick(&[0, 10, 40]),
            deaths: *chance.pick(&[0, 0, 2, 6]),
            torn: profile == MemoryProfile::RENAME && chance.permille(400),
            turns: chance.permille(500),
            folder_trick: chance.permille(250),
            reverts: *chance.pick(&[0, 10, 60]),
            by_itself: false,
            rule,
        };
        setup.dwelling_on(seed % 8).working_by_itself()
    }

    /// A fourth of the seeds, by a chance of its own: the others stay what they were. A
    /// planted fault is looked for without it.
    fn working_by_itself(mut self) -> Self {
        let mut chance = Chance::new(self.seed ^ 0xB17);
        self.by_itself = self.rule.is_none() && chance.permille(250);
        if self.by_itself {
            self.paths = PATHS_BY_ITSELF.into_iter().take(1 + chance.below(4)).collect();
        }
        self
    }

    /// Half of the seeds dwell on what seldom comes together by chance.
    fn dwelling_on(mut self, theme: u64) -> Self {
        match theme {
            3 => {
                // People who write on both sides of a view that lags behind.
                self.is_small();
                (self.haunting, self.deaths, self.torn) = (0, 0, false);
                self.weighs(&[(Event::HandEdit, 30), (Event::Crash, 4), (Event::StateLoss, 4)]);
            }
            4 => {
                // A machine that has forgotten what it still has on its way.
                self.is_small();
                (self.faults.late, self.faults.before) = (100, 0);
                self.weighs(&[(Event::StateLoss, 8), (Event::Crash, 12), (Event::OrphanLands, 0)]);
            }
            5 => {
                // A daemon that never gets far.
                self.is_small();
                (self.turns, self.deaths, self.faults.after) = (true, 4, 150);
                self.weighs(&[(Event::Crash, 12), (Event::StateLoss, 0), (Event::HandEdit, 0)]);
            }
            6 => {
                // A slow service that is swept all the time.
                self.folder_trick = true;
                self.weighs(&[(Event::Cleaner, 60)]);
            }
            7 => {
                // Two people who can't make up their minds.
                self.is_small();
                self.reverts = 120;
                self.weighs(&[(Event::Crash, 0), (Event::StateLoss, 0), (Event::HandEdit, 0)]);
                (self.faults, self.haunting) = (Faults::default(), 0);
            }
            _ => {}
        }
        self
    }

    /// Few machines and files meet often.
    fn is_small(&mut self) {
        self.machines = 2;
        self.paths.truncate(2);
        self.weighs(&[(Event::Work, 120), (Event::Edit, 30)]);
    }

    fn weighs(&mut self, weights: &[(Event, u32)]) {
        for (event, weight) in weights {
            for one in self.weights.iter_mut().filter(|one| one.0 == *event) {
                one.1 = *weight;
            }
        }
    }
}
