//! People write into the view: it comes into the log and to every machine, and
//! nothing of it is lost at whatever moment it is written.

use mirror_core::commit::{Action, Strategy};

use super::*;

pub(super) const PROFILES: [MemoryProfile; 3] =
    [MemoryProfile::SWAP, MemoryProfile::RENAME, MemoryProfile::TORN];

pub(super) const FIVE: &str = "one\ntwo\nthree\nfour\nfive\n";
/// What the other machine makes of it.
pub(super) const FIFTH: &str = "one\ntwo\nthree\nfour\nfive, and more\n";
/// What a person makes of it in the view.
pub(super) const FIRST: &str = "one, and more\ntwo\nthree\nfour\nfive\n";
pub(super) const BOTH: &str = "one, and more\ntwo\nthree\nfour\nfive, and more\n";

/// Two machines that agree on two files, and have seen them in the view.
pub(super) async fn agreed(profile: MemoryProfile) -> (World, Machine, Machine) {
    let world = World::on(profile).await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("a.md", FIVE);
    laptop.writes("b.md", FIVE);
    converge(&laptop, &desktop).await;
    (world, laptop, desktop)
}

/// Pushes and leaves the view as it is, as a machine that is cut off does.
pub(super) async fn pushes_unseen(machine: &Machine) {
    let scope = Scope::default();
    let job = Job::Push { scope, message: None, force_local: false, no_wait: true };
    machine.runs(job).await.unwrap();
}

pub(super) fn kinds(report: &Report) -> Vec<NoticeKind> {
    report.notices.iter().map(|notice| notice.kind).collect()
}

/// What `status` calls a conflict.
async fn waiting(machine: &Machine) -> Vec<String> {
    let report = machine.project().status(false).await.unwrap();
    let waits = report.files.iter().filter(|file| file.state == FileState::Conflict);
    waits.map(|file| file.path.as_str().to_owned()).collect()
}

pub(super) fn externals(world: &World) -> usize {
    let is_external = |seq: &u64| world.commit(*seq).action == Action::External;
    (1..=world.head()).filter(is_external).count()
}

/// Every machine's sync and round changes nothing any more, and the view shows
/// what the trees hold.
#[track_caller]
fn check_view(world: &World, machine: &Machine, case: &str) {
    let view: BTreeMap<_, _> = world
        .names("")
        .into_iter()
        .map(|name| (name.clone(), world.content(&name).unwrap().to_vec()))
        .collect();
    assert_eq!(view, machine.files(), "{case}");
}

pub(super) async fn check_quiet(world: &World, machines: [&Machine; 2], case: &str) {
    for _ in 0..2 {
        world.advance(Duration::from_hours(1));
        for machine in machines {
            machine.syncs().await;
            machine.project().poll().await.unwrap();
        }
    }
    let head = world.head();
    for machine in machines {
        machine.backend.begin_story(None);
        world.advance(Duration::from_hours(1));
        machine.syncs().await;
        machine.project().poll().await.unwrap();
        let writes = machine.backend.ended().into_iter();
        let writes: Vec<_> =
            writes.filter(|call| !["read", "list", "stat"].contains(&call.verb)).collect();
        assert_eq!(writes, [], "{case}");
    }
    assert_eq!(world.head(), head, "{case}");
    assert_eq!(machines[0].files(), machines[1].files(), "{case}");
    check_view(world, machines[0], case);
    assert_eq!(world.names("_mirror/aside"), BTreeSet::new(), "{case}");
}

#[tokio::test]
async fn edit_of_the_view_comes_into_every_tree_with_one_sync() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        world.plant("a.md", FIRST);

        let report = laptop.syncs().await;

        assert_eq!(laptop.reads("a.md").as_deref(), Some(FIRST), "{profile:?}");
        let commit = world.commit(world.head());
        assert_eq!((commit.action, commit.resolved.len()), (Action::External, 0));
        assert_eq!(report.commit.map(|(seq, _)| seq), Some(commit.seq));
        desktop.syncs().await;
        assert_eq!(desktop.reads("a.md").as_deref(), Some(FIRST));
        check_quiet(&world, [&laptop, &desktop], "").await;
        assert_eq!(externals(&world), 1);
    }
}

