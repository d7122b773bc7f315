//! What is found on a machine with a home of its own, on folder backends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mirror_core::Timestamp;
use mirror_storage::{FaultClass, StorageError};

use super::{Examination, let_in};
use crate::facts::Facts;
use crate::finding::{Finding, Level};
use crate::projects::Registry;
use crate::testing::World;

fn facts() -> Facts {
    Facts::played(Timestamp(0), true)
}

async fn examined(machine: &Arc<Registry>) -> Vec<Finding> {
    machine.examine(Examination::default(), &facts()).await.unwrap()
}

fn bad(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.level == Level::Fail).collect()
}

fn has(findings: &[Finding], level: Level, words: &str) -> bool {
    findings.iter().any(|finding| finding.level == level && finding.what.contains(words))
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
        }
    }
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn backend_that_is_tried_is_left_as_it_was() {
    let world = World::new();
    let machine = world.machine("laptop");
    fs::create_dir(world.at("empty")).unwrap();
    for (name, stays) in [("empty", true), ("absent", false)] {
        let folder = world.at(name);

        let trial = machine.try_backend(&folder.display().to_string(), &[]).await;

        assert_eq!(bad(&trial.findings), Vec::<&Finding>::new(), "{name}");
        assert!(has(&trial.findings, Level::Ok, "created, once each"), "{:?}", trial.findings);
        assert_eq!((folder.exists(), trial.project), (stays, None), "{name}");
        assert!(!stays || is_empty(&folder), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backend_that_holds_a_project_is_tried_without_a_trace() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    let before = files_below(&world.at("nas"));

    let trial = machine.try_backend(&format!("folder:{}/", world.at("nas").display()), &[]).await;

    assert_eq!(trial.project.as_deref(), Some("notes"));
    assert_eq!(trial.url.unwrap().to_string(), format!("folder:{}", world.at("nas").display()));
    assert_eq!(files_below(&world.at("nas")), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_step_that_fails_ends_the_trial_and_says_what_to_do() {
    let world = World::new();
    let machine = world.machine("laptop");
    let deep = world.at("gone/nas").display().to_string();
    for (url, class, about) in [
        ("sftp://ann:secret@nas/notes", FaultClass::Usage, Some("user")),
        (&*deep, FaultClass::NotFound, Some("path")),
    ] {
        let trial = machine.try_backend(url, &[]).await;

        let last = trial.findings.last().unwrap();
        assert_eq!((last.level, last.class, last.about), (Level::Fail, Some(class), about));
        assert!(last.fix.is_some() && !format!("{last:?}").contains("secret"), "{last:?}");
    }
    assert!(!world.at("gone").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy_machine_has_nothing_that_fails() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();

    let findings = examined(&machine).await;

    assert_eq!(bad(&findings), Vec::<&Finding>::new());
    assert!(has(&findings, Level::Ok, "nothing waits"), "{findings:?}");
    assert!(has(&findings, Level::Ok, "holds the project \"notes\""), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_found_where_it_was() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    fs::rename(world.at("nas"), world.at("unplugged")).unwrap();
    fs::rename(world.at("notes"), world.at("moved")).unwrap();

    let findings = examined(&machine).await;

    let places: Vec<_> = bad(&findings).into_iter().map(|one| one.place.as_str()).collect();
    assert!(places.contains(&world.at("notes").to_str().unwrap()), "{findings:?}");
    assert!(places.iter().any(|place| place.ends_with("/nas")), "{findings:?}");
    assert!(!world.at("nas").exists());
}

/// Nothing fails before, and the backend is not touched.
async fn fails_untouched(world: &World, machine: &Arc<Registry>, words: &str) {
    let everything = || files_below(&world.at("nas"));
    let before = everything();
    for backend in [None, Some("primary".to_owned())] {
        let what = Examination { backend, ..Examination::default() };

        let findings = machine.examine(what, &facts()).await.unwrap();

        assert!(has(&findings, Level::Fail, words), "{findings:?}");
        assert!(!has(&findings, Level::Ok, "it is empty"), "{findings:?}");
        assert!(!has(&findings, Level::Ok, "can be created"), "{findings:?}");
        assert_eq!(everything(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_that_is_not_mounted_is_no_empty_backend() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    fs::rename(world.at("nas"), world.at("unplugged")).unwrap();
    fs::create_dir(world.at("nas")).unwrap();

    fails_untouched(&world, &machine, "is its disk mounted?").await;
    assert!(is_empty(&world.at("nas")));

    fs::write(world.at("nas/README"), "the mount point").unwrap();
    fails_untouched(&world, &machine, "is its disk mounted?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_of_another_project_is_not_this_ones() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    fs::rename(world.at("nas"), world.at("unplugged")).unwrap();
    fs::create_dir(world.at("other")).unwrap();
    world.init(&world.machine("desktop"), "other", "nas").await.unwrap();

    fails_untouched(&world, &machine, "another project stands").await;
}

#[tokio::test(start_paused = true)]
async fn server_may_take_its_time_to_let_us_in() {
    let slow = async {
        tokio::time::sleep(Duration::from_secs(35)).await;
        Ok::<_, StorageError>(())
    };
    let_in(slow).await.unwrap();

    let error = let_in(std::future::pending::<Result<(), StorageError>>()).await.unwrap_err();
    assert!(error.message().contains("no answer within 60 seconds"), "{}", error.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_file_and_open_folder_and_older_client_are_found() {
    let world = World::new();
    let machine = world.machine("laptop");
    fs::write(machine.folders.project_file("odd"), "root = \"/odd\"\nurl = 3\n").unwrap();
    let open = &machine.folders.state;
    fs::set_permissions(open, fs::Permissions::from_mode(0o755)).unwrap();

    let client = Some("0.0.1".to_owned());
    let what = Examination { client, ..Examination::default() };
    let findings = machine.examine(what, &facts()).await.unwrap();

    assert!(has(&findings, Level::Fail, "url"), "{findings:?}");
    assert!(has(&findings, Level::Warn, "others can look"), "{findings:?}");
    assert!(has(&findings, Level::Warn, "client is version 0.0.1"), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_backend_is_looked_at_by_its_name() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    let named =
        |backend: &str| Examination { backend: Some(backend.to_owned()), ..Examination::default() };

    let findings = machine.examine(named("primary"), &facts()).await.unwrap();
    assert!(findings.iter().all(|finding| finding.place.ends_with("/nas")), "{findings:?}");
    let refused = machine.examine(named("mirror"), &facts()).await.unwrap_err();
    assert!(refused.message().contains("\"mirror\""), "{}", refused.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_is_checked_for_each_project() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    assert_eq!(machine.check_auth(None).await.unwrap()[0].level, Level::Ok);

    fs::rename(world.at("nas"), world.at("unplugged")).unwrap();

    let findings = machine.check_auth(Some("notes")).await.unwrap();
    assert_eq!((findings.len(), findings[0].level), (1, Level::Fail));
    assert!(findings[0].fix.as_deref().unwrap().contains("mounted"), "{findings:?}");
}
