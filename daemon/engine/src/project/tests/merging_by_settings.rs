//! Files that the settings want merged as what they are: an index, a memory.

use mirror_core::commit::{Action, Commit, MergeRule};
use mirror_core::merge::INDEX_LINES;

use super::outside_edits::{FIFTH, FIRST, FIVE, pushes_unseen};
use super::*;

const INDEX: &str = "# Memory\n\n- [Build](build.md)\n- [Old](old.md)\n";

/// A project whose settings have these rules: pairs of glob and way.
async fn story(rules: &[(&str, &str)]) -> (World, Machine, Machine) {
    let world = World::new().await;
    let (laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    let mut settings = settings(&["**/*.md"]);
    let rule =
        |(glob, how): &(&str, &str)| MergeRule { glob: (*glob).to_owned(), how: (*how).to_owned() };
    settings.merge = rules.iter().map(rule).collect();
    world.append(&Commit { settings: Some(settings), action: Action::Settings, ..world.draft() });
    (world, laptop, desktop)
}

async fn memories() -> (World, Machine, Machine) {
    story(&[("**/MEMORY.md", "union"), ("memory/**", "frontmatter")]).await
}

fn memory(day: u8, session: &str, body: &str) -> String {
    let time = format!("2026-11-{day:02}T10:00:00.000Z");
    format!(
        "---\nname: build\nmetadata:\n  type: project\n  originSessionId: {session}\n  \
         modified: {time}\n---\n{body}"
    )
}

/// Pushes from one, syncs the other, and has both at rest.
async fn meet(laptop: &Machine, desktop: &Machine) -> Report {
    laptop.pushes().await;
    let report = desktop.syncs().await;
    assert_eq!(report.conflicts, [""; 0].map(rel));
    converge(laptop, desktop).await;
    report
}

#[track_caller]
fn check_both(laptop: &Machine, desktop: &Machine, path: &str, text: &str) {
    for machine in [laptop, desktop] {
        assert_eq!(machine.reads(path).as_deref(), Some(text), "{path}");
    }
}

#[tokio::test]
async fn lines_added_to_an_index_on_both_machines_meet() {
    let (_world, laptop, desktop) = memories().await;
    laptop.writes("memory/MEMORY.md", INDEX);
    converge(&laptop, &desktop).await;
    laptop.writes("memory/MEMORY.md", format!("{INDEX}- [Ssh](ssh.md)\n"));
    let without = INDEX.replace("- [Old](old.md)\n", "");
    desktop.writes("memory/MEMORY.md", format!("{without}- [Git](git.md)\n"));

    meet(&laptop, &desktop).await;

    let all = format!("{without}- [Git](git.md)\n- [Ssh](ssh.md)\n");
    check_both(&laptop, &desktop, "memory/MEMORY.md", &all);
}

#[tokio::test]
async fn an_index_that_both_machines_began_is_put_together() {
    let (world, laptop, desktop) = memories().await;
    converge(&laptop, &desktop).await;
    laptop.writes("memory/MEMORY.md", "- [Ssh](ssh.md)\n");
    desktop.writes("memory/MEMORY.md", "- [Git](git.md)\n");

    meet(&laptop, &desktop).await;

    check_both(&laptop, &desktop, "memory/MEMORY.md", "- [Git](git.md)\n- [Ssh](ssh.md)\n");
    let merged = world.commit(world.head());
    assert_eq!((merged.resolved[0].base, merged.resolved[0].inputs.len()), (None, 2));
}

#[tokio::test]
async fn an_index_whose_base_is_unknown_waits_for_a_person() {
    let (world, laptop, _) = memories().await;
    laptop.writes("memory/MEMORY.md", INDEX);
    laptop.pushes().await;
    let desktop = world.machine("phone").await;
    desktop.writes("memory/MEMORY.md", "- [Git](git.md)\n");
    assert_eq!(desktop.syncs().await.conflicts, [rel("memory/MEMORY.md")]);
}

#[tokio::test]
async fn a_memory_saved_on_both_machines_is_no_conflict() {
    let (_world, laptop, desktop) = memories().await;
    laptop.writes("memory/build.md", memory(1, "one", "Use cargo.\n\nNever make.\n"));
    converge(&laptop, &desktop).await;
    laptop.writes("memory/build.md", memory(3, "two", "Use cargo.\n\nNever make.\n"));
    desktop.writes("memory/build.md", memory(2, "three", "Use cargo.\n\nNever ever make.\n"));

    meet(&laptop, &desktop).await;

    let newest = memory(3, "two", "Use cargo.\n\nNever ever make.\n");
    check_both(&laptop, &desktop, "memory/build.md", &newest);
}

#[tokio::test]
async fn a_memory_made_on_both_machines_is_no_conflict_if_only_the_time_differs() {
    let (_world, laptop, desktop) = memories().await;
    converge(&laptop, &desktop).await;
    laptop.writes("memory/build.md", memory(2, "one", "Use cargo.\n"));
    desktop.writes("memory/build.md", memory(1, "two", "Use cargo.\n"));
    laptop.writes("plain.md", "one\n");
    desktop.writes("plain.md", "");
    laptop.pushes().await;

    let report = desktop.syncs().await;

    assert_eq!(report.conflicts, [rel("plain.md")]);
    let newest = memory(2, "one", "Use cargo.\n");
    assert_eq!(desktop.reads("memory/build.md"), Some(newest));
}

#[tokio::test]
async fn an_index_that_outgrows_its_readers_is_told_of_once() {
    let (_world, laptop, desktop) = memories().await;
    laptop.writes("memory/MEMORY.md", INDEX);
    converge(&laptop, &desktop).await;
    let more = |word: &str| {
        let lines: Vec<_> = (0..INDEX_LINES / 2).map(|at| format!("- {word}{at}\n")).collect();
        lines.concat()
    };
    let (here, there) = (more("here"), more("there"));
    laptop.writes("memory/MEMORY.md", format!("{INDEX}{there}"));
    desktop.writes("memory/MEMORY.md", format!("{INDEX}{here}"));

    let report = meet(&laptop, &desktop).await;

    let [notice] = &report.notices[..] else { panic!("{:?}", report.notices) };
    assert_eq!(notice.kind, NoticeKind::IndexOverlong);
    assert_eq!(notice.path, Some(rel("memory/MEMORY.md")));
}

#[tokio::test]
async fn an_edit_of_the_view_is_merged_as_the_settings_say() {
    let (world, laptop, desktop) = memories().await;
    laptop.writes("memory/MEMORY.md", INDEX);
    converge(&laptop, &desktop).await;
    desktop.syncs().await;
    desktop.writes("memory/MEMORY.md", format!("{INDEX}- [Ssh](ssh.md)\n"));
    pushes_unseen(&desktop).await;
    world.plant("memory/MEMORY.md", format!("{INDEX}- [Git](git.md)\n"));

    laptop.syncs().await;

    let all = format!("{INDEX}- [Git](git.md)\n- [Ssh](ssh.md)\n");
    assert_eq!(laptop.reads("memory/MEMORY.md"), Some(all));
}

#[tokio::test]
async fn an_edit_of_the_view_waits_where_the_settings_name_a_way_of_a_later_version() {
    let (world, laptop, desktop) = story(&[("a.md", "by-taste")]).await;
    laptop.writes("a.md", FIVE);
    converge(&laptop, &desktop).await;
    desktop.writes("a.md", FIFTH);
    pushes_unseen(&desktop).await;
    world.plant("a.md", FIRST);

    let report = laptop.syncs().await;

    assert_eq!(report.conflicts, [rel("a.md")]);
    assert_eq!(laptop.reads("a.md").as_deref(), Some(FIFTH));
}
