//! Says what of a person's a data folder holds, and whose folder it is, whether
//! or not its project can be opened. Changes nothing.

use std::collections::BTreeSet;
use std::io;

use crate::api::Kept;
use crate::data::{conflicts, queue, stash};
use crate::outside::Disk;

/// What the folder holds that may be nowhere else.
pub fn kept(data: &dyn Disk) -> io::Result<Kept> {
    let queued = queue::Records::read(data)?;
    let stashed = stash::list(data)?;
    let records = conflicts::load_all(data)?;
    // A content without a readable record is somebody's version all the same.
    let ids = |name: &str| name.strip_suffix(".json").unwrap_or(name).to_owned();
    let versions: BTreeSet<String> =
        data.list("stash")?.iter().map(|file| ids(&file.name)).collect();
    let is_record = |name: &str| name.strip_suffix(".json").is_some();
    let noted = data.list("conflicts")?.iter().filter(|file| is_record(&file.name)).count();
    let mut conflicts: Vec<_> = records.iter().map(|record| record.path.clone()).collect();
    conflicts.sort();
    Ok(Kept {
        unreadable: queued.unreadable
            + versions.len().saturating_sub(stashed.len())
            + noted.saturating_sub(conflicts.len()),
        pushes: queued.pushes.iter().map(queue::QueuedPush::told).collect(),
        stashed,
        conflicts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::LocalDisk;

    #[test]
    fn what_can_not_be_read_is_counted_and_nothing_is_made_or_removed() {
        let home = tempfile::tempdir().unwrap();
        let disk = LocalDisk::at(home.path().join("data"));
        assert!(kept(&disk).unwrap().is_empty());
        assert!(!home.path().join("data").exists(), "a look made a folder");

        for name in ["queue/a.json", "queue/b", "stash/1", "stash/2.json", "conflicts/c.json"] {
            disk.write(name, &mut &b"{"[..], false).unwrap();
        }

        let found = kept(&disk).unwrap();
        assert_eq!((found.unreadable, found.pushes.len()), (4, 0));
        assert!(disk.read("queue/a.json").unwrap().is_some());
    }
}
