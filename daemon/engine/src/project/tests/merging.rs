//! Texts that changed on both machines, in places apart.

use std::os::unix::fs::PermissionsExt;

use mirror_core::commit::{Input, Strategy, pack_name};

use super::meddling_tree::Step;
use super::*;

const BASE: &str = "one\ntwo\nthree\nfour\nfive\n";
const MERGED: &str = "ONE\ntwo\nthree\nfour\nFIVE\n";

/// `BASE` with these of its lines in capitals.
fn with(lines: &[&str]) -> String {
    lines.iter().fold(BASE.to_owned(), |text, line| text.replace(line, &line.to_uppercase()))
}

/// `a.md` was edited on both machines: the first line on the laptop, which has
/// pushed, the last on the desktop.
async fn story_on(profile: MemoryProfile) -> (World, Machine, Machine) {
    let world = World::on(profile).await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    desktop.writes("a.md", BASE);
    converge(&desktop, &laptop).await;
    laptop.writes("a.md", with(&["one"]));
    laptop.pushes().await;
    desktop.writes("a.md", with(&["five"]));
    (world, laptop, desktop)
}

async fn story() -> (World, Machine, Machine) {
    story_on(MemoryProfile::SWAP).await
}

fn push_by_force() -> Job {
    Job::Push { scope: Scope::default(), message: None, force_local: true, no_wait: false }
}

fn merged(report: &Report) -> Vec<&str> {
    let merged = report.files.iter().filter(|file| file.action == FileAction::Merged);
    merged.map(|file| file.path.as_str()).collect()
}

/// The one resolution of a commit.
fn resolved(world: &World, seq: u64) -> (Strategy, Vec<Input>) {
    let [resolved] = &world.commit(seq).resolved[..] else { panic!("one path is settled") };
    (resolved.strategy, resolved.inputs.clone())
}

/// A content as it is to be had from the packs that commits name.
pub(super) fn packed(world: &World, content: Digest) -> Option<Vec<u8>> {
    let packs = (1..=world.head()).flat_map(|seq| world.commit(seq).packs);
    packs.into_iter().find_map(|pack| {
        let place = pack.contents.iter().find(|place| place.sha256 == content)?;
        let bytes = world.content(&format!("_mirror/{}", pack_name(pack.name)))?;
        let start = usize::try_from(place.offset).unwrap();
        let end = start + usize::try_from(place.stored_size).unwrap();
        let mut whole = Vec::new();
        let mut stored = &bytes[start..end];
        match place.method {
            mirror_core::commit::Method::Stored => whole.extend_from_slice(stored),
            mirror_core::commit::Method::Deflated => {
                let mut inflated = flate2::read::DeflateDecoder::new(&mut stored);
                std::io::Read::read_to_end(&mut inflated, &mut whole).unwrap();
            }
        }
        Some(whole)
    })
}

#[tokio::test]
async fn edits_in_places_apart_merge_in_a_push_and_in_a_sync() {
    for job in [push_of(&[]), sync(Settle::Wait)] {
        let (world, laptop, desktop) = story().await;

        let report = desktop.runs(job).await.unwrap();

        assert_eq!((merged(&report), &report.conflicts), (vec!["a.md"], &vec![]));
        assert_eq!(failed(&report), [""; 0]);
        assert_eq!(report.files.len(), 1, "it is told of once");
        assert_eq!(desktop.reads("a.md").as_deref(), Some(MERGED));
        assert_eq!(world.text("a.md").as_deref(), Some(MERGED));
        converge(&laptop, &desktop).await;
        assert_eq!(laptop.reads("a.md").as_deref(), Some(MERGED));
        assert_eq!(world.head(), 4);

        let (strategy, inputs) = resolved(&world, 4);
        assert_eq!(strategy, Strategy::Merged);
        assert_eq!(inputs.len(), 2);
        for version in [with(&["one"]), with(&["five"])] {
            let digest = Digest::of(version.as_bytes());
            assert!(inputs.iter().any(|input| input.sha256 == digest));
            assert_eq!(packed(&world, digest).as_deref(), Some(version.as_bytes()));
        }
    }
}