#[tokio::test]
async fn edit_of_the_view_is_taken_over_by_the_daemons_round() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        world.plant("a.md", FIRST);
        world.advance(Duration::from_hours(1));
        laptop.project().poll().await.unwrap();
        assert_eq!(laptop.reads("a.md").as_deref(), Some(FIVE), "the tree waits for a pull");
        desktop.pulls().await;
        assert_eq!(desktop.reads("a.md").as_deref(), Some(FIRST));
    }
}

#[tokio::test]
async fn edit_of_an_older_view_is_merged_with_the_head() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        desktop.writes("a.md", FIFTH);
        pushes_unseen(&desktop).await;
        world.plant("a.md", FIRST);

        laptop.syncs().await;

        assert_eq!(laptop.reads("a.md").as_deref(), Some(BOTH), "{profile:?}");
        let resolved = world.commit(world.head()).resolved.remove(0);
        let inputs: BTreeSet<_> = resolved.inputs.iter().map(|input| input.sha256).collect();
        assert_eq!(inputs, [FIRST, FIFTH].map(|text| Digest::of(text.as_bytes())).into());
        assert_eq!(resolved.base, Some(Digest::of(FIVE.as_bytes())));
        assert_eq!(resolved.strategy, Strategy::Merged);
        assert_eq!(world.text("a.md").as_deref(), Some(BOTH), "the view follows");
        check_quiet(&world, [&laptop, &desktop], "").await;
        assert_eq!(externals(&world), 1);
    }
}

#[tokio::test]
async fn edit_that_says_less_than_the_head_is_kept_and_changes_nothing() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        desktop.writes("a.md", BOTH);
        pushes_unseen(&desktop).await;
        world.plant("a.md", FIRST);

        laptop.syncs().await;

        let commit = world.commit(world.head());
        assert_eq!((commit.changes.len(), commit.resolved.len()), (0, 1));
        assert_eq!(laptop.reads("a.md").as_deref(), Some(BOTH));
        check_quiet(&world, [&laptop, &desktop], "").await;
        assert_eq!(externals(&world), 1);
    }
}

#[tokio::test]
async fn edit_beside_an_unpushed_edit_here_is_merged_in_the_tree() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        laptop.writes("a.md", FIFTH);
        world.plant("a.md", FIRST);
        laptop.syncs().await;
        assert_eq!(laptop.reads("a.md").as_deref(), Some(BOTH), "{profile:?}");
        check_quiet(&world, [&laptop, &desktop], "").await;
    }
}

#[tokio::test]
async fn edit_that_overlaps_waits_where_it_was_written() {
    let theirs = "one, and less\ntwo\nthree\nfour\nfive\n";
    for profile in PROFILES {
        for (taken, expected) in [(Resolution::Remote, FIRST), (Resolution::Local, theirs)] {
            let (world, laptop, desktop) = agreed(profile).await;
            desktop.writes("a.md", theirs);
            pushes_unseen(&desktop).await;
            world.plant("a.md", FIRST);
            for _ in 0..3 {
                world.advance(Duration::from_hours(1));
                let report = laptop.syncs().await;
                assert_eq!(report.conflicts, [rel("a.md")]);
                assert!(kinds(&report).contains(&NoticeKind::ViewUnsettled), "{report:?}");
                assert_eq!(world.text("a.md").as_deref(), Some(FIRST), "{profile:?}");
                assert_eq!(laptop.reads("a.md").as_deref(), Some(theirs));
            }
            assert_eq!(waiting(&laptop).await, ["a.md"], "status counts it");
            let detail = laptop.project().conflict("a.md".to_owned()).await.unwrap();
            let text = |bytes: Option<Bytes>| String::from_utf8(bytes.unwrap().into()).unwrap();
            assert_eq!(text(detail.local), theirs, "here is this folder");
            assert_eq!(text(detail.remote), FIRST);
            assert_eq!(text(detail.base), FIVE);
            assert!(detail.conflict.outside);
            assert_eq!(detail.conflict.other.name, "memory, edited there");
            assert_eq!(detail.conflict.local_by.unwrap().machine, "desktop");

            let resolution = taken.clone();
            let token = Some(detail.conflict.token);
            let path = "a.md".to_owned();
            let keeps_head = resolution == Resolution::Local;
            let resolve = Job::Resolve { path, resolution, token, no_push: false };
            let report = laptop.runs(resolve).await.unwrap();

            assert_eq!(report.pull_pending, !keeps_head, "the tree follows with the next pull");
            assert_eq!(laptop.project().conflicts().await.unwrap(), []);
            assert_eq!(waiting(&laptop).await, [""; 0]);
            check_quiet(&world, [&laptop, &desktop], "").await;
            assert_eq!(desktop.reads("a.md").as_deref(), Some(expected), "{taken:?}");
            let inputs = world.commit(world.head()).resolved.remove(0).inputs;
            assert!(inputs.iter().any(|one| one.sha256 == Digest::of(FIRST.as_bytes())));
        }
    }
}

