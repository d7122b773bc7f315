//! Files for their owner alone (B14): they are so in every working tree, and no
//! machine's habits make them so for all, or undo it.

use std::os::unix::fs::PermissionsExt as _;

use mirror_core::commit::SharedMode;
use mirror_storage::{Access, RemotePath};

use super::faulty::Call;
use super::*;

pub(super) fn set_mode(machine: &Machine, path: &str, mode: u32) {
    fs::set_permissions(machine.root(path), fs::Permissions::from_mode(mode)).unwrap();
}

pub(super) fn mode(machine: &Machine, path: &str) -> u32 {
    fs::metadata(machine.root(path)).unwrap().permissions().mode() & 0o777
}

/// Whether the head says that it is private.
pub(super) fn is_private(world: &World, path: &str) -> bool {
    let changes = (1..=world.head()).flat_map(|seq| world.commit(seq).changes);
    let mut changes = changes.filter(|change| change.path.as_str() == path).rev();
    let last = changes.next().expect("a change");
    last.to.expect("a file").private
}

/// Nothing is to do on any machine, and nobody makes another commit.
pub(super) async fn is_settled(world: &World, machines: &[&Machine]) {
    let head = world.head();
    for machine in machines.iter().chain(machines) {
        machine.syncs().await;
        assert_eq!(machine.unsettled().await, []);
    }
    assert_eq!(world.head(), head);
}

/// `secret.md` is private on the laptop and came to the desktop.
pub(super) async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let (laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    laptop.writes("secret.md", "one");
    laptop.writes("plain.md", "one");
    set_mode(&laptop, "secret.md", 0o600);
    set_mode(&laptop, "plain.md", 0o644);
    converge(&laptop, &desktop).await;
    (world, laptop, desktop)
}

#[tokio::test]
async fn private_file_is_private_in_every_working_tree() {
    let (world, laptop, desktop) = story().await;
    assert!(is_private(&world, "secret.md") && !is_private(&world, "plain.md"));
    assert_eq!(mode(&desktop, "secret.md"), 0o600);
    assert_ne!(mode(&desktop, "plain.md") & 0o077, 0);
    is_settled(&world, &[&laptop, &desktop]).await;

    // An edit elsewhere, and back, leaves it so.
    desktop.writes("secret.md", "two");
    converge(&desktop, &laptop).await;
    assert!(is_private(&world, "secret.md"));
    assert_eq!((mode(&laptop, "secret.md"), mode(&desktop, "secret.md")), (0o600, 0o600));
}

#[tokio::test]
async fn file_that_becomes_private_narrows_the_others() {
    let (world, laptop, desktop) = story().await;
    set_mode(&laptop, "plain.md", 0o600);
    assert_eq!(laptop.unsettled().await, [("plain.md".to_owned(), FileState::LocalAhead)]);

    converge(&laptop, &desktop).await;

    assert!(is_private(&world, "plain.md"));
    assert_eq!(mode(&desktop, "plain.md"), 0o600);
    assert_eq!(desktop.reads("plain.md").as_deref(), Some("one"));
    is_settled(&world, &[&laptop, &desktop]).await;
}

#[tokio::test]
async fn file_that_is_private_no_longer_is_widened_by_nobody_else() {
    let (world, laptop, desktop) = story().await;
    set_mode(&laptop, "secret.md", 0o644);

    converge(&laptop, &desktop).await;

    assert!(!is_private(&world, "secret.md"));
    assert_eq!((mode(&laptop, "secret.md"), mode(&desktop, "secret.md")), (0o644, 0o600));
    is_settled(&world, &[&laptop, &desktop]).await;
    desktop.writes("secret.md", "edited where it is narrow");
    converge(&desktop, &laptop).await;
    assert!(!is_private(&world, "secret.md"));
    assert_eq!(mode(&laptop, "secret.md"), 0o644);
}

#[tokio::test]
async fn state_that_was_lost_makes_nothing_private_for_all() {
    let (world, laptop, mut desktop) = story().await;
    // As where every new file is private, and all that was agreed on is forgotten.
    set_mode(&desktop, "plain.md", 0o600);
    set_mode(&desktop, "secret.md", 0o644);
    desktop.loses_state();
    desktop.open().await.unwrap();
    desktop.syncs().await;

    assert_eq!(world.head(), 2);
    assert_eq!((mode(&desktop, "plain.md"), mode(&desktop, "secret.md")), (0o600, 0o600));
    is_settled(&world, &[&desktop, &laptop]).await;
}

