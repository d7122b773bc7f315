//! Memories that follow their projects, whatever happens to their folders (B15).

use std::fs;
use std::sync::Arc;

use mirror_core::merge::Merger;
use mirror_core::reconcile::FileState;
use mirror_core::settings::{CLAUDE_HOME, MergeRule};

use super::replies::creates;
use super::{Machine, World, settings};
use crate::mapped::{MappedFolder, identity_of};
use crate::outside::Tree;
use crate::real::LocalTree;
use mirror_storage::adapter::memory::MemoryProfile;

impl Machine {
    /// Maps a folder of this machine, which is made if it is missing.
    fn maps(&mut self, name: &str, folder: &str) {
        let place = self.root(folder);
        fs::create_dir_all(&place).unwrap();
        let tree: Arc<dyn Tree> = Arc::new(LocalTree::open(place.clone()));
        let (device, _) = self.tree.root_identity().unwrap().unwrap();
        let identity = identity_of(tree.as_ref(), device).unwrap().unwrap();
        self.mapped.retain(|mapped| mapped.name != name);
        self.mapped.push(MappedFolder { name: name.to_owned(), place, identity, tree });
    }

    fn unmaps(&mut self, name: &str) {
        self.mapped.retain(|mapped| mapped.name != name);
    }

    /// Opened anew, as whenever what is mapped changes.
    async fn opens_with(&mut self, name: &str, folder: &str) {
        self.maps(name, folder);
        self.open().await.unwrap();
    }
}

/// Where agents of the two machines look for the memory of one project.
const LAPTOP: &str = "projects/-home-ann-notes/memory";
const DESKTOP: &str = "projects/-Users-ann-code-notes/memory";

async fn home() -> World {
    let mut settings = settings(&["**/*.md"]);
    settings.preset = Some(CLAUDE_HOME.to_owned());
    settings.merge = vec![
        MergeRule { glob: "**/MEMORY.md".to_owned(), how: Merger::Union.word().to_owned() },
        MergeRule { glob: "memory/**/*.md".to_owned(), how: "frontmatter".to_owned() },
    ];
    World::with(MemoryProfile::SWAP, settings).await
}

