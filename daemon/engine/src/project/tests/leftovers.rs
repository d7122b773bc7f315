//! A crash in the middle of a local write, and the state that knew of it lost.

use super::haunted::Step;
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

#[tokio::test]
async fn version_that_the_log_does_not_hold_goes_to_the_stash() {
    let (_world, laptop, mut desktop) = story().await;
    let folder = desktop.root("deep");
    desktop.tree.haunt(move |step, _| {
        if step == Step::Put {
            let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            let staged = names.filter(|path| path.to_str().unwrap().contains(".mirrord-"));
            let staged = staged.collect::<Vec<_>>().pop().expect("it was staged");
            // As after an exchange with what somebody saved just before, and
            // with half of another version beside it.
            fs::rename(&staged, folder.join("a.md")).unwrap();
            fs::write(&staged, "edited here").unwrap();
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
