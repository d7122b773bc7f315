//! Machines that stop editing come to the same tree, and lose nothing on the
//! way: the model refuses every step that would.

use mirror_core::RelPath;
use mirror_core::plan::{Intent, Plan};
use proptest::prelude::*;

use crate::model::{Head, Machine, path, version};

/// So many rounds of all machines are enough to settle down.
const ROUNDS: usize = 3;

/// Names that get in each other's way in every manner, and some that don't.
const NAMES: [&str; 8] = ["a", "A", "a/b", "A/B", "b", "cafe\u{301}", "caf\u{e9}", "c/d"];

/// Lets everybody sync until nothing moves any more.
fn come_to_rest(head: &mut Head, machines: &mut [Machine]) {
    for _ in 0..ROUNDS {
        for machine in machines.iter_mut() {
            machine.runs(Intent::Sync, head);
        }
    }
    for machine in machines.iter() {
        let plan = machine.plan(head, Intent::Sync);
        assert!(!plan.changes_files() && plan.adopts.is_empty(), "no rest: {plan:?}");
    }
}

fn is_settled(plan: &Plan) -> bool {
    plan.diverged.is_empty() && plan.clashes.is_empty() && plan.kept.is_empty()
}

/// All that no person has to look at is equal everywhere.
fn assert_converged(head: &Head, machines: &[Machine]) {
    for machine in machines {
        let plan = machine.plan(head, Intent::Sync);
        let open = |path: &RelPath| {
            plan.diverged.contains(path)
                || plan.kept.contains(path)
                || plan.clashes.iter().any(|clash| clash.path() == path)
        };
        for (path, facts) in machine.facts(head) {
            let remote = facts.remote.map(|remote| remote.state);
            assert!(facts.local == remote || open(&path), "{path}: {facts:?}");
        }
    }
}

/// A person on each machine settles what is left; then all is one tree.
fn assert_can_be_settled(head: &mut Head, machines: &mut [Machine]) {
    // What one settles can leave the next with something to settle.
    for _ in 0..2 * NAMES.len() {
        for machine in machines.iter_mut() {
            machine.settles(head);
            machine.runs(Intent::Sync, head);
        }
    }
    come_to_rest(head, machines);
    for machine in machines.iter() {
        let plan = machine.plan(head, Intent::Sync);
        assert!(is_settled(&plan), "{plan:?}");
        assert!(
            machine.local().iter().eq(head.manifest.iter().map(|(path, at)| (path, &at.state)))
        );
    }
}

/// Two machines that agreed on one tree and then changed it on their own.
fn two_trees(names: &[&str], number: u32, folds: bool) -> Option<(Head, [Machine; 2])> {
    let sides = |side: u32| {
        names.iter().zip(0_u32..).map(move |(name, place)| {
            let version = number / 64_u32.pow(place) / 4_u32.pow(side) % 4;
            (path(name), u8::try_from(version).unwrap())
        })
    };
    let mut head = Head::default();
    let mut machines = [Machine::new(false), Machine::new(folds)];
    for (path, number) in sides(0).filter(|(_, number)| *number > 0) {
        machines[0].saves(&path, version(number)).then_some(())?;
    }
    let plan = machines[0].runs(Intent::Push, &mut head);
    machines[1].runs(Intent::Pull, &mut head);
    for (side, machine) in (1..).zip(&mut machines) {
        for (path, _) in sides(side).filter(|(_, number)| *number == 0) {
            machine.deletes(&path);
        }
        for (path, number) in sides(side).filter(|(_, number)| *number > 0) {
            machine.saves(&path, version(number)).then_some(())?;
        }
    }
    is_settled(&plan).then_some((head, machines))
}

#[track_caller]
fn check_all_trees(names: [&str; 2]) {
    let mut count = 0;
    for (number, folds) in (0..64_u32.pow(2)).flat_map(|number| [(number, false), (number, true)]) {
        let Some((mut head, mut machines)) = two_trees(&names, number, folds) else {
            continue;
        };
        count += 1;
        come_to_rest(&mut head, &mut machines);
        assert_converged(&head, &machines);
        assert_can_be_settled(&mut head, &mut machines);
    }
    assert!(count > 500, "only {count} trees were possible");
}

#[test]
fn any_two_trees_of_two_paths_converge() {
    check_all_trees(["a", "b"]);
}

#[test]
fn any_two_trees_of_twins_converge() {
    check_all_trees(["a", "A"]);
    check_all_trees(["cafe\u{301}", "caf\u{e9}"]);
}

#[test]
fn any_two_trees_of_a_file_and_a_folder_converge() {
    check_all_trees(["a", "a/b"]);
    check_all_trees(["a", "A/b"]);
}

#[derive(Clone, Debug)]
enum Deed {
    Save(usize, u8),
    Delete(usize),
    Rename(usize, usize),
    Run(Intent),
    LoseState,
}

fn deed() -> impl Strategy<Value = Deed> {
    let name = 0..NAMES.len();
    prop_oneof![
        6 => (name.clone(), 1..5_u8).prop_map(|(name, version)| Deed::Save(name, version)),
        2 => name.clone().prop_map(Deed::Delete),
        2 => (name.clone(), name).prop_map(|(from, to)| Deed::Rename(from, to)),
        1 => Just(Deed::Run(Intent::Push)),
        1 => Just(Deed::Run(Intent::Pull)),
        1 => Just(Deed::Run(Intent::Sync)),
        1 => Just(Deed::LoseState),
    ]
}

fn happens(deed: &Deed, machine: &mut Machine, head: &mut Head) {
    match *deed {
        Deed::Save(name, number) => {
            machine.saves(&path(NAMES[name]), version(number));
        }
        Deed::Delete(name) => {
            machine.deletes(&path(NAMES[name]));
        }
        Deed::Rename(from, to) => {
            let (from, to) = (path(NAMES[from]), path(NAMES[to]));
            if let Some(state) = machine.deletes(&from)
                && !machine.saves(&to, state)
            {
                machine.saves(&from, state);
            }
        }
        Deed::Run(intent) => {
            machine.runs(intent, head);
        }
        Deed::LoseState => machine.loses_state(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn machines_that_stop_editing_converge(
        folds in any::<[bool; 3]>(),
        deeds in prop::collection::vec((0..3_usize, deed()), 0..40),
    ) {
        let mut head = Head::default();
        let mut machines = folds.map(Machine::new);
        for (machine, deed) in &deeds {
            happens(deed, &mut machines[*machine], &mut head);
        }
        come_to_rest(&mut head, &mut machines);
        assert_converged(&head, &machines);
        assert_can_be_settled(&mut head, &mut machines);
    }
}