#[tokio::test]
async fn conflict_of_the_view_outlives_the_daemon_and_its_state() {
    let (world, mut laptop, desktop) = agreed(MemoryProfile::RENAME).await;
    desktop.writes("a.md", "other\ntwo\nthree\nfour\nfive\n");
    pushes_unseen(&desktop).await;
    world.plant("a.md", FIRST);
    laptop.syncs().await;
    laptop.loses_state();
    laptop.open().await.unwrap();
    let conflicts = laptop.project().conflicts().await.unwrap();
    let edit = Some(Digest::of(FIRST.as_bytes()));
    assert_eq!(conflicts.iter().map(|one| one.remote).collect::<Vec<_>>(), [edit]);
}

#[tokio::test]
async fn edit_whose_base_is_unknown_is_never_merged() {
    for profile in PROFILES {
        let (world, mut laptop, desktop) = agreed(profile).await;
        desktop.writes("a.md", FIFTH);
        pushes_unseen(&desktop).await;
        laptop.loses_state();
        laptop.open().await.unwrap();
        world.plant("a.md", FIRST);
        let report = laptop.syncs().await;
        assert_eq!(report.conflicts, [rel("a.md")], "{profile:?}");
        assert_eq!(world.text("a.md").as_deref(), Some(FIRST));
        // A machine that knows it brings it in.
        desktop.syncs().await;
        laptop.syncs().await;
        assert_eq!(laptop.reads("a.md").as_deref(), Some(BOTH));
        assert_eq!(laptop.project().conflicts().await.unwrap(), []);
    }
}

#[tokio::test]
async fn binary_edit_is_taken_whole_or_waits() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        let edited = [FIVE.as_bytes(), b"\0\xff\xfe"].concat();
        world.plant("a.md", edited.clone());
        laptop.syncs().await;
        assert_eq!(fs::read(laptop.root("a.md")).unwrap(), edited, "{profile:?}");

        desktop.syncs().await;
        desktop.writes("a.md", [FIVE.as_bytes(), b"\0\xff\xfd, more"].concat());
        pushes_unseen(&desktop).await;
        let again = [FIVE.as_bytes(), b"\0\xff\xfc, still more"].concat();
        world.plant("a.md", again.clone());
        assert_eq!(laptop.syncs().await.conflicts, [rel("a.md")]);
        assert_eq!(world.content("a.md").unwrap(), again);
    }
}

#[tokio::test]
async fn new_file_in_the_view_is_taken_over_if_the_project_covers_it() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        laptop.writes(".mirrorignore", "*.log\n");
        laptop.syncs().await;
        for name in ["new.md", "notes/new.md", "x.log", ".new.md.swp", "new.md~"] {
            world.plant(name, "put there by a person");
        }
        laptop.backend.begin_story(None);
        laptop.syncs().await;
        desktop.syncs().await;
        let names: Vec<_> = desktop.files().into_keys().collect();
        assert_eq!(names, [".mirrorignore", "a.md", "b.md", "new.md", "notes/new.md"]);
        let reads = laptop.backend.ended().into_iter().filter(|call| call.verb == "read");
        assert_eq!(reads.filter(|call| call.path == "x.log").count(), 0, "it may be large");
        assert_eq!(world.text("x.log").as_deref(), Some("put there by a person"));
        assert_eq!(externals(&world), 1, "one commit for all of them");
    }
}

