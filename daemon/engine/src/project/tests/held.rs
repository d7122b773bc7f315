//! What others may make a machine run waits until somebody there agrees (B16).

use mirror_storage::FaultClass;

use super::*;

pub(super) const SKILL: &str = ".claude/skills/deploy/SKILL.md";

pub(super) fn choice(names: &[&str]) -> HeldChoice {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    HeldChoice { scope: Scope { names }, digits: None }
}

pub(super) async fn accepts(machine: &Machine, names: &[&str]) -> Report {
    machine.runs(Job::AcceptHeld(choice(names))).await.unwrap()
}

pub(super) async fn rejects(machine: &Machine, names: &[&str], for_everyone: bool) -> Report {
    let choice = choice(names);
    machine.runs(Job::RejectHeld { choice, for_everyone }).await.unwrap()
}

pub(super) fn held(report: &Report) -> Vec<&str> {
    report.held.iter().map(RelPath::as_str).collect()
}

/// Path, commit, and whether it was refused.
pub(super) async fn list(machine: &Machine) -> Vec<(String, u64, bool)> {
    let files = machine.project().held().await.unwrap().into_iter();
    files.map(|file| (file.path.as_str().to_owned(), file.seq, file.refused)).collect()
}

/// The laptop has sent a skill, and the desktop has agreed to it.
pub(super) async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes(SKILL, "one\n");
    laptop.writes("notes.md", "one\n");
    laptop.pushes().await;
    assert_eq!(held(&desktop.syncs().await), [SKILL]);
    accepts(&desktop, &[]).await;
    converge(&laptop, &desktop).await;
    (world, laptop, desktop)
}

/// The laptop changes the skill, and its notes beside it.
async fn changes(laptop: &Machine, text: &str) {
    laptop.writes(SKILL, text);
    laptop.writes("notes.md", text);
    laptop.pushes().await;
}

#[tokio::test]
async fn what_others_changed_waits_and_everything_else_goes_on() {
    let (_world, laptop, desktop) = story().await;
    changes(&laptop, "two\n").await;

    for report in [desktop.pulls().await, desktop.syncs().await] {
        assert_eq!(held(&report), [SKILL]);
        assert_eq!((failed(&report), report.conflicts.len()), (vec![], 0));
    }

    assert_eq!(desktop.reads(SKILL).as_deref(), Some("one\n"));
    assert_eq!(desktop.reads("notes.md").as_deref(), Some("two\n"));
    assert_eq!(desktop.unsettled().await, [(SKILL.to_owned(), FileState::RemoteAhead)]);
    let status = desktop.project().status(false).await.unwrap();
    let waiting = status.files.iter().filter(|file| file.held).map(|file| file.path.as_str());
    assert_eq!((waiting.collect::<Vec<_>>(), status.bytes_down), (vec![SKILL], 0));
    assert_eq!(list(&desktop).await, [(SKILL.to_owned(), 3, false)]);
    assert_eq!(list(&laptop).await, []);
}

#[tokio::test]
async fn what_waits_is_shown_with_who_made_it_and_what_it_changes() {
    let (_world, laptop, desktop) = story().await;
    changes(&laptop, "two\n").await;

    let shown = desktop.project().held_detail(SKILL.to_owned()).await.unwrap();

    let HeldDetail { file, diff } = shown;
    assert_eq!((file.seq, file.machine.as_str(), file.user.as_str()), (3, "laptop", "ada"));
    assert_eq!(file.sha256, Digest::of(b"two\n"));
    assert!(diff.unified.ends_with("@@ -1 +1 @@\n-one\n+two\n"), "{}", diff.unified);
    let other = desktop.project().held_detail("notes.md".to_owned()).await;
    assert_eq!(other.unwrap_err().class(), FaultClass::NotFound);
}

#[tokio::test]
async fn accepted_version_comes_and_a_newer_one_is_held_anew() {
    let (_world, laptop, desktop) = story().await;
    changes(&laptop, "two\n").await;
    desktop.pulls().await;

    let report = accepts(&desktop, &[SKILL]).await;

    assert_eq!((held(&report), report.files.len()), (vec![], 1));
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("two\n"));
    changes(&laptop, "three\n").await;
    assert_eq!(held(&desktop.syncs().await), [SKILL]);
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("two\n"));
}

#[tokio::test]
async fn only_what_this_machine_knew_is_agreed_to() {
    let (_world, laptop, desktop) = story().await;
    changes(&laptop, "two\n").await;
    desktop.pulls().await;
    changes(&laptop, "three\n").await;

    let report = accepts(&desktop, &[SKILL]).await;

    assert_eq!(held(&report), [SKILL]);
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("one\n"));
    let digits = Some(Digest::of(b"two\n").to_string()[..8].to_owned());
    let job = Job::AcceptHeld(HeldChoice { digits, ..choice(&[SKILL]) });
    let error = desktop.runs(job).await.unwrap_err();
    assert_eq!(error.class(), FaultClass::Rejected, "{error}");
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("one\n"));
}

