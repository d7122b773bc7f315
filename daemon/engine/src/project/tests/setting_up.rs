//! Making a project where nothing stands, or plain files, and only one.

use super::faulty::Fault;
use super::*;
use crate::error::EngineError;
use crate::project::inspect;

/// A backend with no project, and a machine beside it.
async fn empty() -> (World, Machine) {
    let mut world = World::new().await;
    world.files = MemoryBackend::new(MemoryProfile::RENAME);
    let laptop = Machine::new(&world, "laptop");
    (world, laptop)
}

async fn makes(machine: &Machine) -> EngineResult<(Digest, bool)> {
    let parts = machine.parts();
    let first = parts.outside.ulid();
    create(&parts, &machine.author, settings(&["**/*.md"]), first).await
}

#[tokio::test]
async fn plain_files_become_the_first_commit() {
    let (world, mut laptop) = empty().await;
    assert_eq!(inspect(laptop.parts().backend.as_ref()).await.unwrap(), Holding::Empty);
    world.plant("notes/a.md", "milk");
    world.plant("b.md", "");
    world.plant("image.png", "not covered");
    assert_eq!(inspect(laptop.parts().backend.as_ref()).await.unwrap(), Holding::PlainFiles);

    let (project, made) = makes(&laptop).await.unwrap();

    assert!(made);
    assert_eq!(project, Digest::of(&world.entry(1).unwrap()));
    laptop.open().await.unwrap();
    laptop.pulls().await;
    assert_eq!(laptop.files().into_keys().collect::<Vec<_>>(), ["b.md", "notes/a.md"]);
    laptop.writes("notes/a.md", "bread");
    laptop.pushes().await;
    assert_eq!(world.text("notes/a.md").as_deref(), Some("bread"));
    assert_eq!(world.text("image.png").as_deref(), Some("not covered"));
}

#[tokio::test]
async fn two_machines_that_make_it_at_once_get_one_project() {
    let (world, laptop) = empty().await;
    let desktop = Machine::new(&world, "desktop");
    world.plant("a.md", "milk");
    let (one, other) = futures::join!(makes(&laptop), makes(&desktop));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.0, other.0);
    assert_ne!(one.1, other.1, "one of them made it");
    assert_eq!(world.head(), 1);
}

#[tokio::test]
async fn project_is_known_for_ones_own_by_the_id_of_its_first_commit() {
    let (_world, laptop) = empty().await;
    let parts = laptop.parts();
    let (mine, other) = (parts.outside.ulid(), parts.outside.ulid());
    let made_by = async |first| {
        create(&parts, &laptop.author, settings(&["**/*.md"]), first).await.unwrap().1
    };

    assert!(made_by(mine).await);
    assert!(made_by(mine).await, "as after a reply that was lost");
    assert!(!made_by(other).await, "this machine has made another one there");
    let holding = inspect(parts.backend.as_ref()).await.unwrap();
    assert!(matches!(holding, Holding::Project { first, .. } if first == mine));
}

#[tokio::test]
async fn making_that_meets_any_failing_call_is_made_good() {
    for fault in [Fault::Before, Fault::After] {
        for number in 0.. {
            let (world, mut laptop) = empty().await;
            world.plant("a.md", "milk");
            laptop.backend.begin_story(Some((number, fault)));
            let outcome = makes(&laptop).await;
            let has_failed = laptop.backend.has_failed();
            laptop.backend.begin_story(None);
            let case = format!("{fault:?} at call {number}: {outcome:?}");
            makes(&laptop).await.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(world.content("_mirror/FORMAT").is_some(), "{case}");
            laptop.open().await.unwrap();
            laptop.pulls().await;
            assert_eq!(laptop.reads("a.md").as_deref(), Some("milk"), "{case}");
            if !has_failed {
                assert!(number > 3, "making it takes calls");
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_a_later_version_made_is_not_taken_for_an_empty_place_or_a_project() {
    let plain = String::from_utf8(World::new().await.entry(1).unwrap().to_vec()).unwrap();
    let purge = plain.replacen(r#""action":"settings""#, r#""action":"purge""#, 1);
    assert_ne!(plain, purge);
    for (name, text, reason) in [
        ("FORMAT", r#"{"format":1,"encryption":{"method":"age"}}"#, "it is encrypted"),
        ("FORMAT", r#"{"format":2}"#, "it has format 2"),
        ("MIRROR", r#"{"name":"usb","primary":"nas"}"#, "it is about a mirror"),
        ("log/0000000/0000000001.json", "age-encryption.org/v1\n-> X25519 a\n", "it is encrypted"),
        ("log/0000000/0000000001.json", &purge, r#"it has the action "purge""#),
    ] {
        let (world, laptop) = empty().await;
        world.plant(&format!("_mirror/{name}"), text.to_owned());
        let error = inspect(laptop.parts().backend.as_ref()).await.unwrap_err();
        let (said, hint) = (error.to_string(), error.hint().unwrap_or_default());
        assert!(said.contains("needs a later version") && said.contains(reason), "{said}");
        assert!(hint.contains("update mirrord"), "{hint}");
    }
    // What can't be read as FORMAT says nothing.
    let (world, laptop) = empty().await;
    world.plant("_mirror/FORMAT", "not JSON");
    inspect(laptop.parts().backend.as_ref()).await.unwrap();
}

#[tokio::test]
async fn letter_that_a_closed_project_leaves_unread_is_told_apart_from_a_fault() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let project = laptop.project();

    let ((), waiting) = tokio::join!(project.close(), project.poll());
    let late = project.poll().await;

    assert!(matches!(waiting, Err(EngineError::Closed)), "{waiting:?}");
    assert!(matches!(late, Err(EngineError::Closed)), "{late:?}");
}
