//! A disk inside a project that comes back under another name: what that says of
//! the files there (B18), and of those of the whole project (B12).

use super::consenting::agrees;
use super::*;

fn name(number: usize) -> String {
    format!("vol/{number}.md")
}

/// Ten files on a disk that is mounted in `vol`.
async fn story() -> (World, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    for number in 0..10 {
        laptop.writes(&name(number), number.to_string());
    }
    laptop.tree.mounts_disk("vol", "disk 1");
    laptop.pushes().await;
    assert_eq!(at_head(&world), 10);
    (world, laptop)
}

fn at_head(world: &World) -> usize {
    world.names("vol").len()
}

/// Syncs with consent to whatever is asked, and says whether `vol` was left out.
async fn leaves_out(machine: &Machine) -> bool {
    let report = agrees(machine, sync(Settle::Wait)).await;
    failed(&report).contains(&"vol")
}

#[tokio::test]
async fn disk_under_another_name_is_known_by_its_files_and_what_left_it_is_deleted() {
    let (world, laptop) = story().await;
    laptop.tree.mounts_disk("vol", "disk 2");
    (0..4).for_each(|number| laptop.removes(&name(number)));

    assert!(!leaves_out(&laptop).await);

    assert_eq!(at_head(&world), 6);
}

#[tokio::test]
async fn few_files_of_many_are_no_proof_that_a_disk_is_the_same() {
    let (world, laptop) = story().await;
    laptop.tree.mounts_disk("vol", "disk 2");
    (0..9).for_each(|number| laptop.removes(&name(number)));

    assert!(leaves_out(&laptop).await);

    assert_eq!(at_head(&world), 10);
    // The first one again: now they were deleted.
    laptop.tree.mounts_disk("vol", "disk 1");
    assert!(!leaves_out(&laptop).await);
    assert_eq!(at_head(&world), 1);
}

/// As of an older copy of the disk, block by block.
#[tokio::test]
async fn one_file_that_differs_where_others_are_missing_is_another_disk() {
    let (world, laptop) = story().await;
    laptop.tree.mounts_disk("vol", "disk 2");
    laptop.removes(&name(0));
    laptop.writes(&name(1), "older");

    assert!(leaves_out(&laptop).await);

    assert_eq!(at_head(&world), 10);
    assert_eq!(world.text(&name(1)).as_deref(), Some("1"));
}

#[tokio::test]
async fn project_on_another_device_is_the_same_only_by_all_files_that_stand_there() {
    // How many are gone, and how many differ: whether it is asked about.
    for (gone, edited, is_asked) in [(2, 0, false), (6, 0, true), (1, 1, true), (0, 3, false)] {
        let world = World::new().await;
        let mut laptop = world.machine("laptop").await;
        for number in 0..10 {
            laptop.writes(&name(number), number.to_string());
        }
        laptop.pushes().await;
        laptop.tree.is_on_device(1);
        laptop.open().await.unwrap();
        (0..gone).for_each(|number| laptop.removes(&name(number)));
        (gone..gone + edited).for_each(|number| laptop.writes(&name(number), "edited"));

        let tried = laptop.tries_sync().await;

        let why = tried.map_err(|error| error.to_string());
        assert_eq!(why.is_err(), is_asked, "{gone} {edited}: {why:?}");
        if let Err(why) = why {
            assert!(why.contains("another device"), "{gone} {edited}: {why}");
        }
    }
}