/// Two machines of one memory, which has an index and a page.
async fn two() -> (World, Machine, Machine) {
    let world = home().await;
    let (mut laptop, mut desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    laptop.opens_with("notes", LAPTOP).await;
    laptop.writes(&format!("{LAPTOP}/MEMORY.md"), "- one\n");
    laptop.writes(&format!("{LAPTOP}/build.md"), "use make\n");
    laptop.pushes().await;
    desktop.opens_with("notes", DESKTOP).await;
    desktop.syncs().await;
    (world, laptop, desktop)
}

#[tokio::test]
async fn a_memory_is_at_each_machine_where_its_agent_looks() {
    let (world, laptop, desktop) = two().await;
    assert_eq!(desktop.reads(&format!("{DESKTOP}/MEMORY.md")).unwrap(), "- one\n");
    assert_eq!(world.text("memory/notes/build.md").unwrap(), "use make\n");
    assert!(desktop.files().keys().all(|name| name.starts_with("projects/")));
    desktop.writes(&format!("{DESKTOP}/build.md"), "use ninja\n");
    desktop.syncs().await;
    laptop.syncs().await;
    assert_eq!(laptop.reads(&format!("{LAPTOP}/build.md")).unwrap(), "use ninja\n");
}

#[tokio::test]
async fn edits_of_both_machines_meet() {
    let (_world, laptop, desktop) = two().await;
    laptop.writes(&format!("{LAPTOP}/MEMORY.md"), "- one\n- of the laptop\n");
    desktop.writes(&format!("{DESKTOP}/MEMORY.md"), "- one\n- of the desktop\n");
    laptop.syncs().await;
    desktop.syncs().await;
    laptop.syncs().await;
    let index = laptop.reads(&format!("{LAPTOP}/MEMORY.md")).unwrap();
    assert!(index.contains("of the laptop") && index.contains("of the desktop"), "{index}");
    assert_eq!(desktop.reads(&format!("{DESKTOP}/MEMORY.md")).unwrap(), index);
    assert_eq!(laptop.unsettled().await, []);
}

#[tokio::test]
async fn a_name_that_is_not_mapped_is_neither_written_nor_deleted() {
    let (world, laptop, _) = two().await;
    let other = world.machine("other").await;
    other.writes("memory/notes/MEMORY.md", "of nobody\n");
    other.writes("CLAUDE.md", "be brief\n");
    other.syncs().await;
    assert_eq!(other.reads("memory/notes/MEMORY.md").unwrap(), "of nobody\n");
    assert_eq!(other.files().len(), 2);
    laptop.syncs().await;
    assert_eq!(laptop.reads(&format!("{LAPTOP}/MEMORY.md")).unwrap(), "- one\n");
    assert_eq!(world.text("memory/notes/build.md").unwrap(), "use make\n");
}

/// Does something to the folder while the daemon is there, or while it is not; gives
/// what the laptop has after both have gone on.
async fn after(mishap: impl Fn(&std::path::Path), is_off: bool) -> (World, Machine, Machine) {
    let (world, mut laptop, desktop) = two().await;
    if is_off {
        laptop.project.take().unwrap().close().await;
    }
    mishap(&laptop.root(LAPTOP));
    if is_off {
        laptop.open().await.unwrap();
    }
    laptop.pushes().await;
    laptop.syncs().await;
    desktop.syncs().await;
    assert_eq!(desktop.reads(&format!("{DESKTOP}/MEMORY.md")).unwrap(), "- one\n");
    assert_eq!(desktop.reads(&format!("{DESKTOP}/build.md")).unwrap(), "use make\n");
    assert_eq!(world.text("memory/notes/build.md").unwrap(), "use make\n");
    (world, laptop, desktop)
}

#[tokio::test]
async fn a_folder_that_is_missing_deletes_nothing() {
    for is_off in [false, true] {
        let (_, laptop, _) = after(|at| fs::remove_dir_all(at).unwrap(), is_off).await;
        assert!(!laptop.root(LAPTOP).exists());
        assert_eq!(laptop.unsettled().await, []);
    }
}

#[tokio::test]
async fn a_folder_that_was_emptied_deletes_nothing_and_is_filled_again() {
    for is_off in [false, true] {
        let empty = |at: &std::path::Path| {
            for file in fs::read_dir(at).unwrap() {
                fs::remove_file(file.unwrap().path()).unwrap();
            }
        };
        let (_, laptop, _) = after(empty, is_off).await;
        assert_eq!(laptop.reads(&format!("{LAPTOP}/build.md")).unwrap(), "use make\n");
    }
}

#[tokio::test]
async fn a_folder_that_was_made_anew_deletes_nothing_until_it_is_mapped() {
    for is_off in [false, true] {
        let renew = |at: &std::path::Path| {
            fs::remove_dir_all(at).unwrap();
            fs::create_dir(at).unwrap();
            fs::write(at.join("MEMORY.md"), "- another\n").unwrap();
        };
        let (_, mut laptop, desktop) = after(renew, is_off).await;
        assert_eq!(laptop.reads(&format!("{LAPTOP}/MEMORY.md")).unwrap(), "- another\n");
        laptop.opens_with("notes", LAPTOP).await;
        let _ = laptop.tries_sync().await;
        desktop.syncs().await;
        assert_eq!(laptop.reads(&format!("{LAPTOP}/build.md")).unwrap(), "use make\n");
        assert_eq!(laptop.reads(&format!("{LAPTOP}/MEMORY.md")).unwrap(), "- another\n");
        assert_eq!(
            laptop.unsettled().await,
            [("memory/notes/MEMORY.md".into(), FileState::Conflict)]
        );
        assert_eq!(desktop.reads(&format!("{DESKTOP}/MEMORY.md")).unwrap(), "- one\n");
    }
}

#[tokio::test]
async fn what_was_there_when_a_folder_is_mapped_is_adopted_or_a_conflict() {
    let (world, _, _) = two().await;
    let mut third = world.machine("third").await;
    let folder = "projects/third/memory";
    third.writes(&format!("{folder}/MEMORY.md"), "- one\n");
    third.writes(&format!("{folder}/build.md"), "use nothing\n");
    third.writes(&format!("{folder}/own.md"), "mine\n");
    third.opens_with("notes", folder).await;
    let _ = third.tries_sync().await;
    assert_eq!(third.unsettled().await, [("memory/notes/build.md".into(), FileState::Conflict)]);
    assert_eq!(third.reads(&format!("{folder}/build.md")).unwrap(), "use nothing\n");
    assert_eq!(world.text("memory/notes/build.md").unwrap(), "use make\n");
    assert_eq!(world.text("memory/notes/own.md").unwrap(), "mine\n");
}

#[tokio::test]
async fn what_is_unmapped_stays_on_both_sides() {
    let (world, mut laptop, desktop) = two().await;
    laptop.unmaps("notes");
    laptop.open().await.unwrap();
    laptop.pushes().await;
    laptop.syncs().await;
    assert_eq!(laptop.reads(&format!("{LAPTOP}/build.md")).unwrap(), "use make\n");
    desktop.writes(&format!("{DESKTOP}/build.md"), "use ninja\n");
    desktop.removes(&format!("{DESKTOP}/MEMORY.md"));
    desktop.syncs().await;
    laptop.syncs().await;
    assert_eq!(laptop.reads(&format!("{LAPTOP}/build.md")).unwrap(), "use make\n");
    assert_eq!(laptop.reads(&format!("{LAPTOP}/MEMORY.md")).unwrap(), "- one\n");
    assert_eq!(world.text("memory/notes/build.md").unwrap(), "use ninja\n");
    // Mapped again, the base is what the log knows of it: behind, so it comes.
    laptop.opens_with("notes", LAPTOP).await;
    laptop.syncs().await;
    assert_eq!(laptop.reads(&format!("{LAPTOP}/build.md")).unwrap(), "use ninja\n");
    assert_eq!(laptop.reads(&format!("{LAPTOP}/MEMORY.md")).unwrap(), "- one\n");
    assert_eq!(world.text("memory/notes/MEMORY.md"), None);
}

#[tokio::test]
async fn a_name_that_moves_to_another_folder_has_no_base_there() {
    let (world, mut laptop, desktop) = two().await;
    laptop.writes("projects/-other/memory/build.md", "of another project\n");
    laptop.opens_with("notes", "projects/-other/memory").await;
    let _ = laptop.tries_push(&[]).await;
    let _ = laptop.tries_sync().await;
    desktop.syncs().await;
    assert_eq!(world.text("memory/notes/build.md").unwrap(), "use make\n");
    assert_eq!(desktop.reads(&format!("{DESKTOP}/MEMORY.md")).unwrap(), "- one\n");
    assert_eq!(laptop.reads("projects/-other/memory/MEMORY.md").unwrap(), "- one\n");
    assert_eq!(laptop.reads("projects/-other/memory/build.md").unwrap(), "of another project\n");
    assert_eq!(laptop.reads(&format!("{LAPTOP}/build.md")).unwrap(), "use make\n");
    assert_eq!(laptop.unsettled().await, [("memory/notes/build.md".into(), FileState::Conflict)]);
}

#[tokio::test]
async fn an_append_without_an_answer_makes_no_base_in_another_folder() {
    let (world, mut laptop, desktop) = two().await;
    laptop.writes(&format!("{LAPTOP}/build.md"), "use ninja\n");
    let (backend, next) = (laptop.backend.clone(), world.head() + 1);
    laptop.backend.before(creates(next), async move {
        backend.refuse(|verb, _| verb == "read");
        backend.lose_reply_of(creates(next));
    });
    let _ = laptop.tries_push(&[]).await;
    laptop.opens_with("notes", "projects/-empty/memory").await;
    laptop.writes("projects/-empty/memory/own.md", "mine\n");
    let _ = laptop.tries_push(&["CLAUDE.md"]).await;
    laptop.backend.plug_in();
    let _ = laptop.tries_push(&[]).await;
    let _ = laptop.tries_sync().await;
    desktop.syncs().await;
    assert_eq!(desktop.reads(&format!("{DESKTOP}/MEMORY.md")).unwrap(), "- one\n");
    assert_eq!(desktop.reads(&format!("{DESKTOP}/build.md")).unwrap(), "use ninja\n");
    assert_eq!(desktop.reads(&format!("{DESKTOP}/own.md")).unwrap(), "mine\n");
    assert_eq!(laptop.reads("projects/-empty/memory/build.md").unwrap(), "use ninja\n");
    assert_eq!(world.text("memory/notes/build.md").unwrap(), "use ninja\n");
}

#[tokio::test]
async fn a_link_in_a_memory_goes_nowhere() {
    let (world, laptop, _) = two().await;
    std::os::unix::fs::symlink("../../../CLAUDE.md", laptop.root(LAPTOP).join("link.md")).unwrap();
    std::os::unix::fs::symlink("memory/notes/build.md", laptop.root("there.md")).unwrap();
    laptop.syncs().await;
    assert_eq!((world.text("memory/notes/link.md"), world.text("there.md")), (None, None));
}

#[tokio::test]
async fn a_path_that_looks_like_a_local_side_is_never_written() {
    let (world, _, desktop) = two().await;
    let path = "projects/-Users-ann-code-notes/memory/evil.md";
    // Whoever has write access can bring it into the log, as by the plain files.
    world.plant(path, "evil\n");
    desktop.syncs().await;
    desktop.syncs().await;
    assert_eq!(world.times_committed(path).len(), 1);
    assert!(!desktop.root(path).exists());
    assert_eq!(world.text("memory/notes/evil.md"), None);
}
