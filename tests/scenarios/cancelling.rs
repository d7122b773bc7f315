//! A job that somebody lost patience with says what it did, leaves nothing
//! half-done, and the same command goes on from there.
//!
//! No test can say when a signal arrives: one that came too late is tried
//! again.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use crate::support::{
    Machine, Outcome, Started, World, eventually, files_below, logged, same_trees, whole_log,
};

/// How often a test may come too late.
pub(super) const TRIES: usize = 8;

/// What a test cuts off, and how long it takes: some hundred megabytes.
const FILES: usize = 48;
const MEGABYTES: usize = 4;

/// Saves files of which no two pieces are equal, and none can be packed small.
pub(super) fn saves_much(machine: &Machine, round: usize) {
    let mut state = round as u64 + 1;
    let mut noise = vec![0; 1024 * 1024];
    for byte in &mut noise {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = state.to_be_bytes()[0];
    }
    for file in 0..FILES {
        let mut content = Vec::with_capacity(MEGABYTES * noise.len());
        for piece in 0..MEGABYTES {
            noise[..3]
                .copy_from_slice(&[round, file, piece].map(|n| u8::try_from(n).expect("few")));
            content.extend_from_slice(&noise);
        }
        machine.writes(format!("much/{file}.md"), content);
    }
}

pub(super) fn bytes_on(world: &World) -> u64 {
    let sizes = files_below(&world.backend()).into_iter().filter_map(|file| file.metadata().ok());
    sizes.map(|metadata| metadata.len()).sum()
}

/// Waits until a push has begun to upload, or has ended.
#[track_caller]
pub(super) fn is_uploading(world: &World, push: &mut Started, before: u64) {
    eventually("the push uploads", || push.has_ended() || bytes_on(world) > before);
}

/// Pushes more and more until a push is cut off in the middle by `cut`, and
/// gives how that one ended.
#[track_caller]
fn cut_off(world: &World, laptop: &Machine, cut: impl Fn(&Started)) -> Outcome {
    for round in 0..TRIES {
        saves_much(laptop, round);
        let (head, before) = (world.head(), bytes_on(world));
        let mut push = laptop.starts(&["push"]);
        is_uploading(world, &mut push, before);
        cut(&push);
        let ended = push.ends();
        if ended.code != Some(0) && world.head() == head {
            return ended;
        }
    }
    panic!("every push was faster");
}

/// The next push is right, and nothing is left of the one before.
#[track_caller]
fn goes_on(world: &World, laptop: &Machine) {
    let head = world.head();
    let pushed = laptop.asks(&["push"]);
    assert_eq!(pushed["commit"], head + 1, "{pushed:#}");
    whole_log(world);
    same_trees(&laptop.tree(), &world.view());
    has_no_pack_that_nobody_names(world);
    let desktop = world.next_machine("desktop");
    same_trees(&laptop.tree(), &desktop.tree());
}

#[track_caller]
fn has_no_pack_that_nobody_names(world: &World) {
    let named: BTreeSet<String> = (1..=world.head())
        .flat_map(|seq| logged(world, seq)["packs"].as_array().cloned().unwrap_or_default())
        .map(|pack| format!("{}.zip", pack["name"].as_str().expect("a name")))
        .collect();
    let packs = files_below(&world.backend().join("_mirror/packs"));
    let stored = packs.iter().map(|file| file.file_name().expect("a name").display().to_string());
    let unnamed: Vec<String> = stored.filter(|name| !named.contains(name)).collect();
    assert!(unnamed.is_empty(), "nobody needs {unnamed:?}");
}

#[test]
fn ctrl_c_ends_a_push_and_the_next_one_is_right() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);

    let ended = cut_off(&world, &laptop, Started::interrupts).exits(130);

    let result = ended.result();
    assert_eq!(result["cancelled"], true, "{result:#}");
    assert_eq!(result["commit"], json!(null), "{result:#}");
    assert_eq!(laptop.asks(&["status"])["state"], "idle");
    goes_on(&world, &laptop);
}

#[test]
fn client_that_is_gone_takes_its_push_with_it() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);

    cut_off(&world, &laptop, Started::kills);

    eventually("nothing runs", || laptop.asks(&["status", "--offline"])["state"] == "idle");
    let head = world.head();
    let status = laptop.asks(&["status"]);
    assert_eq!((&status["head"], &status["queue"]), (&json!(head), &json!([])), "{status:#}");
    goes_on(&world, &laptop);
}