#[tokio::test]
async fn pull_leaves_what_could_be_merged_and_names_it() {
    let (world, _laptop, desktop) = story().await;
    let report = desktop.pulls().await;
    assert_eq!(report.conflicts, [rel("a.md")]);
    assert_eq!(desktop.reads("a.md"), Some(with(&["five"])));
    assert_eq!(desktop.unsettled().await, [("a.md".to_owned(), FileState::Diverged)]);
    assert_eq!(world.head(), 3);
}

#[tokio::test]
async fn dry_run_says_what_would_be_merged_and_does_nothing() {
    let (world, _laptop, desktop) = story().await;
    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job: sync(Settle::Wait), dry_run: true, consent: false };
    let report = desktop.project().run(request, events, Cancel::new()).await.unwrap();
    assert_eq!(merged(&report), ["a.md"]);
    assert_eq!((world.head(), desktop.reads("a.md")), (3, Some(with(&["five"]))));
}

#[tokio::test]
async fn merge_that_the_head_has_already_makes_no_commit() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("a.md", with(&["one", "five"]));
    laptop.pushes().await;

    let report = desktop.syncs().await;

    assert_eq!((merged(&report), report.commit), (vec!["a.md"], None));
    assert_eq!(desktop.reads("a.md").as_deref(), Some(MERGED));
    assert_eq!(world.head(), 4);
    assert_eq!(desktop.stashed(), [("a.md".to_owned(), "merge".to_owned(), with(&["five"]))]);
    converge(&laptop, &desktop).await;
}

#[tokio::test]
async fn loser_of_a_race_merges_on_top_of_the_winner() {
    for round in 0..10 {
        let (world, laptop, desktop) = story().await;
        laptop.writes("a.md", with(&["one", "three"]));

        let (one, other) = futures::join!(laptop.pushes(), desktop.pushes());

        for report in [&one, &other] {
            assert_eq!((failed(report), &report.conflicts), (vec![], &vec![]), "round {round}");
        }
        converge(&laptop, &desktop).await;
        assert_eq!(laptop.reads("a.md"), Some(with(&["one", "three", "five"])), "round {round}");
        assert_eq!(world.head(), 5, "round {round}");
    }
}

#[tokio::test]
async fn both_machines_merging_at_once_come_to_the_same() {
    let (_world, laptop, desktop) = story().await;
    converge(&desktop, &laptop).await;
    for round in 0..20 {
        let (one, other) = (format!("ONE {round}"), format!("FIVE {round}"));
        laptop.writes("a.md", MERGED.replace("ONE", &one));
        desktop.writes("a.md", MERGED.replace("FIVE", &other));
        let (first, second) = futures::join!(laptop.syncs(), desktop.syncs());
        assert_eq!((first.conflicts, second.conflicts), (vec![], vec![]), "round {round}");
        converge(&laptop, &desktop).await;
        let both = MERGED.replace("ONE", &one).replace("FIVE", &other);
        assert_eq!(laptop.reads("a.md"), Some(both), "round {round}");
        for machine in [&laptop, &desktop] {
            machine.writes("a.md", MERGED);
        }
        converge(&laptop, &desktop).await;
    }
}

#[tokio::test]
async fn edit_made_while_a_merge_lands_is_kept_and_merged_in_turn() {
    let (world, laptop, desktop) = story().await;
    let file = desktop.root("a.md");
    let mut is_done = false;
    desktop.tree.haunt(move |step, path| {
        if step == Step::Put && path.as_str() == "a.md" && !std::mem::replace(&mut is_done, true) {
            fs::write(&file, with(&["three", "five"])).unwrap();
        }
    });

    let report = desktop.pushes().await;

    assert_eq!(failed(&report), ["a.md"]);
    assert_eq!(desktop.reads("a.md"), Some(with(&["three", "five"])));
    assert_eq!(world.text("a.md").as_deref(), Some(MERGED));
    converge(&desktop, &laptop).await;
    assert_eq!(laptop.reads("a.md"), Some(with(&["one", "three", "five"])));
}

