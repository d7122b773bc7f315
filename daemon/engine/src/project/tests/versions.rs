//! Every version that a file has had is listed, wherever it is kept, and is had back
//! by what `history` says of it.

use std::io::Read;

use mirror_storage::FaultClass;

use super::conflicts::story;
use super::outside_edits::{agreed, pushes_unseen};
use super::queueing::{queues, unplug};
use super::*;
use crate::error::EngineError;

const MINE: &str = "mine\ntwo\nthree\nfour\nfive\n";
const THEIRS: &str = "theirs\ntwo\nthree\nfour\nfive\n";

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn named(text: &str) -> VersionName {
    VersionName::Digest(digest(text).to_string()[..8].to_owned())
}

async fn versions(machine: &Machine, path: &str) -> Vec<FileVersion> {
    machine.project().versions(path.to_owned(), None, None).await.unwrap()
}

/// What is listed of a path with this content.
#[track_caller]
fn roles(versions: &[FileVersion], text: &str) -> Vec<VersionRole> {
    let is_it = |version: &&FileVersion| version.sha256 == Some(digest(text));
    versions.iter().filter(is_it).map(|version| version.role).collect()
}

async fn reads(machine: &Machine, path: &str, name: VersionName) -> Result<String, EngineError> {
    let (_, content) = machine.project().version(path.to_owned(), name).await?;
    let mut text = String::new();
    content.open().unwrap().read_to_string(&mut text).unwrap();
    Ok(text)
}

fn take(resolution: Resolution) -> Job {
    Job::Resolve { path: "a.md".to_owned(), resolution, token: None, no_push: false }
}

fn restore(path: &str, text: &str) -> Job {
    let digits = digest(text).to_string()[..12].to_owned();
    Job::RestoreVersion { path: path.to_owned(), digits, output: None }
}

#[tokio::test]
async fn both_sides_of_a_settled_conflict_are_listed_and_had_back() {
    let result = Resolution::Merged(Bytes::from_static(b"both\n"));
    for (resolution, role) in [
        (result, VersionRole::Input),
        (Resolution::Local, VersionRole::Committed),
        (Resolution::Remote, VersionRole::Stash),
        (Resolution::Side("laptop".to_owned()), VersionRole::Stash),
    ] {
        let (_world, _laptop, desktop) = story().await;
        let report = desktop.runs(take(resolution)).await.unwrap();

        let listed = versions(&desktop, "a.md").await;
        assert_eq!(roles(&listed, "desktop\n"), [role], "{listed:?}");
        assert_eq!(roles(&listed, "laptop\n"), [VersionRole::Committed], "{listed:?}");
        let stashed = listed.iter().find_map(|version| version.stash);
        let told = report.notices.iter().find_map(|notice| notice.stash);
        assert_eq!(told, stashed, "{report:?}");
        assert_eq!(told.is_some(), role == VersionRole::Stash);
        assert_eq!(reads(&desktop, "a.md", named("desktop\n")).await.unwrap(), "desktop\n");
        let report = desktop.runs(restore("a.md", "desktop\n")).await.unwrap();
        assert_eq!(desktop.reads("a.md").as_deref(), Some("desktop\n"), "{report:?}");
    }
}

#[tokio::test]
async fn versions_stand_newest_first_and_say_who_made_them_and_when() {
    let (world, _laptop, desktop) = story().await;
    world.advance(Duration::from_hours(1));
    desktop.runs(take(Resolution::Remote)).await.unwrap();
    world.advance(Duration::from_hours(1));
    desktop.writes("a.md", "later\n");
    desktop.pushes().await;

    let listed = versions(&desktop, "a.md").await;

    let times: Vec<_> = listed.iter().map(|version| version.time).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{listed:?}");
    let told: Vec<_> = listed.iter().map(|v| (v.role, v.machine.as_str())).collect();
    assert_eq!(
        told,
        [
            (VersionRole::Committed, "desktop"),
            (VersionRole::Stash, "desktop"),
            (VersionRole::Committed, "laptop"),
            (VersionRole::Committed, "desktop"),
        ]
    );
    assert_eq!(listed[1].seq, None);
}