#[tokio::test]
async fn agreement_outlives_the_state_and_a_restart() {
    let (_world, laptop, mut desktop) = story().await;
    changes(&laptop, "two\n").await;
    desktop.pulls().await;
    rejects(&desktop, &[SKILL], false).await;
    desktop.loses_state();
    desktop.open().await.unwrap();
    assert_eq!(list(&desktop).await, [(SKILL.to_owned(), 3, true)]);
    assert_eq!(held(&desktop.syncs().await), [""; 0], "it was refused");

    accepts(&desktop, &[SKILL]).await;
    desktop.removes(SKILL);
    desktop.loses_state();
    desktop.open().await.unwrap();

    // A deletion that was never pushed is undone (B5), and nobody is asked again.
    assert_eq!(held(&desktop.syncs().await), [""; 0]);
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("two\n"));
}

#[tokio::test]
async fn what_this_machine_sent_itself_is_not_held_here() {
    let (_world, mut laptop, desktop) = story().await;
    changes(&laptop, "two\n").await;
    laptop.removes(SKILL);
    laptop.loses_state();
    laptop.open().await.unwrap();

    assert_eq!(held(&laptop.syncs().await), [""; 0]);

    assert_eq!(laptop.reads(SKILL).as_deref(), Some("two\n"));
    assert_eq!(held(&desktop.syncs().await), [SKILL]);
}

#[tokio::test]
async fn refused_version_stays_away_and_nothing_is_committed() {
    let (world, laptop, desktop) = story().await;
    changes(&laptop, "two\n").await;
    desktop.pulls().await;

    rejects(&desktop, &[], false).await;

    assert_eq!(held(&desktop.syncs().await), [""; 0]);
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("one\n"));
    assert_eq!(world.head(), 3);
    assert_eq!(list(&desktop).await, [(SKILL.to_owned(), 3, true)]);
    // All that is held is not what was refused.
    accepts(&desktop, &[]).await;
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("one\n"));
    changes(&laptop, "three\n").await;
    assert_eq!(held(&desktop.syncs().await), [SKILL]);
}

#[tokio::test]
async fn refused_for_everyone_puts_this_machines_version_back() {
    let (world, laptop, desktop) = story().await;
    let second = ".claude/commands/new.md";
    laptop.writes(second, "new\n");
    changes(&laptop, "two\n").await;
    desktop.pulls().await;

    let report = rejects(&desktop, &[], true).await;

    assert_eq!((failed(&report), world.head()), (vec![], 4));
    assert_eq!(world.text(SKILL).as_deref(), Some("one\n"));
    assert_eq!(world.text(second), None);
    // It is the version that the laptop had sent itself.
    laptop.syncs().await;
    converge(&laptop, &desktop).await;
    assert_eq!((laptop.reads(SKILL).as_deref(), laptop.reads(second)), (Some("one\n"), None));
}

#[tokio::test]
async fn deletion_is_never_held() {
    let (_world, laptop, desktop) = story().await;
    laptop.removes(SKILL);
    laptop.pushes().await;

    assert_eq!(held(&desktop.pulls().await), [""; 0]);

    assert_eq!(desktop.reads(SKILL), None);
    converge(&laptop, &desktop).await;
}

#[tokio::test]
async fn edit_here_of_what_is_held_is_a_conflict_and_nothing_is_merged_into_it() {
    for settle in [Settle::Wait, Settle::KeepRemote] {
        let (_world, laptop, desktop) = story().await;
        desktop.writes(SKILL, "first\n\none\n");
        changes(&laptop, "one\n\nlast\n").await;

        let report = desktop.runs(sync(settle)).await.unwrap();

        assert_eq!(report.conflicts, [rel(SKILL)]);
        assert_eq!(desktop.reads(SKILL).as_deref(), Some("first\n\none\n"));
        assert_eq!(list(&desktop).await, []);
        // Whoever settles it has seen it.
        let (path, resolution) = (SKILL.to_owned(), Resolution::Remote);
        let job = Job::Resolve { path, resolution, token: None, no_push: false };
        desktop.runs(job).await.unwrap();
        assert_eq!(desktop.reads(SKILL).as_deref(), Some("one\n\nlast\n"));
        converge(&laptop, &desktop).await;
    }
}

#[tokio::test]
async fn own_version_can_be_kept_without_a_look_at_the_other() {
    let (_world, laptop, desktop) = story().await;
    desktop.writes(SKILL, "first\n\none\n");
    changes(&laptop, "one\n\nlast\n").await;

    let report = desktop.runs(sync(Settle::KeepLocal)).await.unwrap();

    assert_eq!((report.conflicts, held(&laptop.syncs().await)), (vec![], vec![SKILL]));
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("first\n\none\n"));
    assert_eq!(laptop.reads(SKILL).as_deref(), Some("one\n\nlast\n"));
}

#[tokio::test]
async fn nothing_is_held_where_the_setting_says_so() {
    let (_world, laptop, mut desktop) = story().await;
    desktop.hold = false;
    desktop.open().await.unwrap();
    changes(&laptop, "two\n").await;

    assert_eq!(held(&desktop.pulls().await), [""; 0]);

    assert_eq!(desktop.reads(SKILL).as_deref(), Some("two\n"));
}
