//! This machine: the daemon's folders, room on their disks, file-system events,
//! and what the kinds of services need.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};
use tokio::time::timeout;

use super::PATIENCE;
use crate::finding::Finding;
use crate::folders::Folders;
use crate::projects::View;
use crate::services::KINDS;

const MEBIBYTE: u64 = 1 << 20;

/// Below this a push of large files may not fit into the queue or the cache.
const LITTLE_ROOM: u64 = 500 * MEBIBYTE;

/// Below this the daemon's own state may not be stored.
const NO_ROOM: u64 = 20 * MEBIBYTE;

/// What editors and other daemons use up by themselves.
const FEW_WATCHES: u64 = 16_384;

pub(super) async fn examine(folders: &Folders, views: &[View]) -> Vec<Finding> {
    let own = folders.clone();
    let of_disk = tokio::task::spawn_blocking(move || {
        let folders = [&own.config, &own.data, &own.state, &own.cache];
        let mut findings: Vec<Finding> = folders.into_iter().map(|one| folder(one)).collect();
        findings.extend(room(&[&own.data, &own.state, &own.cache]));
        findings.extend(watches());
        findings
    });
    let mut findings = match timeout(PATIENCE, of_disk).await {
        Ok(Ok(findings)) => findings,
        _ => vec![Finding::fail(
            folders.state.display().to_string(),
            "the daemon's own folders don't answer",
            "look at the disk that they are on",
        )],
    };
    for kind in KINDS {
        let is_used = views.iter().filter_map(|view| view.config.as_ref());
        let is_used = is_used.into_iter().any(|one| one.url.kind().name() == kind.name());
        findings.extend(kind.needs(is_used).await);
    }
    findings
}

fn folder(path: &Path) -> Finding {
    let place = path.display().to_string();
    if access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let fix = "make it a folder that is readable and writable for yourself";
        return Finding::fail(place, "the daemon's folder can't be written to", fix);
    }
    let mode = fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let fix = format!("close it with `chmod 700 {place}`");
        return Finding::warn(place, "others can look into the daemon's folder", fix);
    }
    Finding::ok(place, "the daemon's folder is writable, and closed to others")
}

/// One finding for each disk.
fn room(folders: &[&PathBuf]) -> Vec<Finding> {
    let mut disks = Vec::new();
    let mut findings = Vec::new();
    for folder in folders {
        let Ok(disk) = statvfs(folder.as_path()) else { continue };
        if disks.contains(&disk.f_fsid) {
            continue;
        }
        disks.push(disk.f_fsid);
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        findings.push(room_of(folder.display().to_string(), free));
    }
    findings
}

fn room_of(place: String, free: u64) -> Finding {
    let what = format!("{} MB are free on the disk", free / MEBIBYTE);
    let fix = "free some space: what waits to be sent is kept there";
    match free {
        0..NO_ROOM => Finding::fail(place, what, fix),
        NO_ROOM..LITTLE_ROOM => Finding::warn(place, what, fix),
        LITTLE_ROOM.. => Finding::ok(place, what),
    }
}

/// Absent where the system has no such limit.
fn watches() -> Option<Finding> {
    let file = "/proc/sys/fs/inotify/max_user_watches";
    let limit: u64 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    let what = format!("{limit} folders can be watched");
    Some(if limit < FEW_WATCHES {
        let fix = "raise it with `sysctl fs.inotify.max_user_watches=524288`; without watches \
                   every look is a walk";
        Finding::warn(file, what, fix)
    } else {
        Finding::ok(file, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Level;

    #[test]
    fn open_or_unusable_folder_is_found() {
        let place = tempfile::tempdir().unwrap();
        let own = place.path().join("state");
        crate::folders::make_private(&own).unwrap();
        assert_eq!(folder(&own).level, Level::Ok);
        fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(folder(&own).level, Level::Warn);
        assert_eq!(folder(&place.path().join("gone")).level, Level::Fail);
    }

    #[test]
    fn little_room_is_told_before_there_is_none() {
        let level = |free| room_of(String::new(), free).level;
        assert_eq!(level(NO_ROOM - 1), Level::Fail);
        assert_eq!(level(NO_ROOM), Level::Warn);
        assert_eq!(level(LITTLE_ROOM), Level::Ok);
    }
}