#[test]
fn cancel_ends_the_push_of_another_shell() {
    for words in [&["cancel"][..], &["cancel", "--all"]] {
        let world = World::new();
        let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);

        let ended = cut_off(&world, &laptop, |_| {
            let cancelled = laptop.asks(words);
            let job = json!({"project": "notes", "kind": "push", "commit": null});
            let jobs = cancelled["cancelled"].as_array().expect("a list");
            assert!(jobs.iter().all(|one| *one == job || one["commit"] != json!(null)));
        });

        assert_eq!(ended.exits(130).result()["cancelled"], true);
        goes_on(&world, &laptop);
    }
}

#[test]
fn cancel_with_nothing_to_do_is_done() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    for words in [&["cancel"][..], &["cancel", "--all"]] {
        assert_eq!(laptop.asks(words), json!({"cancelled": []}));
    }
    laptop.runs(&["daemon", "stop"]).exits(0);
    assert_eq!(laptop.asks(&["cancel", "--all"]), json!({"cancelled": []}));
}

#[test]
fn stopping_daemon_cancels_what_runs() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);

    let ended = cut_off(&world, &laptop, |_| {
        laptop.runs(&["daemon", "stop"]).exits(0);
    });

    assert_eq!(ended.exits(130).result()["commit"], json!(null));
    goes_on(&world, &laptop);
}

#[test]
fn commit_that_was_made_before_ctrl_c_stands_and_is_named() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);

    for round in 0..TRIES {
        saves_much(&laptop, round);
        let next = world.head() + 1;
        let mut push = laptop.starts(&["push"]);
        eventually("the commit is made", || push.has_ended() || world.entry(next).exists());
        push.interrupts();
        let ended = push.ends();
        assert_eq!(world.head(), next);
        let result = ended.result();
        assert_eq!(result["commit"], next, "{result:#}");
        if ended.code == Some(130) {
            assert_eq!(result["cancelled"], true, "{result:#}");
            laptop.runs(&["push"]).exits(0);
            assert_eq!(world.head(), next);
            same_trees(&laptop.tree(), &world.view());
            return;
        }
        ended.exits(0);
    }
    panic!("every push was faster");
}

/// Clones what takes long onto one machine after the other, until a clone is
/// cut off in the middle; gives that machine, and how its clone ended.
#[track_caller]
fn cancelled_clone(world: &World, laptop: &Machine) -> (Machine, Outcome) {
    saves_much(laptop, 0);
    laptop.runs(&["push"]).exits(0);
    for number in 0..TRIES {
        let desktop = world.machine(&format!("desktop-{number}"));
        let mut clone = desktop.starts(&desktop.words_of_clone(&desktop.root()));
        eventually("files arrive", || clone.has_ended() || desktop.path("much").exists());
        clone.interrupts();
        let ended = clone.ends();
        if ended.code != Some(0) {
            return (desktop, ended.exits(130));
        }
    }
    panic!("every clone was faster");
}

#[test]
fn clone_that_was_cancelled_goes_on_with_the_same_command() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let (desktop, ended) = cancelled_clone(&world, &laptop);
    let result = ended.result();
    assert_eq!(result["cancelled"], true, "{result:#}");
    assert_eq!(result["project"], "notes", "{result:#}");

    // It knows what is there already.
    let went_on = desktop.asks(&desktop.words_of_clone(&desktop.root()));
    assert_eq!(went_on["cancelled"], false, "{went_on:#}");
    same_trees(&laptop.tree(), &desktop.tree());
    assert_eq!(desktop.asks(&["pull"])["files"], json!([]));
}

#[test]
fn cancelled_clone_can_be_taken_back() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let (desktop, _) = cancelled_clone(&world, &laptop);
    desktop.asks(&["remove", "notes"]);
    assert_eq!(desktop.asks(&["projects"])["projects"], json!([]));
    // Files are a person's; where they were is free again once they are gone.
    fs::remove_dir_all(desktop.root()).expect("the files go");
    desktop.clones();
    same_trees(&laptop.tree(), &desktop.tree());
}