#[tokio::test]
async fn merge_cut_anywhere_is_made_good_and_made_once() {
    for job in [|| push_of(&[]), || sync(Settle::Wait)] {
        for steps in 0.. {
            let (world, laptop, mut desktop) = story_on(MemoryProfile::RENAME).await;
            let was_cut = cut(&mut desktop, steps, job()).await;
            let case = format!("cut after {steps} steps");

            desktop.runs(job()).await.unwrap_or_else(|error| panic!("{case}: {error}"));
            converge(&desktop, &laptop).await;

            assert_eq!(laptop.reads("a.md").as_deref(), Some(MERGED), "{case}");
            assert_eq!(laptop.files().len(), 1, "{case}");
            let times = world.times_committed("a.md");
            assert_eq!(times[&Some(Digest::of(MERGED.as_bytes()))], 1, "{case}: {times:?}");
            assert!(packed(&world, Digest::of(with(&["five"]).as_bytes())).is_some(), "{case}");
            assert_eq!(desktop.project().conflicts().await.unwrap(), [], "{case}");
            if !was_cut {
                assert!(steps > 5, "the job takes steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn text_whose_base_is_gone_is_a_conflict_without_one() {
    let (world, _laptop, mut desktop) = story().await;
    let first = world.commit(2).packs[0].name;
    world.lose(&format!("_mirror/{}", pack_name(first)));
    desktop.loses_folder("cache");

    let report = desktop.syncs().await;

    assert_eq!(report.conflicts, [rel("a.md")]);
    assert_eq!(failed(&report), [""; 0]);
    let [conflict] = &desktop.project().conflicts().await.unwrap()[..] else { panic!("one") };
    assert_eq!((conflict.kind, conflict.base), (ConflictKind::EditEdit, None));
    assert!(conflict.local.is_some() && conflict.remote.is_some());
    assert_eq!(desktop.reads("a.md"), Some(with(&["five"])));
}

#[tokio::test]
async fn executable_bit_merges_with_the_text() {
    let (world, laptop, desktop) = story().await;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(laptop.root("a.md"), executable).unwrap();
    laptop.pushes().await;

    let report = desktop.syncs().await;

    assert_eq!(merged(&report), ["a.md"]);
    assert_eq!(desktop.reads("a.md").as_deref(), Some(MERGED));
    assert_ne!(fs::metadata(desktop.root("a.md")).unwrap().permissions().mode() & 0o111, 0);
    let to = world.commit(world.head()).changes[0].to.clone().unwrap();
    assert!(to.exec);
}

#[tokio::test]
async fn bytes_of_one_side_and_executable_bit_of_the_other_merge_in_any_file() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for name in ["local.bin", "remote.bin"] {
        laptop.writes(name, b"\0old\xff");
    }
    converge(&laptop, &desktop).await;
    let set_exec = |machine: &Machine, name: &str| {
        fs::set_permissions(machine.root(name), fs::Permissions::from_mode(0o755)).unwrap();
    };
    laptop.writes("remote.bin", b"\0new\xff");
    set_exec(&laptop, "local.bin");
    laptop.pushes().await;
    desktop.writes("local.bin", b"\0new\xff");
    set_exec(&desktop, "remote.bin");

    let report = desktop.syncs().await;

    assert_eq!(merged(&report), ["local.bin", "remote.bin"]);
    converge(&laptop, &desktop).await;
    for (machine, name) in [(&laptop, "local.bin"), (&desktop, "remote.bin")] {
        assert_eq!(fs::read(machine.root(name)).unwrap(), b"\0new\xff", "{name}");
        let mode = fs::metadata(machine.root(name)).unwrap().permissions().mode();
        assert_ne!(mode & 0o111, 0, "{name}");
    }
}

#[tokio::test]
async fn forced_push_takes_what_stands_here_for_the_result() {
    let (world, laptop, desktop) = story().await;

    let report = desktop.runs(push_by_force()).await.unwrap();

    assert_eq!((failed(&report), &report.conflicts), (vec![], &vec![]));
    assert_eq!(world.text("a.md"), Some(with(&["five"])));
    assert_eq!(resolved(&world, 4).0, Strategy::KeepLocal);
    converge(&laptop, &desktop).await;
    assert_eq!(laptop.reads("a.md"), Some(with(&["five"])));
    let theirs = Digest::of(with(&["one"]).as_bytes());
    assert!(packed(&world, theirs).is_some(), "the other version stays readable");
}

#[tokio::test]
async fn strategy_settles_only_what_does_not_merge() {
    for (settle, kept) in [(Settle::KeepLocal, "desktop\n"), (Settle::KeepRemote, "laptop\n")] {
        let (_world, laptop, desktop) = story().await;
        laptop.writes("b.md", "laptop\n");
        laptop.pushes().await;
        desktop.writes("b.md", "desktop\n");

        let report = desktop.runs(sync(settle)).await.unwrap();

        assert_eq!((merged(&report), &report.conflicts), (vec!["a.md"], &vec![]));
        converge(&laptop, &desktop).await;
        assert_eq!(laptop.reads("a.md").as_deref(), Some(MERGED));
        assert_eq!(laptop.reads("b.md").as_deref(), Some(kept));
    }
}

#[tokio::test]
async fn head_that_moves_while_both_versions_are_read_is_merged_with_too() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("a.md", with(&["one", "three"]));
    let pack = pack_name(world.commit(3).packs[0].name);
    let laptop = Arc::new(laptop);
    let pushing = laptop.clone();
    desktop.backend.before(move |verb, path| verb == "read" && path.ends_with(&pack), async move {
        pushing.pushes().await;
    });
    let report = desktop.pushes().await;
    assert_eq!((failed(&report), &report.conflicts), (vec![], &vec![]));
    converge(&laptop, &desktop).await;
    assert_eq!(laptop.reads("a.md"), Some(with(&["one", "three", "five"])));
}

#[tokio::test]
async fn version_that_makes_way_is_stashed_once_however_often_it_is_tried() {
    let (_world, laptop, desktop) = story().await;
    laptop.writes("a.md", with(&["one", "five"]));
    laptop.pushes().await;
    let file = desktop.root("a.md");
    let ours = with(&["five"]);
    desktop.tree.haunt(move |step, _| {
        if step == Step::Put {
            // Some program keeps saving what it has.
            fs::write(&file, "in between").unwrap();
        }
    });
    for _ in 0..3 {
        desktop.writes("a.md", &ours);
        assert_eq!(failed(&desktop.syncs().await), ["a.md"]);
    }
    desktop.tree.haunt(|_, _| {});
    assert_eq!(desktop.stashed(), [("a.md".to_owned(), "merge".to_owned(), ours.clone())]);
    desktop.writes("a.md", &ours);
    converge(&desktop, &laptop).await;
    assert_eq!(desktop.reads("a.md").as_deref(), Some(MERGED));
}

#[tokio::test]
async fn more_merges_than_fit_in_memory_take_several_commits_of_one_job() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    let long = |text: &str| text.replace("three\n", &"three\n".repeat(200));
    let names: Vec<String> = (0..12).map(|number| format!("{number}.md")).collect();
    for name in &names {
        desktop.writes(name, long(BASE));
    }
    converge(&desktop, &laptop).await;
    for name in &names {
        laptop.writes(name, long(BASE).replace("one", &format!("ONE {name}")));
        desktop.writes(name, long(BASE).replace("five", &format!("FIVE {name}")));
    }
    laptop.pushes().await;

    let report = desktop.pushes().await;

    assert_eq!((merged(&report).len(), &report.conflicts), (12, &vec![]));
    assert!(world.head() > 4, "one commit can't hold them all");
    assert_eq!(desktop.unsettled().await, []);
    let settled: usize = (4..=world.head()).map(|seq| world.commit(seq).resolved.len()).sum();
    assert_eq!(settled, 12, "each was merged once");
    let packs: Vec<_> = (1..=world.head()).flat_map(|seq| world.commit(seq).packs).collect();
    let names: BTreeSet<_> = packs.iter().map(|pack| pack.name).collect();
    assert_eq!(names.len(), packs.len(), "each pack belongs to one commit");
    converge(&laptop, &desktop).await;
    let text = laptop.reads("7.md").unwrap();
    assert!(text.starts_with("ONE 7.md\n") && text.ends_with("FIVE 7.md\n"));
}
