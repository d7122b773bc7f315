//! What a pull does to files that change under it, and to contents that are
//! not what the log says.

use futures::FutureExt;
use mirror_core::commit::{Action, Change, pack_name};

use super::meddling_tree::Step;
use super::*;

async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for name in ["a.md", "b.md", "gone.md"] {
        laptop.writes(name, "old");
    }
    converge(&laptop, &desktop).await;
    laptop.writes("a.md", "newer");
    laptop.writes("b.md", "newer too");
    laptop.removes("gone.md");
    laptop.pushes().await;
    (world, laptop, desktop)
}

/// Saves a file just before a step of the pull reaches it.
fn save_before(machine: &Machine, wanted: Step, name: &'static str) {
    let root = machine.root("");
    machine.tree.haunt(move |step, path| {
        if step == wanted && path.as_str() == name {
            fs::write(root.join(name), "saved meanwhile").unwrap();
        }
    });
}

#[tokio::test]
async fn file_saved_while_it_is_pulled_stays_and_is_named() {
    let (_world, _laptop, desktop) = story().await;
    save_before(&desktop, Step::Put, "a.md");

    let report = desktop.pulls().await;

    assert_eq!(failed(&report), ["a.md"]);
    assert_eq!(desktop.reads("a.md").as_deref(), Some("saved meanwhile"));
    assert_eq!(desktop.reads("b.md").as_deref(), Some("newer too"));
    assert_eq!(desktop.pulls().await.conflicts, [rel("a.md")]);
    assert_eq!(desktop.files().len(), 2, "nothing is left beside the files");
}

#[tokio::test]
async fn file_saved_while_its_deletion_is_pulled_stays_and_beats_it() {
    let (_world, laptop, desktop) = story().await;
    save_before(&desktop, Step::Take, "gone.md");

    let report = desktop.pulls().await;

    assert_eq!(failed(&report), ["gone.md"]);
    assert_eq!(desktop.reads("gone.md").as_deref(), Some("saved meanwhile"));
    converge(&desktop, &laptop).await;
    assert_eq!(laptop.reads("gone.md").as_deref(), Some("saved meanwhile"));
}

#[tokio::test]
async fn file_that_appears_where_one_is_fetched_stays() {
    let (_world, laptop, desktop) = story().await;
    laptop.writes("new.md", "from the laptop");
    laptop.pushes().await;
    save_before(&desktop, Step::Put, "new.md");
    assert_eq!(failed(&desktop.pulls().await), ["new.md"]);
    assert_eq!(desktop.reads("new.md").as_deref(), Some("saved meanwhile"));
    assert_eq!(desktop.pulls().await.conflicts, [rel("new.md")]);
}

#[tokio::test]
async fn deletion_is_pulled_only_while_the_file_is_the_agreed_one() {
    let (_world, laptop, desktop) = story().await;
    desktop.writes("gone.md", "edited here");

    let report = desktop.pulls().await;

    assert_eq!(desktop.reads("gone.md").as_deref(), Some("edited here"));
    assert_eq!(failed(&report), [""; 0]);
    let report = desktop.syncs().await;
    assert!(report.notices.iter().any(|notice| notice.kind == NoticeKind::EditBeatDeletion));
    laptop.syncs().await;
    assert_eq!(laptop.reads("gone.md").as_deref(), Some("edited here"));
}

#[tokio::test]
async fn version_that_came_back_is_news_and_no_deletion() {
    let (_world, laptop, desktop) = story().await;
    laptop.writes("gone.md", "old");
    laptop.pushes().await;
    desktop.removes("gone.md");
    desktop.syncs().await;
    assert_eq!(desktop.reads("gone.md").as_deref(), Some("old"));
    assert_eq!(laptop.syncs().await.files, []);
}

/// The backend path of the pack that the newest commit brought.
fn newest_pack(world: &World) -> String {
    format!("_mirror/{}", pack_name(world.commit(world.head()).packs[0].name))
}