#[tokio::test]
async fn change_of_who_may_read_outlives_a_pull_of_another_content() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("plain.md", "two");
    laptop.pushes().await;
    set_mode(&desktop, "plain.md", 0o600);

    desktop.pulls().await;
    converge(&desktop, &laptop).await;

    assert!(is_private(&world, "plain.md"));
    assert_eq!(laptop.reads("plain.md").as_deref(), Some("two"));
    assert_eq!((mode(&laptop, "plain.md"), mode(&desktop, "plain.md")), (0o600, 0o600));
}

#[tokio::test]
async fn queued_push_carries_who_may_read() {
    let (world, laptop, desktop) = story().await;
    set_mode(&laptop, "plain.md", 0o600);
    laptop.backend.refuse(|_, _| true);
    let report = laptop.pushes().await;
    assert!(report.queued, "{report:?}");
    laptop.backend.plug_in();

    converge(&laptop, &desktop).await;

    assert!(is_private(&world, "plain.md"));
    assert_eq!(mode(&desktop, "plain.md"), 0o600);
    is_settled(&world, &[&laptop, &desktop]).await;
}

/// Services that keep who may use a file, with and without compare-and-swap.
const KEEPING: [MemoryProfile; 2] = [
    MemoryProfile::EVERYTHING,
    MemoryProfile { move_aside: true, extras: true, ..MemoryProfile::RENAME },
];

/// A project for a group, in which `plain.md` is for all and stands in the view.
async fn shared(profile: MemoryProfile) -> (World, Machine) {
    let settings = SharedSettings { shared_mode: SharedMode::Group, ..settings(&["**/*"]) };
    let world = World::with(profile, settings).await;
    let laptop = world.machine("laptop").await;
    laptop.writes("plain.md", "one");
    set_mode(&laptop, "plain.md", 0o644);
    laptop.pushes().await;
    assert_eq!(access(&world), Some(Access::Group));
    (world, laptop)
}

fn access(world: &World) -> Option<Access> {
    world.files.access(&RemotePath::new("plain.md").unwrap())
}

/// Two rounds of the daemon, one poll apart.
async fn rounds(world: &World, machine: &Machine) {
    for _ in 0..3 {
        world.advance(Duration::from_mins(10));
        machine.project().poll().await.unwrap();
    }
}

#[tokio::test]
async fn view_is_narrowed_by_whoever_looks_when_the_pass_was_cut_off() {
    for profile in KEEPING {
        let (world, laptop) = shared(profile).await;
        let desktop = world.machine("desktop").await;
        desktop.syncs().await;
        set_mode(&laptop, "plain.md", 0o600);
        laptop.backend.refuse(|_, path| path == "plain.md");
        laptop.pushes().await;
        assert!(is_private(&world, "plain.md"));
        assert_eq!(access(&world), Some(Access::Group));

        rounds(&world, &desktop).await;

        assert_eq!(access(&world), Some(Access::Owner), "{profile:?}");
        assert_eq!(world.text("plain.md").as_deref(), Some("one"));
    }
}

#[tokio::test]
async fn view_is_narrowed_by_a_machine_that_has_lost_its_state() {
    for profile in KEEPING {
        let (world, mut laptop) = shared(profile).await;
        set_mode(&laptop, "plain.md", 0o600);
        laptop.backend.refuse(|_, path| path == "plain.md");
        laptop.pushes().await;
        laptop.backend.plug_in();
        laptop.loses_state();
        laptop.open().await.unwrap();

        rounds(&world, &laptop).await;

        assert_eq!(access(&world), Some(Access::Owner), "{profile:?}");
    }
}

#[tokio::test]
async fn view_file_that_a_person_saved_for_all_is_private_again() {
    for profile in KEEPING {
        let (world, laptop) = shared(profile).await;
        set_mode(&laptop, "plain.md", 0o600);
        laptop.pushes().await;
        assert_eq!(access(&world), Some(Access::Owner));
        world.plant("plain.md", "edited on the server");
        assert_eq!(access(&world), Some(Access::Group));

        rounds(&world, &laptop).await;

        assert!(is_private(&world, "plain.md"));
        assert_eq!(access(&world), Some(Access::Owner), "{profile:?}");
        assert_eq!(world.text("plain.md").as_deref(), Some("edited on the server"));
    }
}

#[tokio::test]
async fn service_that_holds_no_rights_is_not_written_to_again_and_again() {
    for profile in KEEPING {
        let (world, laptop) = shared(profile).await;
        laptop.backend.open_all();
        set_mode(&laptop, "plain.md", 0o600);
        laptop.pushes().await;
        rounds(&world, &laptop).await;
        laptop.backend.begin_story(None);

        rounds(&world, &laptop).await;

        let touches = |call: &Call| call.path == "plain.md" && call.verb != "read";
        assert!(!laptop.backend.ended().iter().any(touches), "{profile:?}");
    }
}
