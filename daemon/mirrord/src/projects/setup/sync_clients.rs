//! Recognises folders that another sync program copies between machines.
//!
//! Such a folder is not a shared file system: its copies fork the log, so a
//! second machine is refused there (L7).

use std::fs;
use std::path::Path;

/// What gives one program away: in a folder or in one above it.
struct Traces {
    client: &'static str,
    /// A file or folder of this name inside.
    marker: &'static [&'static str],
    /// Inside, a name that starts and ends so.
    marker_ends: &'static [(&'static str, &'static str)],
    /// The folder's own name.
    name: &'static [&'static str],
    /// The folder's own name starts so.
    name_start: &'static [&'static str],
}

const KNOWN: [Traces; 6] = [
    Traces {
        client: "Dropbox",
        marker: &[".dropbox", ".dropbox.cache"],
        marker_ends: &[],
        name: &["Dropbox"],
        name_start: &["Dropbox ("],
    },
    Traces {
        client: "Syncthing",
        marker: &[".stfolder"],
        marker_ends: &[],
        name: &[],
        name_start: &[],
    },
    Traces {
        client: "iCloud Drive",
        marker: &[],
        marker_ends: &[],
        name: &["Mobile Documents", "iCloudDrive", "iCloud Drive"],
        name_start: &[],
    },
    Traces {
        client: "OneDrive",
        marker: &[],
        marker_ends: &[],
        name: &["OneDrive"],
        name_start: &["OneDrive - ", "OneDrive-"],
    },
    Traces {
        client: "Google Drive",
        marker: &[],
        marker_ends: &[],
        name: &["Google Drive", "GoogleDrive", "My Drive"],
        name_start: &["GoogleDrive-"],
    },
    Traces {
        client: "Nextcloud",
        marker: &[".nextcloudsync.log", ".owncloudsync.log"],
        marker_ends: &[(".sync_", ".db"), ("._sync_", ".db")],
        name: &["Nextcloud"],
        name_start: &[],
    },
];

/// Names the sync program that copies `folder`, if one is recognised.
pub(crate) fn client_of(folder: &Path) -> Option<&'static str> {
    folder
        .ancestors()
        .find_map(|folder| KNOWN.iter().find(|traces| traces.fit(folder)))
        .map(|traces| traces.client)
}

impl Traces {
    fn fit(&self, folder: &Path) -> bool {
        let own = folder.file_name().unwrap_or_default().to_string_lossy();
        self.name.contains(&own.as_ref())
            || self.name_start.iter().any(|start| own.starts_with(start))
            || self.marker.iter().any(|name| folder.join(name).exists())
            || (!self.marker_ends.is_empty() && self.is_marked_inside(folder))
    }

    fn is_marked_inside(&self, folder: &Path) -> bool {
        let Ok(entries) = fs::read_dir(folder) else {
            return false;
        };
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            self.marker_ends
                .iter()
                .any(|(start, end)| name.starts_with(start) && name.ends_with(end))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(made: &str, looked_at: &str, expected: Option<&str>) {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join(looked_at)).unwrap();
        fs::create_dir_all(place.path().join(made)).unwrap();
        assert_eq!(client_of(&place.path().join(looked_at)), expected, "{made} {looked_at}");
    }

    #[test]
    fn programs_are_recognised_by_what_they_leave_above_a_folder() {
        check("share/.stfolder", "share/a/b", Some("Syncthing"));
        check("share/.dropbox.cache", "share/a", Some("Dropbox"));
        check("share/._sync_4f2a.db", "share/a", Some("Nextcloud"));
        check("share/.sync_4f2a.db", "share", Some("Nextcloud"));
    }

    #[test]
    fn programs_are_recognised_by_the_names_of_their_folders() {
        check("x", "Dropbox (Work)/notes", Some("Dropbox"));
        check("x", "Library/Mobile Documents/notes", Some("iCloud Drive"));
        check("x", "OneDrive - Contoso/notes", Some("OneDrive"));
        check("x", "GoogleDrive-ann@example.org/My Drive/a", Some("Google Drive"));
        check("x", "Nextcloud/notes", Some("Nextcloud"));
    }

    #[test]
    fn plain_folder_belongs_to_no_program() {
        check("share/notes", "share/other", None);
        check("beside/.stfolder", "share/a", None);
    }
}