#[tokio::test]
async fn what_the_stash_has_is_read_without_the_backend() {
    let (_world, _laptop, desktop) = story().await;
    desktop.runs(take(Resolution::Remote)).await.unwrap();
    super::queueing::unplug(&desktop);

    assert_eq!(reads(&desktop, "a.md", named("desktop\n")).await.unwrap(), "desktop\n");
    desktop.runs(restore("a.md", "desktop\n")).await.unwrap();
    assert_eq!(desktop.reads("a.md").as_deref(), Some("desktop\n"));
}

#[tokio::test]
async fn version_is_of_the_path_that_it_is_asked_of() {
    let (_world, _laptop, desktop) = story().await;
    desktop.writes("b.md", "b\n");
    desktop.runs(push_of(&["b.md"])).await.unwrap();

    let elsewhere = reads(&desktop, "b.md", named("laptop\n")).await.unwrap_err();
    assert_eq!(elsewhere.class(), FaultClass::NotFound);
    assert!(elsewhere.to_string().contains("but a.md has"), "{elsewhere}");
    assert!(elsewhere.hint().unwrap().contains("history a.md"), "{elsewhere:?}");

    let nowhere = reads(&desktop, "a.md", named("nobody wrote this")).await.unwrap_err();
    assert_eq!(nowhere.class(), FaultClass::NotFound);
    assert!(nowhere.hint().unwrap().contains("history a.md"), "{nowhere:?}");

    let several = VersionName::Digest(String::new());
    let several = reads(&desktop, "a.md", several).await.unwrap_err();
    assert_eq!(several.class(), FaultClass::Usage);
    for text in ["base\n", "laptop\n"] {
        assert!(several.to_string().contains(&digest(text).to_string()), "{several}");
    }
}

#[tokio::test]
async fn bytes_of_another_file_are_set_aside_all_the_same() {
    let (_world, _laptop, desktop) = story().await;
    desktop.runs(take(Resolution::Remote)).await.unwrap();
    desktop.writes("c.md", "unlike all others\n");
    desktop.pushes().await;
    desktop.writes("a.md", "unlike all others\n");

    let report = desktop.runs(restore("a.md", "base\n")).await.unwrap();

    assert!(report.notices.iter().any(|notice| notice.stash.is_some()), "{report:?}");
    let listed = versions(&desktop, "a.md").await;
    assert_eq!(roles(&listed, "unlike all others\n"), [VersionRole::Stash]);
}

