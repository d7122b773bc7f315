//! A crash in the middle of a local write, and what it left is no more where the
//! state knows of it: the state is lost, or the folder has another name.

use std::path::Path;

use super::meddling_tree::Step;
use super::*;

async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("deep/a.md", "old");
    converge(&laptop, &desktop).await;
    laptop.writes("deep/a.md", "new");
    laptop.pushes().await;
    (world, laptop, desktop)
}

/// Opens the project with nothing remembered of what went before.
async fn forget(desktop: &mut Machine) {
    desktop.project.take().unwrap().close().await;
    desktop.power.comes_back();
    desktop.loses_state();
    desktop.open().await.unwrap();
}

#[track_caller]
fn check(desktop: &Machine, content: &str, case: &str) {
    let files = desktop.files();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["deep/a.md"], "{case}");
    assert_eq!(desktop.reads("deep/a.md").as_deref(), Some(content), "{case}");
}

#[tokio::test]
async fn version_that_the_log_holds_is_cleared_away() {
    let mut left = 0;
    for steps in 0..24 {
        let (_world, laptop, mut desktop) = story().await;
        desktop.power.ends_after(steps);
        let _ = desktop.tries_pull().await;
        left += usize::from(desktop.files().len() > 1);

        forget(&mut desktop).await;
        converge(&laptop, &desktop).await;

        check(&desktop, "new", &format!("cut after {steps} steps"));
        assert_eq!(desktop.project().stash().await.unwrap(), [], "cut after {steps} steps");
    }
    assert!(left > 0, "no cut left anything behind");
}

/// Exchanges what is staged for what somebody saves just before, as a put does.
/// Gives the place where that stands then.
fn exchange(folder: &Path, saved: &str) -> PathBuf {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let staged = names.filter(|path| path.to_str().unwrap().contains(".mirrord-"));
    let staged = staged.collect::<Vec<_>>().pop().expect("it was staged");
    fs::rename(&staged, folder.join("a.md")).unwrap();
    fs::write(&staged, saved).unwrap();
    staged
}

/// Cuts a pull right after the exchange.
async fn cut_after_exchange(desktop: &mut Machine, saved: &'static str) {
    let (folder, power) = (desktop.root("deep"), desktop.power.clone());
    desktop.tree.haunt(move |step, _| {
        if step == Step::Put {
            exchange(&folder, saved);
            power.ends_after(0);
        }
    });
    let _ = desktop.tries_pull().await;
    desktop.tree.haunt(|_, _| {});
    desktop.project.take().unwrap().close().await;
    desktop.power.comes_back();
}

#[tokio::test]
async fn version_that_stands_at_its_name_is_settled_only_once_it_is_flushed() {
    let (world, laptop, mut desktop) = story().await;
    cut_after_exchange(&mut desktop, "old").await;
    desktop.tree.fails_to_flush(true);
    desktop.open().await.unwrap();
    assert_eq!(failed(&desktop.syncs().await), ["deep/a.md"]);
    // Now the power goes, and with it the exchange.
    desktop.project.take().unwrap().close().await;
    desktop.writes("deep/a.md", "old");
    desktop.tree.fails_to_flush(false);
    desktop.open().await.unwrap();

    converge(&desktop, &laptop).await;

    check(&desktop, "new", "in step");
    assert_eq!(world.times_committed("deep/a.md").len(), 2, "the old version is sent once");
}

#[tokio::test]
async fn edit_under_a_temporary_name_is_found_though_its_folder_has_moved() {
    let (_world, laptop, mut desktop) = story().await;
    cut_after_exchange(&mut desktop, "edited here").await;
    fs::rename(desktop.root("deep"), desktop.root("moved")).unwrap();

    desktop.open().await.unwrap();

    let kept: Vec<_> = desktop.stashed().into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(kept, ["edited here"]);
    assert_eq!(desktop.files().into_keys().collect::<Vec<_>>(), ["moved/a.md"]);
    desktop.syncs().await;
    converge(&laptop, &desktop).await;
}

#[tokio::test]
async fn staged_version_goes_though_its_folder_moved_before_the_put() {
    let (_world, _laptop, desktop) = story().await;
    let (from, to) = (desktop.root("deep"), desktop.root("moved"));
    desktop.tree.haunt(move |step, _| {
        if step == Step::Put {
            let _ = fs::rename(&from, &to);
        }
    });
    assert_eq!(failed(&desktop.pulls().await), ["deep/a.md"]);
    desktop.tree.haunt(|_, _| {});

    desktop.syncs().await;

    let names = desktop.files().into_keys().collect::<Vec<_>>();
    assert_eq!(names, ["deep/a.md", "moved/a.md"]);
    assert_eq!(desktop.stashed(), [], "the log has it");
}

#[tokio::test]
async fn version_that_the_log_does_not_hold_goes_to_the_stash() {
    let (_world, laptop, mut desktop) = story().await;
    let folder = desktop.root("deep");
    desktop.tree.haunt(move |step, _| {
        if step == Step::Put {
            let staged = exchange(&folder, "edited here");
            fs::write(format!("{}-stage", staged.display()), "half a ver").unwrap();
        }
    });
    assert_eq!(failed(&desktop.pulls().await), ["deep/a.md"]);

    forget(&mut desktop).await;

    check(&desktop, "new", "opened again");
    let kept = desktop.project().stash().await.unwrap();
    let kept: Vec<_> = kept.iter().map(|kept| (kept.sha256, kept.reason.as_str())).collect();
    assert_eq!(kept, [(Digest::of(b"edited here"), "crash")]);
    converge(&laptop, &desktop).await;
    check(&desktop, "new", "in step");
}

#[tokio::test]
async fn folder_that_can_not_be_read_hides_no_other_leftover() {
    let (_world, _laptop, mut desktop) = story().await;
    fs::create_dir(desktop.root("closed")).unwrap();
    desktop.writes("deep/.mirrord-01ARZ3NDEKTSV4RRFFQ69G5FAV", "edited here");
    desktop.tree.close("closed");

    forget(&mut desktop).await;

    let kept = desktop.stashed();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0].2, "edited here");
}
