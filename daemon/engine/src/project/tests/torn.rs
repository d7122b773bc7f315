//! A write into the view that a crash cut off half-way is never taken for an
//! edit, whatever becomes of the note that tells of it and of what is moved aside.

use mirror_storage::MoveAside as _;

use super::outside_edits::{BOTH, FIFTH, FIVE, agreed, check_quiet, externals, pushes_unseen};
use super::*;

fn is_aside(verb: &str, path: &str) -> bool {
    verb == "read" && path.starts_with("_mirror/aside")
}

/// Noting what is about to be written, or that all of it is.
fn is_note(verb: &str, path: &str) -> bool {
    verb == "write" && path.starts_with("_mirror/machines")
}

/// The power ends half-way through the write of what stands here now.
async fn tears(world: &World, machine: &mut Machine) {
    let power = machine.power.clone();
    let chooser = |verb: &str, path: &str| verb == "write" && path == "a.md";
    machine.backend.before(chooser, async move { power.ends_after(1) });
    let _ = machine.tries_push(&[]).await;
    machine.project.take().unwrap().close().await;
    let torn = world.text("a.md").unwrap();
    assert!(BOTH.starts_with(&torn) && torn.len() < BOTH.len(), "{torn:?}");
}

/// Syncs often enough for all that needs two looks.
async fn looks_again(world: &World, machines: [&Machine; 2]) {
    for _ in 0..3 {
        world.advance(Duration::from_secs(10));
        for machine in machines {
            machine.syncs().await;
        }
    }
}

/// Beside what the torn one was to replace, if that is still there.
#[track_caller]
fn check_torn_stands_aside(world: &World) {
    let names = world.names("_mirror/aside");
    let asides: Vec<_> = names.iter().filter_map(|name| world.text(name)).collect();
    assert!(asides.iter().any(|text| BOTH.starts_with(text.as_str())), "{asides:?}");
}

#[track_caller]
fn check_written_whole(world: &World) {
    assert_eq!(externals(world), 0);
    assert_eq!(world.text("a.md").as_deref(), Some(BOTH));
}

#[tokio::test]
async fn torn_file_that_was_moved_aside_stays_noted_until_it_is_dropped() {
    let (world, mut laptop, desktop) = agreed(MemoryProfile::TORN).await;
    laptop.writes("a.md", BOTH);
    tears(&world, &mut laptop).await;
    laptop.power.comes_back();
    laptop.open().await.unwrap();
    laptop.backend.refuse(is_aside);
    laptop.syncs().await;
    check_torn_stands_aside(&world);
    laptop.backend.plug_in();

    looks_again(&world, [&laptop, &desktop]).await;

    check_written_whole(&world);
    check_quiet(&world, [&laptop, &desktop], "").await;
}

#[tokio::test]
async fn torn_file_that_another_machine_moved_aside_stays_noted_by_that_one() {
    let (world, mut laptop, desktop) = agreed(MemoryProfile::TORN).await;
    laptop.writes("a.md", BOTH);
    tears(&world, &mut laptop).await;
    laptop.power.comes_back();
    desktop.syncs().await;
    world.advance(Duration::from_secs(10));
    desktop.backend.refuse(is_aside);
    desktop.syncs().await;
    check_torn_stands_aside(&world);
    // Its writer finds nothing there, and is through with it.
    laptop.open().await.unwrap();
    laptop.syncs().await;
    desktop.backend.plug_in();

    looks_again(&world, [&desktop, &laptop]).await;

    check_written_whole(&world);
    check_quiet(&world, [&laptop, &desktop], "").await;
}