#[tokio::test]
async fn link_that_went_into_a_resolution_comes_back_as_a_link() {
    let world = World::new().await;
    let (laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    laptop.writes("a.md", "base\n");
    laptop.writes("b.md", "b\n");
    converge(&laptop, &desktop).await;
    laptop.writes("a.md", "laptop\n");
    laptop.pushes().await;
    desktop.removes("a.md");
    std::os::unix::fs::symlink("b.md", desktop.root("a.md")).unwrap();
    desktop.syncs().await;

    let result = Resolution::Merged(Bytes::from_static(b"both\n"));
    desktop.runs(take(result)).await.unwrap();
    assert_eq!(desktop.reads("a.md").as_deref(), Some("both\n"));
    desktop.runs(restore("a.md", "b.md")).await.unwrap();

    let target = fs::read_link(desktop.root("a.md")).unwrap();
    assert_eq!(target, PathBuf::from("b.md"));
}

#[tokio::test]
async fn any_two_versions_can_be_compared() {
    let (_world, _laptop, desktop) = story().await;
    let scope = Scope { names: vec!["a.md".to_owned()] };
    let query = DiffQuery { scope, context_lines: 3, ..DiffQuery::default() };
    let diff = async |from, to| {
        let query = DiffQuery { from, to, ..query.clone() };
        let mut files = desktop.project().diff_of(query).await.unwrap();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    };

    let usual = diff(None, None).await;
    assert_eq!((usual.from.as_str(), usual.to.as_str()), ("head", "local"));
    assert!(usual.unified.starts_with("--- head/a.md\n+++ here/a.md\n"), "{}", usual.unified);
    let of_commit = diff(Some(VersionName::Commit(2)), None).await;
    assert!(of_commit.unified.contains("-base\n+desktop\n"), "{}", of_commit.unified);
    assert_eq!(of_commit.from, "#2");
    let of_versions = diff(Some(named("base\n")), Some(named("laptop\n"))).await;
    assert!(of_versions.unified.contains("-base\n+laptop\n"), "{}", of_versions.unified);

    let query = DiffQuery { from: Some(named("base\n")), ..DiffQuery::default() };
    let error = desktop.project().diff_of(query).await.unwrap_err();
    assert_eq!(error.class(), FaultClass::Usage);
}

#[tokio::test]
async fn strategy_settles_an_edit_of_the_view_as_well() {
    for (settle, expected) in [(Settle::KeepLocal, THEIRS), (Settle::KeepRemote, MINE)] {
        for profile in [MemoryProfile::SWAP, MemoryProfile::RENAME] {
            let (world, laptop, desktop) = agreed(profile).await;
            desktop.writes("a.md", THEIRS);
            pushes_unseen(&desktop).await;
            world.plant("a.md", MINE);
            assert_eq!(laptop.syncs().await.conflicts, [rel("a.md")]);

            let report = laptop.runs(sync(settle)).await.unwrap();

            assert_eq!(report.conflicts, [], "{report:?}");
            assert_eq!(laptop.project().conflicts().await.unwrap(), []);
            assert_eq!(laptop.reads("a.md").as_deref(), Some(expected), "{settle:?}");
            assert_eq!(world.text("a.md").as_deref(), Some(expected));
            let listed = versions(&laptop, "a.md").await;
            assert_eq!(roles(&listed, MINE).len(), 1, "{listed:?}");
            assert_eq!(reads(&laptop, "a.md", named(MINE)).await.unwrap(), MINE);
        }
    }
}

#[tokio::test]
async fn edit_that_the_log_has_is_named_by_its_place() {
    let (world, laptop, _desktop) = agreed(MemoryProfile::RENAME).await;
    laptop.writes("a.md", MINE);
    world.plant("a.md", THEIRS);
    assert_eq!(laptop.syncs().await.conflicts, [rel("a.md")]);

    let conflicts = laptop.project().conflicts().await.unwrap();

    let [conflict] = &conflicts[..] else { panic!("one in {conflicts:?}") };
    assert_eq!(conflict.local, Some(digest(MINE)));
    assert_eq!(conflict.place.as_deref(), Some("memory"));
    assert_eq!((&conflict.remote_by, conflict.outside), (&None, false));
    let seq = conflict.remote_commit.unwrap();
    assert_eq!(conflict.other.name, format!("#{seq}, edited on memory"));
    assert_eq!(conflict.other.word, "memory");
}

#[tokio::test]
async fn side_of_a_conflict_has_one_name_each() {
    let (_world, _laptop, desktop) = story().await;
    let error = desktop.runs(take(Resolution::Side("tablet".to_owned()))).await.unwrap_err();
    assert_eq!(error.class(), FaultClass::Usage);
    assert!(error.hint().unwrap().contains("`here`, or `laptop`"), "{error:?}");
    for (word, text) in [("Here", "desktop\n"), ("#3", "laptop\n"), ("there", "laptop\n")] {
        let (_world, _laptop, desktop) = story().await;
        desktop.runs(take(Resolution::Side(word.to_owned()))).await.unwrap();
        assert_eq!(desktop.reads("a.md").as_deref(), Some(text), "{word}");
    }
}

/// Sets a version of `old.md` aside, and leaves the file as it was.
async fn sets_aside(machine: &Machine, text: &str) {
    let before = machine.reads("old.md").unwrap();
    unplug(machine);
    machine.writes("old.md", text);
    queues(machine).await;
    machine.backend.plug_in();
    machine.project().drop_queued(None).await.unwrap();
    machine.writes("old.md", before);
}

#[tokio::test]
async fn version_set_aside_under_an_earlier_name_is_one_of_the_file() {
    let world = World::on(MemoryProfile::RENAME).await;
    let (laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    laptop.writes("old.md", "one");
    converge(&laptop, &desktop).await;
    desktop.removes("old.md");
    desktop.writes("new.md", "one");
    desktop.pushes().await;
    world.advance(Duration::from_hours(1));
    // The laptop has not heard of the new name.
    sets_aside(&laptop, "mine").await;
    world.advance(Duration::from_mins(1));
    sets_aside(&laptop, "mine, later").await;
    world.advance(Duration::from_hours(1));
    laptop.pulls().await;

    let listed = versions(&laptop, "new.md").await;

    let stashed = |listed: &[FileVersion]| -> Vec<_> {
        let stashed = listed.iter().filter(|version| version.role == VersionRole::Stash);
        stashed.map(|version| version.sha256).collect()
    };
    let mine = [Some(digest("mine, later")), Some(digest("mine"))];
    assert_eq!(stashed(&listed), mine, "{listed:?}");
    assert_eq!(listed[2].seq, Some(3), "they are newer than the new name: {listed:?}");
    assert_eq!(reads(&laptop, "new.md", named("mine")).await.unwrap(), "mine");

    // Another file of that name has its own.
    desktop.writes("old.md", "another");
    desktop.pushes().await;
    laptop.pulls().await;
    world.advance(Duration::from_hours(1));
    sets_aside(&laptop, "another, of mine").await;
    assert_eq!(stashed(&versions(&laptop, "new.md").await), mine);
    let of_old = stashed(&versions(&laptop, "old.md").await);
    assert!(of_old.contains(&Some(digest("another, of mine"))), "{of_old:?}");
}

#[tokio::test]
async fn version_that_waits_for_its_push_is_listed_and_had_back() {
    let (world, laptop, _desktop) = super::queueing::story().await;
    world.advance(Duration::from_hours(1));
    laptop.writes("list.md", "eggs");
    laptop.removes("gone.md");
    queues(&laptop).await;
    world.advance(Duration::from_hours(1));
    laptop.writes("list.md", "ham");
    queues(&laptop).await;
    let pushes: Vec<_> =
        laptop.project().queue().await.unwrap().pushes.iter().map(|push| push.id).collect();

    let listed = versions(&laptop, "list.md").await;

    let told = |one: &FileVersion| (one.sha256, one.role, one.push, one.seq);
    let queued = |text, push| (Some(digest(text)), VersionRole::Queued, Some(push), None);
    assert_eq!(told(&listed[0]), queued("ham", pushes[1]));
    assert_eq!(told(&listed[1]), queued("eggs", pushes[0]));
    assert_eq!((listed.len(), listed[2].role), (3, VersionRole::Committed));
    assert_eq!((&*listed[1].user, &*listed[1].machine), ("ada", "laptop"));
    let gone = versions(&laptop, "gone.md").await;
    assert_eq!((gone[0].sha256, gone[0].role), (None, VersionRole::Queued));

    assert_eq!(reads(&laptop, "list.md", named("eggs")).await.unwrap(), "eggs");
    let query = DiffQuery {
        scope: Scope { names: vec!["list.md".to_owned()] },
        from: Some(named("eggs")),
        ..DiffQuery::default()
    };
    let diff = laptop.project().diff_of(query).await.unwrap();
    assert!(diff[0].unified.contains("-eggs") && diff[0].unified.contains("+ham"), "{diff:?}");
    laptop.runs(restore("list.md", "eggs")).await.unwrap();
    assert_eq!(laptop.reads("list.md").as_deref(), Some("eggs"));

    super::queueing::round(&laptop).await;
    let listed = versions(&laptop, "list.md").await;
    assert_eq!(roles(&listed, "eggs"), [VersionRole::Committed], "{listed:?}");
}

#[tokio::test]
async fn side_of_a_conflict_that_no_commit_has_is_listed_and_had_back() {
    let (_world, _laptop, desktop) = story().await;
    desktop.writes("a.md", "edited since\n");

    let listed = versions(&desktop, "a.md").await;

    assert_eq!(roles(&listed, "desktop\n"), [VersionRole::Conflict], "{listed:?}");
    assert_eq!(roles(&listed, "laptop\n"), [VersionRole::Committed], "{listed:?}");
    assert_eq!(reads(&desktop, "a.md", named("desktop\n")).await.unwrap(), "desktop\n");
}

#[tokio::test]
async fn version_that_the_backend_does_not_give_is_read_from_the_file_that_still_is_it() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.writes("a.md", "one");
    laptop.pushes().await;
    laptop.loses_folder("cache");
    unplug(&laptop);

    for name in [VersionName::Latest, named("one")] {
        assert_eq!(reads(&laptop, "a.md", name.clone()).await.unwrap(), "one", "{name:?}");
    }
    laptop.writes("a.md", "another");
    let lost = reads(&laptop, "a.md", VersionName::Latest).await;
    assert!(matches!(lost, Err(EngineError::Storage(_))), "{lost:?}");
}