#[tokio::test]
async fn twin_of_a_mirrored_file_waits_for_another_name() {
    let (world, laptop, _desktop) = agreed(MemoryProfile::SWAP).await;
    world.plant("A.md", "put there by a person");
    let report = laptop.syncs().await;
    assert_eq!(report.conflicts, [rel("A.md")]);
    assert_eq!(externals(&world), 0);
    assert_eq!(world.text("A.md").as_deref(), Some("put there by a person"));
}

#[tokio::test]
async fn shorter_and_empty_files_are_taken_over_after_two_looks() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        world.plant("a.md", "one\ntwo\n");
        world.plant("b.md", "");
        world.plant("new.md", "");
        let report = laptop.syncs().await;
        assert_eq!(kinds(&report), [NoticeKind::ViewUnsettled; 3], "{report:?}");
        assert_eq!(world.text("a.md").as_deref(), Some("one\ntwo\n"), "nothing is done there");
        assert_eq!(externals(&world), 0);

        world.advance(Duration::from_secs(10));
        laptop.project().poll().await.unwrap();

        desktop.syncs().await;
        assert_eq!(desktop.reads("a.md").as_deref(), Some("one\ntwo\n"), "{profile:?}");
        assert_eq!(desktop.reads("b.md").as_deref(), Some(""));
        assert_eq!(desktop.reads("new.md").as_deref(), Some(""));
        check_quiet(&world, [&laptop, &desktop], "").await;
    }
}

#[tokio::test]
async fn file_that_grows_between_two_looks_is_not_taken_half_written() {
    let (world, laptop, _desktop) = agreed(MemoryProfile::RENAME).await;
    world.plant("a.md", "o");
    laptop.syncs().await;
    world.advance(Duration::from_secs(10));
    world.plant("a.md", "one, a");
    laptop.syncs().await;
    world.plant("a.md", FIRST);
    laptop.syncs().await;
    assert_eq!(world.times_committed("a.md").len(), 2, "the whole versions");
    assert_eq!(laptop.reads("a.md").as_deref(), Some(FIRST));
}

#[tokio::test]
async fn revert_by_a_person_counts_where_revisions_are_compared() {
    let later = format!("{FIVE}six\n");
    for (profile, counts) in [(MemoryProfile::SWAP, true), (MemoryProfile::RENAME, false)] {
        let (world, laptop, desktop) = agreed(profile).await;
        laptop.writes("a.md", &later);
        converge(&laptop, &desktop).await;
        world.plant("a.md", FIVE);
        laptop.syncs().await;
        world.advance(Duration::from_secs(10));
        let report = laptop.syncs().await;
        let expected = if counts { FIVE } else { &later };
        assert_eq!(world.text("a.md").as_deref(), Some(expected), "{profile:?}");
        assert_eq!(kinds(&report).contains(&NoticeKind::ViewReverted), !counts, "{report:?}");
        check_quiet(&world, [&laptop, &desktop], "").await;
        assert_eq!(desktop.reads("a.md").as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn deleting_everything_in_the_view_deletes_nothing() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        for name in world.names("") {
            world.lose(&name);
        }
        check_quiet(&world, [&laptop, &desktop], "").await;
        assert_eq!(laptop.files().len(), 2);
        assert_eq!(externals(&world), 0);
    }
}

#[tokio::test]
async fn editing_everything_in_the_view_makes_one_commit() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        for number in 0..40 {
            laptop.writes(&format!("many/{number}.md"), FIVE);
        }
        converge(&laptop, &desktop).await;
        for name in world.names("") {
            world.plant(&name, format!("{FIVE}{name}\n"));
        }
        laptop.syncs().await;
        assert_eq!(externals(&world), 1);
        check_quiet(&world, [&laptop, &desktop], "").await;
        assert!(desktop.files().values().all(|content| content.len() > FIVE.len()));
    }
}

#[tokio::test]
async fn edit_found_by_two_machines_at_once_is_taken_over_once() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        world.plant("a.md", FIRST);
        let (one, other) = futures::join!(laptop.syncs(), desktop.syncs());
        assert_eq!((failed(&one), failed(&other)), (vec![], vec![]));
        check_quiet(&world, [&laptop, &desktop], "").await;
        assert_eq!(externals(&world), 1, "{profile:?}");
        assert_eq!(desktop.reads("a.md").as_deref(), Some(FIRST));
    }
}
