//! What the daemon's own rounds take up, and when.

mod pausing;

use std::sync::Arc;
use std::time::Duration;

use mirror_engine::{Cancel, Job, JobRequest, LogQuery, Report, Scope};
use tokio::sync::mpsc;
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

/// Waits for something that the daemon does by itself.
async fn comes_to_pass(what: &str, mut has_come: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    let wait = async {
        while !has_come() {
            looks.tick().await;
        }
    };
    timeout(SOON, wait).await.unwrap_or_else(|_| panic!("{what} never came"));
}

/// A second machine of the project, and a way to make commits on it.
async fn commits_elsewhere(world: &World) -> (Arc<Registry>, Open) {
    let desk = world.machine("desk");
    world.clone(&desk, "nas", "copy").await.unwrap();
    let open = desk.open("notes").await.unwrap();
    (desk, open)
}

async fn push(open: &Open) -> Report {
    let scope = Scope::default();
    let job = Job::Push { scope, message: None, force_local: false, no_wait: false };
    let (events, mut unheard) = mpsc::channel(16);
    let drain = async { while unheard.recv().await.is_some() {} };
    let request = JobRequest { job, dry_run: false, consent: false };
    let (report, ()) = tokio::join!(open.project.run(request, events, Cancel::new()), drain);
    report.unwrap()
}

/// Commits elsewhere, and tells what the head is then.
async fn commit(world: &World, open: &Open, text: &str) -> u64 {
    std::fs::write(world.at("copy/a.md"), text).unwrap();
    assert!(push(open).await.commit.is_some());
    open.project.head()
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

#[tokio::test(flavor = "multi_thread")]
async fn commit_of_another_machine_is_known_long_before_the_next_round() {
    let world = World::new();
    let machine = machine_that_goes_round(&world).await;
    let (desk, elsewhere) = commits_elsewhere(&world).await;
    let open = open_of(&machine, "notes").unwrap();
    comes_to_pass("a watch", || open.is_told()).await;
    for text in ["b", "c"] {
        let head = commit(&world, &elsewhere, text).await;
        comes_to_pass("the commit", || open.project.head() == head).await;
    }
    desk.close().await;
    machine.close().await;
}

/// As a disk that is taken away, or a backup that is put in its place.
#[tokio::test(flavor = "multi_thread")]
async fn watch_comes_back_with_its_folder() {
    let world = World::new();
    let machine = machine_that_goes_round(&world).await;
    set(&machine, Some("notes"), "poll_interval", "2s").await;
    let open = opened(&machine, "notes", |open| open.config.poll_interval.is_some()).await;
    let (desk, elsewhere) = commits_elsewhere(&world).await;
    comes_to_pass("a watch", || open.is_told()).await;

    std::fs::rename(world.at("nas"), world.at("away")).unwrap();
    comes_to_pass("its end", || !open.is_told()).await;
    let mut copy = std::process::Command::new("cp");
    copy.arg("-a").args([world.at("away"), world.at("nas")]);
    assert!(copy.status().unwrap().success());
    comes_to_pass("a watch", || open.is_told()).await;

    let head = commit(&world, &elsewhere, "b").await;
    comes_to_pass("the commit", || open.project.head() == head).await;
    desk.close().await;
    machine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_is_saved_again_and_again_holds_up_no_other() {
    let world = World::new();
    let machine = machine_that_goes_round(&world).await;
    set(&machine, Some("notes"), "auto", "push").await;
    let open = opened(&machine, "notes", |open| open.config.auto.mode() == AutoMode::Push).await;
    let before = open.project.head();
    // After this commit it has nothing more to look at by itself.
    std::fs::write(world.at("notes/a.md"), "the first of all").unwrap();
    comes_to_pass("the first commit", || open.project.head() > before).await;
    let before = open.project.head();
    std::fs::write(world.at("notes/a.md"), "saved once").unwrap();
    let mut saves = 0;
    comes_to_pass("the commit", || {
        saves += 1;
        std::fs::write(world.at("notes/restless.md"), saves.to_string()).unwrap();
        open.project.head() > before
    })
    .await;
    let query = LogQuery { limit: 10, ..LogQuery::default() };
    let commits = open.project.log(query).await.unwrap().commits;
    let first = commits.iter().find(|commit| commit.seq == before + 1).unwrap();
    let paths: Vec<_> = first.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["a.md"]);
    machine.close().await;
}
