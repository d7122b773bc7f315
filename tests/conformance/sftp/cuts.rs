//! A line that is cut after each number of bytes of one story in turn.
//!
//! The story is what a push does on a server, in small. Whatever is visible at
//! any moment is a whole version, and trying again gets to the same end.

use std::path::Path;

use futures::future::join_all;
use mirror_storage::{Expect, FaultClass, Guarded};

use super::lane::{Disturbance, were_cut};
use super::{Lane, Place, all_of, disturbances, in_time, path, varied};
use crate::support::rounds;
use crate::support::servers::sftp::{SftpServer, Variant};

const PACK: &str = "_mirror/packs/7Q/7Q0.zip";
const ENTRY: &str = "_mirror/log/0000000/0000000001.json";
const ASIDE: &str = "_mirror/aside/laptop/01J0/notes/b.md";
const NOTE: &str = "notes/a.md";
const OTHER: &str = "notes/b.md";
const GONE: &str = "gone.md";

/// Longer than what a server takes in one packet, like packs are.
const PACK_LEN: usize = 70_000;

/// Tries of one step; only one of them is cut.
const TRIES: usize = 5;

/// Every version that may be seen of a file.
fn versions(name: &str) -> Vec<Vec<u8>> {
    match name {
        PACK => vec![varied(PACK_LEN)],
        ENTRY => vec![varied(700)],
        NOTE => vec![b"the first version".to_vec(), varied(3000)],
        OTHER | ASIDE => vec![varied(2000)],
        _ => vec![b"soon gone".to_vec()],
    }
}

fn last_version(name: &str) -> Vec<u8> {
    versions(name).pop().expect("each has one")
}

/// One telling: what a client does, and what stands on the disk meanwhile.
struct Story {
    client: Place,
    disk: Place,
}

impl Story {
    async fn is_told(&self) {
        self.creates(PACK).await;
        self.creates(ENTRY).await;
        for content in versions(NOTE) {
            self.writes(NOTE, content).await;
        }
        self.writes(OTHER, last_version(OTHER)).await;
        self.writes(GONE, last_version(GONE)).await;
        self.moves_aside().await;
        self.removes(GONE).await;
        self.reads(PACK).await;
        self.ended_well().await;
    }

    /// Exactly one of the tries makes it; the others see whole what it made.
    async fn creates(&self, name: &str) {
        let content = last_version(name);
        for attempt in 0..TRIES {
            match in_time(self.client.try_store(name, content.clone(), Expect::Absent)).await {
                Ok(Guarded::Done(_)) => return,
                Ok(Guarded::Refused) => {
                    assert!(attempt > 0, "{name} is refused at the first try");
                    let stands = self.disk.bytes(name).await;
                    assert!(stands == Some(content), "{name} was refused by something else");
                    return;
                }
                Err(error) => self.survives(&error).await,
            }
        }
        panic!("{name} is not there after {TRIES} tries");
    }

    async fn writes(&self, name: &str, content: Vec<u8>) {
        for _ in 0..TRIES {
            match in_time(self.client.try_store(name, content.clone(), Expect::Anything)).await {
                Ok(end) => return assert!(matches!(end, Guarded::Done(_)), "{name}: {end:?}"),
                Err(error) => self.survives(&error).await,
            }
        }
        panic!("{name} is not written after {TRIES} tries");
    }

    async fn moves_aside(&self) {
        for attempt in 0..TRIES {
            match in_time(self.client.try_rename(OTHER, ASIDE)).await {
                Ok(Guarded::Done(())) => return,
                Ok(Guarded::Refused) => {
                    assert!(attempt > 0, "the rename is refused at the first try");
                    assert_eq!(self.disk.bytes(OTHER).await, None);
                    return;
                }
                Err(error) => self.survives(&error).await,
            }
        }
        panic!("{OTHER} was not moved after {TRIES} tries");
    }

    async fn removes(&self, name: &str) {
        for _ in 0..TRIES {
            match in_time(self.client.backend().remove(&path(name), Expect::Anything)).await {
                Ok(end) => return assert_eq!(end, Guarded::Done(())),
                Err(error) => self.survives(&error).await,
            }
        }
        panic!("{name} is not removed after {TRIES} tries");
    }

    /// A listing and a read are whole or an error.
    async fn reads(&self, name: &str) {
        for _ in 0..TRIES {
            match in_time(self.client.try_names("")).await {
                Ok(names) => assert_eq!(names, [NOTE]),
                Err(error) => self.survives(&error).await,
            }
            match in_time(self.client.try_bytes(name)).await {
                Ok(bytes) => return assert!(bytes == Some(last_version(name))),
                Err(error) => self.survives(&error).await,
            }
        }
        panic!("{name} can't be read after {TRIES} tries");
    }

    /// The line was cut: that is likely to pass, and what is visible is whole.
    async fn survives(&self, error: &mirror_storage::StorageError) {
        assert_eq!(error.class(), FaultClass::Transient, "{}", all_of(error));
        for name in [PACK, ENTRY, NOTE, OTHER, ASIDE, GONE] {
            if let Some(bytes) = self.disk.bytes(name).await {
                assert!(versions(name).contains(&bytes), "{name} is half-made: {}", bytes.len());
            }
        }
    }

    async fn ended_well(&self) {
        assert_eq!(self.disk.names("").await, [NOTE]);
        let ours = self.disk.names("_mirror").await;
        // What a cut left there is hidden, and swept when it is old enough.
        let ours: Vec<&str> = ours
            .iter()
            .map(String::as_str)
            .filter(|name| !name.starts_with("_mirror/tmp/"))
            .collect();
        assert_eq!(ours, [ASIDE, ENTRY, PACK]);
        for name in [PACK, ENTRY, NOTE, ASIDE] {
            assert!(self.disk.bytes(name).await == Some(last_version(name)), "{name}");
        }
    }
}

impl Lane {
    fn story(&self, root: &Path) -> Story {
        Story { client: Place::over(self.connection.clone(), root), disk: Place::folder(root) }
    }

    async fn tells(&self, disturbance: Option<Disturbance>) {
        let root = self.server.new_root();
        let story = self.story(&root);
        if let Some(disturbance) = disturbance {
            self.suffers(&Disturbance { lasts: false, ..disturbance });
        }
        story.is_told().await;
        self.calms_down();
        std::fs::remove_dir_all(root).expect("the folder can go");
    }
}

async fn every_cut_is_survived(variant: Variant) {
    let Some(server) = SftpServer::shared(variant) else { return };
    // Two at a time, as one waits for its connection most of the time.
    let lanes = [Lane::to(server).await, Lane::to(server).await];
    let before = lanes[0].carried();
    lanes[0].tells(None).await;
    let len = lanes[0].carried() - before;

    let disturbances = disturbances(rounds(120, 6000), len);
    let tellings = (0..).zip(&lanes).map(|(first, lane)| {
        let mine = disturbances.iter().skip(first).step_by(lanes.len());
        async move {
            for disturbance in mine {
                lane.tells(Some(*disturbance)).await;
            }
        }
    });
    join_all(tellings).await;
    were_cut(&lanes, disturbances.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cut_of_a_story_is_survived() {
    every_cut_is_survived(Variant::Stock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cut_of_a_story_is_survived_without_hardlinks() {
    every_cut_is_survived(Variant::WithoutHardlinks).await;
}
