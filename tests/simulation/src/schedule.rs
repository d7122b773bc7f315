//! One schedule from its seed to its outcome.

use std::sync::Arc;

use mirror_core::commit::MergeRule;
use mirror_core::patterns::Patterns;
use mirror_engine::{SharedSettings, create};

use crate::machine::{Errand, Machine};
use crate::op::Op;
use crate::panics;
use crate::plants::{Rule, plant};
use crate::report::Outcome;
use crate::scheduler::Idle;
use crate::setup::Setup;
use crate::storm::Storm;
use crate::world::World;
use crate::writers::Place;

/// Runs the schedule of a seed, with one rule taken away if asked for.
pub fn run(seed: u64, rule: Option<Rule>, with_words: bool) -> Outcome {
    panics::watch();
    plant(rule);
    let idle = Idle::default();
    let world = World::new(Setup::of(seed, rule), with_words);
    let reached = idle.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || reached.reached())
        .build()
        .expect("a runtime of one thread");
    runtime.block_on(tell(world.clone(), idle));
    drop(runtime);
    for panic in panics::taken() {
        world.finds(format!("a panic: {panic}"));
    }
    panics::unwatch();
    plant(None);
    let (digest, findings, lines) = world.conclude();
    Outcome { seed, digest, findings, lines }
}

async fn tell(world: Arc<World>, idle: Idle) {
    world.note(format_args!("{:?}", world.setup));
    let machines: Vec<Machine> =
        (0..world.setup.machines).map(|index| Machine::new(&world, index)).collect();
    begin(&world, &machines[0]).await;
    let mut storm = Storm::new(world, machines, idle);
    for machine in &mut storm.machines {
        machine.begin(Errand::Open, false);
    }
    storm.settles_down().await;
    storm.rages().await;
    if !storm.world.has_found() {
        storm.is_judged().await;
    }
}

/// A project, sometimes made of files that stood there before.
async fn begin(world: &Arc<World>, machine: &Machine) {
    for name in &world.setup.paths {
        if world.chance(|chance| chance.permille(400)) {
            let mut writers = world.writers();
            let bytes = writers.fresh(name);
            writers.note(Place::View, name, None, Some(&bytes));
            drop(writers);
            let path = mirror_storage::RemotePath::new(*name).expect("our paths are allowed");
            let op = Op::Write(path, bytes, mirror_storage::Expect::Absent);
            drop(op.carry_out(&world.files));
            world.takes_note(&op);
        }
    }
    let patterns = Patterns { include: vec!["**/*".to_owned()], exclude: Vec::new() };
    let mut settings = SharedSettings::new("notes", patterns);
    if world.setup.by_itself {
        settings.merge.push(MergeRule { glob: "**/MEMORY.md".to_owned(), how: "union".to_owned() });
    }
    let parts = machine.parts();
    let first = parts.outside.ulid();
    if let Err(error) = create(&parts, machine.author(), settings, first).await {
        world.finds(format!("the project can't be made: {error}"));
    }
}
