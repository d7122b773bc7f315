//! Where the daemon keeps what it keeps: five folders of its user.
//!
//! Nothing but the environment decides where they are, for clients as well.
//! Everything made here is for this user alone.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mirror_proto::folders;
use mirror_proto::socket::check_owner;

/// The daemon's folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folders {
    /// `mirrord.toml`, `projects/<name>.toml`, `machine_id`.
    pub(crate) config: PathBuf,
    /// Never a cache: quickstart backends, recent log entries, conflicts.
    pub(crate) data: PathBuf,
    /// Losing it is safe (B5); the log file lies here too.
    pub(crate) state: PathBuf,
    pub(crate) cache: PathBuf,
    /// For messages, samples and `~`; never written to by itself.
    pub(crate) home: PathBuf,
}

impl Folders {
    pub(crate) fn from_environment() -> io::Result<Self> {
        let folders::Folders { config, data, state, cache, home } =
            folders::Folders::from_environment()?;
        Ok(Self { config, data, state, cache, home })
    }

    /// Makes what is missing, for this user alone.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let all = [&self.config, &self.data, &self.state, &self.cache];
        for folder in all {
            check_owner(folder).map_err(io::Error::other)?;
        }
        all.into_iter().try_for_each(|folder| make_private(folder))?;
        make_private(&self.project_files())
    }

    pub(crate) fn daemon_file(&self) -> PathBuf {
        self.config.join("mirrord.toml")
    }

    pub(crate) fn project_files(&self) -> PathBuf {
        self.config.join("projects")
    }

    pub(crate) fn project_file(&self, name: &str) -> PathBuf {
        self.project_files().join(format!("{name}.toml"))
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.state.join("mirrord.log")
    }

    pub(crate) fn quickstart(&self) -> PathBuf {
        self.data.join("quickstart")
    }

    /// All that is our own, wherever the socket may lie included; what of it lies
    /// in a project is no file of it.
    pub(crate) fn own_places(&self) -> Vec<PathBuf> {
        let sockets = mirror_proto::socket::candidates(&self.state);
        let run = sockets.iter().filter_map(|socket| socket.parent().map(Path::to_owned));
        let kept = [&self.config, &self.data, &self.state, &self.cache].map(PathBuf::clone);
        kept.into_iter().chain(run).collect()
    }

    /// The folders of one project: state, data, cache.
    pub(crate) fn of_project(&self, name: &str) -> [PathBuf; 3] {
        [&self.state, &self.data, &self.cache].map(|folder| folder.join("projects").join(name))
    }
}

/// Makes a folder with those above it, and closes it to everybody else.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mode = fs::metadata(folder)?.permissions().mode() & 0o777;
    if mode == 0o700 {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// Writes a home folder in a text as `~`: messages travel further than paths should.
pub(crate) fn with_tilde(text: &str, home: &Path) -> String {
    let Some(home) = home.to_str().filter(|home| home.len() > 1) else {
        return text.to_owned();
    };
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(home) {
        let (before, found) = rest.split_at(at);
        let after = &found[home.len()..];
        let is_apart = |neighbour: Option<char>, others: &str| {
            neighbour.is_none_or(|letter| !letter.is_alphanumeric() && !others.contains(letter))
        };
        // Part of a longer path, or the login or the path of a URL.
        let whole = is_apart(before.chars().next_back(), "-_./~]")
            && is_apart(after.chars().next(), "-_.@");
        shown.push_str(before);
        shown.push_str(if whole { "~" } else { home });
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_closed_to_others() {
        let place = tempfile::tempdir().unwrap();
        let open = place.path().join("state");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();

        make_private(&open).unwrap();

        let mode = fs::metadata(&open).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn home_folder_reads_as_a_tilde() {
        let home = Path::new("/home/ann");
        let shown = with_tilde("can't read /home/ann/a, nor /home/anna/b or /home/ann", home);
        assert_eq!(shown, "can't read ~/a, nor /home/anna/b or ~");
    }

    #[test]
    fn url_of_a_server_stays_as_it_is() {
        for url in
            ["sftp://root@nas/a", "sftp://nas/root/a", "sftp://[::1]/root", "sftp://a/~/root"]
        {
            assert_eq!(with_tilde(url, Path::new("/root")), url);
        }
    }
}
