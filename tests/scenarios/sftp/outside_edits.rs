//! People on the server write into the plain files there; `sync` finds it.

use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use super::{Site, reads_on_server, writes_on_server};
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Machine, eventually};

const TEXT: &str = "one\ntwo\nthree\n";

/// A project whose machines look again after two seconds.
fn begun(files: &[(&str, &str)]) -> Option<(Site, Machine, Machine)> {
    let site = Site::on(SftpServer::shared(Variant::Stock)?);
    let laptop = site.world.first_machine("laptop", files);
    let desktop = site.world.next_machine("desktop");
    for machine in [&laptop, &desktop] {
        machine.runs(&["config", "set", "poll_interval", "2s"]).exits(0);
        machine.syncs();
    }
    Some((site, laptop, desktop))
}

#[test]
fn edits_and_new_files_on_the_server_come_to_every_machine() {
    let Some((site, laptop, desktop)) = begun(&[("a.md", TEXT), ("b.md", TEXT)]) else { return };

    writes_on_server(&site, "a.md", format!("{TEXT}four, by hand\n"));
    writes_on_server(&site, "notes/new.md", "by hand\n");
    laptop.syncs();
    desktop.syncs();

    assert_eq!(desktop.reads("a.md"), format!("{TEXT}four, by hand\n"));
    assert_eq!(desktop.reads("notes/new.md"), "by hand\n");
    site.ends_well(&[&laptop, &desktop]);
}

/// Edits a file there twice within a second, to the same size. The first is
/// followed by a look, or comes from a machine.
fn edited_twice_in_a_second(site: &Site, machine: &Machine, round: usize) -> String {
    let file = site.world.backend().join("a.md");
    let [first, second] = ["first", "other"].map(|edit| format!("{edit} {round}\n{TEXT}"));
    let time = if round.is_multiple_of(2) {
        machine.writes("a.md", &first);
        machine.syncs();
        // What a machine writes is dated back by a second.
        modified(&file) + Duration::from_secs(1)
    } else {
        fs::write(&file, &first).expect("the view can be written");
        let time = modified(&file);
        machine.syncs();
        time
    };
    fs::write(&file, &second).expect("the view can be written");
    date(&file, time);
    second
}

fn modified(file: &Path) -> SystemTime {
    fs::metadata(file).and_then(|file| file.modified()).expect("it stands there")
}

fn date(file: &Path, time: SystemTime) {
    let open = File::options().write(true).open(file).expect("it stands there");
    open.set_modified(time).expect("a time");
}

#[test]
fn edit_of_the_same_size_in_the_same_second_is_found() {
    let Some((site, laptop, desktop)) = begun(&[("a.md", TEXT), ("b.md", TEXT)]) else { return };
    // A file of the future says nothing of the time that it is there.
    writes_on_server(&site, "b.md", format!("{TEXT}four\n"));
    date(&site.world.backend().join("b.md"), SystemTime::now() + Duration::from_hours(24));
    laptop.syncs();
    for round in 0..6 {
        let by_hand = edited_twice_in_a_second(&site, &laptop, round);

        laptop.syncs();
        desktop.syncs();

        assert_eq!((laptop.reads("a.md"), desktop.reads("a.md")), (by_hand.clone(), by_hand));
    }
    site.ends_well(&[&laptop, &desktop]);
}

#[test]
fn shorter_content_is_taken_over_after_two_looks() {
    let Some((site, laptop, desktop)) = begun(&[("a.md", TEXT)]) else { return };

    writes_on_server(&site, "a.md", "one\n");
    eventually("the short file is the newest", || {
        laptop.syncs();
        laptop.reads("a.md") == "one\n"
    });
    desktop.syncs();

    assert_eq!(desktop.reads("a.md"), "one\n");
    site.ends_well(&[&laptop, &desktop]);
}

#[test]
fn deleted_file_stands_there_again_after_two_looks() {
    let Some((site, laptop, desktop)) = begun(&[("a.md", TEXT), ("b.md", TEXT)]) else { return };

    fs::remove_file(site.world.backend().join("a.md")).expect("it was shown");
    eventually("it is written again", || {
        laptop.syncs();
        site.world.backend().join("a.md").exists()
    });

    assert_eq!(reads_on_server(&site, "a.md"), TEXT);
    site.ends_well(&[&laptop, &desktop]);
}

/// Many editors write beside a file and rename.
#[test]
fn version_that_an_editor_renamed_into_its_place_is_found() {
    let Some((site, laptop, desktop)) = begun(&[("a.md", TEXT)]) else { return };
    let backend = site.world.backend();
    let second = Duration::from_secs(1);

    for (round, age) in [Duration::ZERO, second, 3600 * second].into_iter().enumerate() {
        let by_hand = TEXT.replace("two", &format!("edit {round}"));
        let beside = backend.join(".a.md.swp");
        fs::write(&beside, &by_hand).expect("the editor's file");
        date(&beside, SystemTime::now() - age);
        fs::rename(&beside, backend.join("a.md")).expect("into its place");
        laptop.syncs();
        desktop.syncs();

        assert_eq!((laptop.reads("a.md"), desktop.reads("a.md")), (by_hand.clone(), by_hand));
    }
    site.ends_well(&[&laptop, &desktop]);
}

/// Both write the view at once while somebody on the server does, too.
#[test]
fn two_machines_and_a_person_write_one_view_at_once() {
    let Some((site, laptop, desktop)) = begun(&[("a.md", TEXT)]) else { return };

    for round in 0..6 {
        for number in 0..10 {
            laptop.writes(format!("laptop/{number}.md"), format!("{round}: {TEXT}"));
            desktop.writes(format!("desktop/{number}.md"), format!("{round}: {TEXT}"));
        }
        let by_hand = format!("{TEXT}{}\n", "by hand ".repeat(round + 1));
        thread::scope(|scope| {
            for machine in [&laptop, &desktop] {
                scope.spawn(|| machine.syncs());
            }
            writes_on_server(&site, "a.md", &by_hand);
        });
        site.ends_well(&[&laptop, &desktop]);
        assert_eq!(reads_on_server(&site, "a.md"), by_hand);
        assert_eq!(laptop.reads("desktop/9.md"), format!("{round}: {TEXT}"));
    }
    site.is_tidy();
}
