//! A program acts at the worst moments of a replacement.

use std::io::Write as _;
use std::sync::atomic::AtomicUsize;

use super::*;

/// A program that saves the file before the given changes of names, counted
/// from the start of the replacement.
fn saving_before(steps: &'static [usize]) -> impl FnMut(&Path, Step) + Send + 'static {
    let mut count = 0;
    move |root, _| {
        count += 1;
        if steps.contains(&count) {
            save(root, "a.txt", &format!("saved {count}"));
        }
    }
}

/// Replaces a file while a program saves it before the given steps, and checks
/// that the last version saved is in its place.
#[track_caller]
fn check_put(file_system: FileSystem, steps: &'static [usize], rescued: &[&str]) {
    let mut scene = Scene::haunted(file_system, saving_before(steps));
    scene.write("a.txt", "old");

    let put = scene.put("a.txt", "new", over("old")).unwrap();

    let last = format!("saved {}", steps.last().unwrap());
    assert_eq!(put, Put::Changed, "{steps:?}");
    assert_eq!(scene.text("a.txt").unwrap(), last, "{steps:?}");
    assert_eq!(scene.rescued, rescued, "{steps:?}");
    assert_eq!(scene.names(), ["a.txt"], "{steps:?}");
}

#[test]
fn version_saved_just_before_is_put_back() {
    check_put(FileSystem::Exchanging, &[1], &[]);
    // Before the staged file steps aside, and before the old one does.
    check_put(FileSystem::Plain, &[1], &[]);
    check_put(FileSystem::Plain, &[2], &[]);
}

#[test]
fn version_saved_while_another_is_put_back_stays_and_the_other_is_rescued() {
    check_put(FileSystem::Exchanging, &[1, 2], &["saved 1"]);
    check_put(FileSystem::Plain, &[2, 4], &["saved 2"]);
    check_put(FileSystem::Plain, &[2, 5], &["saved 2"]);
    check_put(FileSystem::Plain, &[2, 6], &["saved 2"]);
}

#[test]
fn version_saved_again_and_again_ends_in_its_place() {
    check_put(FileSystem::Exchanging, &[1, 2, 3], &["saved 2"]);
    check_put(FileSystem::Exchanging, &[1, 2, 3, 4], &["saved 3"]);
}

#[test]
fn version_saved_while_the_name_is_free_stays() {
    check_put(FileSystem::Plain, &[3], &[]);
}

#[test]
fn program_that_never_stops_saving_loses_no_last_version() {
    for file_system in FILE_SYSTEMS {
        let saved = Arc::new(AtomicUsize::new(0));
        let mut scene = Scene::haunted(file_system, {
            let saved = Arc::clone(&saved);
            move |root, step| {
                if step != Step::Remove {
                    let count = saved.fetch_add(1, Ordering::SeqCst) + 1;
                    save(root, "a.txt", &format!("saved {count}"));
                }
            }
        });
        scene.write("a.txt", "old");

        assert_eq!(scene.put("a.txt", "new", over("old")).unwrap(), Put::Changed);

        let mut kept = scene.rescued.clone();
        kept.extend(scene.text("a.txt"));
        let last = format!("saved {}", saved.load(Ordering::SeqCst));
        assert!(kept.contains(&last), "{file_system:?}: {last} is not in {kept:?}");
        assert_eq!(scene.names(), ["a.txt"], "{file_system:?}");
    }
}

#[test]
fn version_written_into_the_new_file_while_it_is_taken_back_stays() {
    let mut count = 0;
    let mut scene = Scene::haunted(FileSystem::Exchanging, move |root, _| {
        count += 1;
        match count {
            1 => save(root, "a.txt", "saved"),
            // No new file: the staged one is written into, where it stands.
            2 => fs::write(root.join("a.txt"), "typed").unwrap(),
            _ => {}
        }
    });
    scene.write("a.txt", "old");

    assert_eq!(scene.put("a.txt", "new", over("old")).unwrap(), Put::Changed);
    assert_eq!(scene.text("a.txt").unwrap(), "typed");
    assert_eq!(scene.rescued, ["saved"]);
}

#[test]
fn version_written_through_a_handle_opened_before_is_rescued() {
    for file_system in FILE_SYSTEMS {
        let mut handle = None;
        let mut scene = Scene::haunted(file_system, move |root, step| match step {
            Step::Remove => {
                let mut typing: fs::File = handle.take().unwrap();
                typing.set_len(0).unwrap();
                typing.write_all(b"typed").unwrap();
            }
            _ if handle.is_none() => {
                handle = fs::File::options().append(true).open(root.join("a.txt")).ok();
            }
            _ => {}
        });
        scene.write("a.txt", "old");
        assert!(is_done(&scene.put("a.txt", "new", over("old")).unwrap()));
        assert_eq!(scene.rescued, ["typed"]);

        assert_eq!(scene.take("a.txt", file("new")).unwrap(), Taken::Done);
        assert_eq!(scene.rescued, ["typed", "typed"]);
    }
}

#[test]
fn version_written_late_is_rescued_though_the_folder_could_not_be_flushed() {
    let mut handle = None;
    let mut scene = Scene::haunted(FileSystem::Exchanging, move |root, step| match step {
        Step::Remove => {
            let mut typing: fs::File = handle.take().unwrap();
            typing.write_all(b", typed").unwrap();
        }
        _ => handle = fs::File::options().append(true).open(root.join("a.txt")).ok(),
    });
    scene.write("a.txt", "old");
    scene.flushing.fails.store(true, Ordering::SeqCst);

    scene.put("a.txt", "new", over("old")).unwrap_err();

    assert_eq!(scene.rescued, ["old, typed"]);
}

#[test]
fn folder_that_moved_away_with_the_staged_file_is_an_error() {
    let mut scene = Scene::new();
    let staged = scene.stage("deep/a.txt", "new").unwrap();
    fs::rename(scene.root().join("deep"), scene.root().join("moved")).unwrap();

    // Nobody but a later look can remove it.
    scene.put_staged(&staged, Expected::Absent).unwrap_err();

    assert_eq!(scene.names(), [format!("moved/{TEMP}")]);
}

#[test]
fn file_that_vanishes_is_a_change() {
    for file_system in FILE_SYSTEMS {
        let mut scene = Scene::haunted(file_system, |root, step| {
            if step != Step::Remove {
                let _ = fs::remove_file(root.join("a.txt"));
            }
        });
        scene.write("a.txt", "old");
        assert_eq!(scene.put("a.txt", "new", over("old")).unwrap(), Put::Changed);
        assert_eq!(scene.names(), Vec::<String>::new());
    }
}

#[test]
fn version_out_is_put_back_when_the_new_one_is_removed() {
    let mut count = 0;
    let mut scene = Scene::haunted(FileSystem::Exchanging, move |root, _| {
        count += 1;
        match count {
            1 => save(root, "a.txt", "saved"),
            2 => fs::remove_file(root.join("a.txt")).unwrap(),
            _ => {}
        }
    });
    scene.write("a.txt", "old");
    assert_eq!(scene.put("a.txt", "new", over("old")).unwrap(), Put::Changed);
    assert_eq!(scene.text("a.txt").unwrap(), "saved");
    assert_eq!(scene.names(), ["a.txt"]);
}

#[test]
fn folder_made_in_the_place_of_the_file_is_put_back() {
    for file_system in FILE_SYSTEMS {
        let mut scene = Scene::haunted(file_system, {
            let mut done = false;
            move |root, _| {
                if !std::mem::replace(&mut done, true) {
                    fs::remove_file(root.join("a.txt")).unwrap();
                    fs::create_dir(root.join("a.txt")).unwrap();
                    fs::write(root.join("a.txt/inner"), "deep").unwrap();
                }
            }
        });
        scene.write("a.txt", "old");
        let _ = scene.put("a.txt", "new", over("old"));
        assert_eq!(scene.text("a.txt/inner").unwrap(), "deep", "{file_system:?}");
        assert_eq!(scene.names(), ["a.txt/inner"], "{file_system:?}");
    }
}

#[test]
fn new_file_never_replaces_one_made_meanwhile() {
    for file_system in FILE_SYSTEMS {
        let mut scene = Scene::haunted(file_system, saving_before(&[1]));
        let put = scene.put("a.txt", "new", Expected::Absent).unwrap();
        assert_eq!(put, Put::Changed);
        assert_eq!(scene.text("a.txt").unwrap(), "saved 1");
        assert_eq!(scene.names(), ["a.txt"]);
    }
}

#[test]
fn removal_puts_back_a_version_saved_just_before() {
    for file_system in FILE_SYSTEMS {
        let mut scene = Scene::haunted(file_system, saving_before(&[1]));
        scene.write("a.txt", "old");
        assert_eq!(scene.take("a.txt", file("old")).unwrap(), Taken::Changed);
        assert_eq!(scene.text("a.txt").unwrap(), "saved 1");
        assert_eq!(scene.names(), ["a.txt"]);
    }
}

#[test]
fn removal_rescues_a_version_that_was_saved_over_while_it_was_out() {
    for file_system in FILE_SYSTEMS {
        let mut scene = Scene::haunted(file_system, saving_before(&[1, 2]));
        scene.write("a.txt", "old");
        assert_eq!(scene.take("a.txt", file("old")).unwrap(), Taken::Changed);
        assert_eq!(scene.text("a.txt").unwrap(), "saved 2");
        assert_eq!(scene.rescued, ["saved 1"]);
        assert_eq!(scene.names(), ["a.txt"]);
    }
}

#[test]
fn version_that_could_not_be_rescued_is_kept_beside() {
    let scene = Scene::haunted(FileSystem::Exchanging, saving_before(&[1, 2]));
    scene.write("a.txt", "old");
    let full = &mut |_: &mut dyn Read| Err(io::ErrorKind::StorageFull.into());
    scene.tree.take(&path("a.txt"), file("old"), TEMP, full).unwrap_err();
    assert_eq!(scene.text("a.txt").unwrap(), "saved 2");
    assert_eq!(scene.text(TEMP).unwrap(), "saved 1");
    assert_eq!(scene.tree.look_at_temp(&path("a.txt"), TEMP).unwrap(), Some(file("saved 1")));
}

#[test]
fn edit_of_the_new_file_right_away_is_not_covered_by_its_stamp() {
    let mut scene = Scene::haunted(FileSystem::Exchanging, |root, step| {
        if step == Step::Remove {
            fs::write(root.join("a.txt"), "typed").unwrap();
        }
    });
    scene.write("a.txt", "old");
    let Put::Done(stamp) = scene.put("a.txt", "new", over("old")).unwrap() else {
        panic!("the old file was as expected");
    };
    assert_eq!(scene.text("a.txt").unwrap(), "typed");
    assert_ne!(scene.tree.stamp(&path("a.txt")).unwrap(), Some(stamp));
}
