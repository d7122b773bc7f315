//! What the daemon's own rounds take up, and when.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::config::AutoMode;
use crate::projects::{Condition, Open, Registry, SetRequest};
use crate::testing::World;

/// Far shorter than the time between two rounds of these tests.
const SOON: Duration = Duration::from_mins(1);

fn open_of(machine: &Registry, name: &str) -> Option<Open> {
    match machine.slots().get(name).map(|slot| slot.condition.clone()) {
        Some(Condition::Open(open)) if !open.project.is_closed() => Some(open),
        _ => None,
    }
}

/// Waits until it runs by itself and is as wanted.
async fn opened(machine: &Registry, name: &str, is_wanted: impl Fn(&Open) -> bool) -> Open {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    let wait = async {
        loop {
            if let Some(open) = open_of(machine, name).filter(&is_wanted) {
                return open;
            }
            looks.tick().await;
        }
    };
    timeout(SOON, wait).await.expect("it is opened long before its next round")
}

async fn set(machine: &Registry, project: Option<&str>, key: &str, value: &str) {
    let (project, key, value) = (project.map(str::to_owned), key.into(), value.into());
    machine.set(SetRequest { project, key, value, shared: false }).await.unwrap();
}

/// A machine that goes round once an hour.
async fn machine_that_goes_round(world: &World) -> Arc<Registry> {
    let machine = world.machine("laptop");
    set(&machine, None, "poll_interval", "1h").await;
    world.init(&machine, "notes", "nas").await.unwrap();
    tokio::spawn(machine.clone().make_rounds());
    opened(&machine, "notes", |_| true).await;
    machine
}

#[tokio::test(flavor = "multi_thread")]
async fn project_whose_settings_changed_is_taken_up_at_once() {
    let world = World::new();
    let machine = machine_that_goes_round(&world).await;
    for (value, mode) in
        [("both", AutoMode::Both), ("off", AutoMode::Off), ("both", AutoMode::Both)]
    {
        set(&machine, Some("notes"), "auto", value).await;
        opened(&machine, "notes", |open| open.config.auto.mode() == mode).await;
    }
    set(&machine, None, "user", "ann").await;
    opened(&machine, "notes", |_| true).await;
    machine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn project_that_ended_by_itself_is_taken_up_at_once() {
    let world = World::new();
    let machine = machine_that_goes_round(&world).await;
    let before = open_of(&machine, "notes").unwrap();

    before.project.close().await;

    let after = opened(&machine, "notes", |open| !Arc::ptr_eq(&open.config, &before.config)).await;
    assert!(!after.project.is_closed());
    machine.close().await;
}