#[tokio::test]
async fn torn_file_is_no_edit_though_the_path_had_shorter_versions_since() {
    let world = World::on(MemoryProfile::TORN).await;
    let (mut laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    laptop.writes("b.md", FIVE);
    converge(&laptop, &desktop).await;
    laptop.writes("a.md", BOTH);
    tears(&world, &mut laptop).await;
    laptop.power.comes_back();
    // It has seen nothing of the file in the view.
    desktop.pulls().await;
    desktop.writes("a.md", "short\n");
    pushes_unseen(&desktop).await;
    desktop.removes("a.md");

    desktop.pushes().await;

    assert_eq!(externals(&world), 0);
    laptop.open().await.unwrap();
    looks_again(&world, [&desktop, &laptop]).await;
    assert_eq!(world.text("a.md"), None);
    check_quiet(&world, [&laptop, &desktop], "").await;
}

#[tokio::test]
async fn note_of_an_earlier_pass_that_comes_late_takes_none_back() {
    let (world, mut laptop, desktop) = agreed(MemoryProfile::TORN).await;
    laptop.writes("a.md", FIFTH);
    let mut notes = 0;
    // The first says what is written, the second that nothing is any more.
    laptop.backend.delay(move |verb, path| {
        notes += usize::from(verb == "write" && path.starts_with("_mirror/machines"));
        notes == 2
    });
    laptop.pushes().await;
    laptop.writes("a.md", BOTH);
    tears(&world, &mut laptop).await;

    laptop.backend.lets_arrive().await;
    looks_again(&world, [&desktop, &desktop]).await;

    check_written_whole(&world);
    laptop.power.comes_back();
    laptop.open().await.unwrap();
    check_quiet(&world, [&laptop, &desktop], "").await;
}

#[tokio::test]
async fn note_goes_when_all_that_was_written_is_whole() {
    let (world, laptop, desktop) = agreed(MemoryProfile::TORN).await;
    laptop.writes("a.md", BOTH);
    laptop.pushes().await;
    converge(&laptop, &desktop).await;

    // The beginning of what was written is a person's now.
    world.plant("a.md", "one, and more\n");
    looks_again(&world, [&laptop, &desktop]).await;

    assert_eq!(desktop.reads("a.md").as_deref(), Some("one, and more\n"));
    assert_eq!(desktop.reads("b.md").as_deref(), Some(FIVE));
}

#[tokio::test]
async fn torn_file_stays_noted_when_the_notes_could_not_be_read_in_a_pass() {
    let (world, mut laptop, desktop) = agreed(MemoryProfile::TORN).await;
    laptop.writes("a.md", BOTH);
    tears(&world, &mut laptop).await;
    laptop.power.comes_back();
    laptop.open().await.unwrap();
    laptop.removes("a.md");
    let backend = laptop.backend.clone();
    laptop.backend.before(is_note, async move {
        backend.refuse(|verb, path| verb == "list" && path.starts_with("_mirror/machines"));
    });
    laptop.syncs().await;
    laptop.backend.plug_in();

    looks_again(&world, [&laptop, &desktop]).await;

    assert_eq!((externals(&world), world.text("a.md")), (0, None));
    check_quiet(&world, [&laptop, &desktop], "").await;
}

#[tokio::test]
async fn torn_file_stays_noted_when_a_late_rename_takes_it_aside() {
    let (world, mut laptop, desktop) = agreed(MemoryProfile::TORN).await;
    laptop.writes("a.md", BOTH);
    tears(&world, &mut laptop).await;
    laptop.power.comes_back();
    laptop.loses_state();
    laptop.open().await.unwrap();
    // An earlier run gave it up.
    let (files, id) = (world.files.clone(), world.outside.ulid());
    let aside = format!("_mirror/aside/{}/{id}/a.md", laptop.author.machine_id);
    laptop.backend.before(is_note, async move {
        let [from, to] = ["a.md", &aside].map(|path| RemotePath::new(path).unwrap());
        files.rename(&from, &to).await.unwrap();
    });
    laptop.project().poll().await.unwrap();
    assert_eq!(world.text("a.md").as_deref(), Some(BOTH));

    looks_again(&world, [&laptop, &desktop]).await;

    check_written_whole(&world);
    check_quiet(&world, [&laptop, &desktop], "").await;
}

/// The other machine ended before it could look at what it had moved aside.
#[tokio::test]
async fn torn_file_stays_noted_while_it_stands_aside_on_another_machine() {
    let (world, mut laptop, mut desktop) = agreed(MemoryProfile::TORN).await;
    laptop.writes("a.md", BOTH);
    tears(&world, &mut laptop).await;
    let (id, moment) = (desktop.author.machine_id, world.outside.ulid());
    let aside = RemotePath::new(format!("_mirror/aside/{id}/{moment}/a.md")).unwrap();
    let torn = RemotePath::new("a.md").unwrap();
    world.files.rename(&torn, &aside).await.unwrap();
    laptop.power.comes_back();
    laptop.open().await.unwrap();
    laptop.syncs().await;
    check_torn_stands_aside(&world);

    desktop.open().await.unwrap();
    looks_again(&world, [&laptop, &desktop]).await;

    check_written_whole(&world);
    check_quiet(&world, [&laptop, &desktop], "").await;
}