/// The files whose content can't be had are named; the others are done.
async fn check_damage(
    damage: impl Fn(&World, &Machine),
    expected: &[&str],
    class: mirror_storage::FaultClass,
) {
    let (world, laptop, desktop) = story().await;
    let pack = newest_pack(&world);
    let whole = world.content(&pack).unwrap();
    laptop.writes("c.md", "in a pack of its own");
    laptop.pushes().await;
    damage(&world, &laptop);
    // The plain files would do as well.
    for name in expected {
        world.lose(name);
    }

    let report = desktop.pulls().await;

    assert_eq!(failed(&report), expected);
    assert!(report.failed.iter().all(|fault| fault.class == class), "{:?}", report.failed);
    assert_eq!(desktop.reads("c.md").as_deref(), Some("in a pack of its own"));
    for name in expected {
        assert_eq!(desktop.reads(name).as_deref(), Some("old"), "nothing is half-written");
    }
    assert_eq!(desktop.files().len(), 3);

    world.plant(&pack, whole);
    assert_eq!(failed(&desktop.pulls().await), [""; 0]);
    assert_eq!(desktop.files(), laptop.files());
}

fn pack_before(world: &World) -> String {
    let seq = world.head() - 1;
    format!("_mirror/{}", pack_name(world.commit(seq).packs[0].name))
}

#[tokio::test]
async fn file_whose_pack_is_missing_is_named_and_the_others_are_pulled() {
    let class = mirror_storage::FaultClass::Rejected;
    check_damage(|world, _| world.lose(&pack_before(world)), &["a.md", "b.md"], class).await;
}

#[tokio::test]
async fn file_whose_bytes_are_damaged_is_named_and_the_others_are_pulled() {
    let damage = |world: &World, _: &Machine| {
        let commit = world.commit(world.head() - 1);
        let content =
            commit.packs[0].contents.iter().find(|c| c.sha256 == Digest::of(b"newer")).unwrap();
        let mut bytes = world.content(&pack_before(world)).unwrap().to_vec();
        bytes[usize::try_from(content.offset).unwrap()] ^= 1;
        world.plant(&pack_before(world), bytes);
    };
    check_damage(damage, &["a.md"], mirror_storage::FaultClass::Rejected).await;
}

#[tokio::test]
async fn file_whose_pack_is_cut_short_is_named_and_the_others_are_pulled() {
    let damage = |world: &World, _: &Machine| {
        let bytes = world.content(&pack_before(world)).unwrap();
        world.plant(&pack_before(world), bytes.slice(..10));
    };
    check_damage(damage, &["a.md", "b.md"], mirror_storage::FaultClass::Rejected).await;
}

#[tokio::test]
async fn unchanged_files_keep_their_times() {
    let (_world, laptop, desktop) = story().await;
    laptop.writes("c.md", "new");
    desktop.pulls().await;
    let time = |name: &str| fs::metadata(desktop.root(name)).unwrap().modified().unwrap();
    let before = (time("a.md"), time("b.md"));
    laptop.syncs().await;
    desktop.syncs().await;
    assert_eq!((time("a.md"), time("b.md")), before);
}

#[tokio::test]
async fn head_that_moves_during_a_pull_mixes_no_contents_up() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    // Three batches: the second looks for a content that is missing, and so finds
    // that the head has moved; a file of the third is deleted by then.
    let names = |letter: char, count| (0..count).map(move |n| format!("{letter}{n:03}.md"));
    let files: Vec<String> = names('a', 256).chain(names('c', 300)).collect();
    for name in &files {
        laptop.writes(name, format!("this is {name}"));
    }
    laptop.pushes().await;
    laptop.writes("b.md", "in a pack of its own");
    laptop.pushes().await;
    world.lose(&newest_pack(&world));
    world.lose("b.md");
    let mut deletion = world.draft();
    deletion.action = Action::Delete;
    let from = Some(Digest::of(b"this is c255.md"));
    deletion.changes = vec![Change { path: rel("c255.md"), from, to: None, renamed_from: None }];
    let (path, bytes) = (entry_path(deletion.seq), deletion.to_bytes());
    let (store, path) = (world.files.clone(), RemotePath::new(path).unwrap());
    desktop.tree.haunt(move |step, _| {
        if step == Step::Put {
            let body = Bytes::from(bytes.clone()).into();
            store.write(&path, body, Expect::Anything).now_or_never().unwrap().unwrap();
        }
    });

    let report = desktop.pulls().await;

    assert_eq!(failed(&report), ["b.md"]);
    for name in files.iter().filter(|name| *name != "c255.md") {
        assert_eq!(desktop.reads(name).as_deref(), Some(&*format!("this is {name}")));
    }
    assert_eq!(desktop.reads("c255.md"), None);
}
