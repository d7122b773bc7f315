//! Where the daemon keeps what it keeps, by the environment alone.
//!
//! The client looks into the same folders for whoever holds their locks.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// Five folders of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    pub config: PathBuf,
    pub data: PathBuf,
    pub state: PathBuf,
    pub cache: PathBuf,
    pub home: PathBuf,
}

impl Folders {
    pub fn from_environment() -> io::Result<Self> {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        Self::look(set, env::home_dir())
    }

    /// Finds the folders by the variables that `variable` knows; the login's own
    /// home folder stands in for `HOME`, which `docker exec` and others leave out.
    fn look(
        variable: impl Fn(&str) -> Option<OsString>,
        login_home: Option<PathBuf>,
    ) -> io::Result<Self> {
        let home = variable("HOME").map(PathBuf::from).into_iter().chain(login_home);
        let home = home.into_iter().find(|home| home.is_absolute());
        if let Some(all) = variable("MIRRORD_HOME") {
            let all = std::path::absolute(all)?;
            return Ok(Self {
                config: all.join("config"),
                data: all.join("data"),
                state: all.join("state"),
                cache: all.join("cache"),
                home: home.unwrap_or(all),
            });
        }
        let home = home.ok_or_else(|| {
            io::Error::other("HOME is not set; set it, or MIRRORD_HOME, to an absolute path")
        })?;
        // A relative path in these variables is to be ignored, says their specification.
        let folder = |name: &str, usual: &str| {
            variable(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
                .unwrap_or_else(|| home.join(usual))
                .join("mirrord")
        };
        Ok(Self {
            config: folder("XDG_CONFIG_HOME", ".config"),
            data: folder("XDG_DATA_HOME", ".local/share"),
            state: folder("XDG_STATE_HOME", ".local/state"),
            cache: folder("XDG_CACHE_HOME", ".cache"),
            home,
        })
    }

    /// Those that one daemon alone may hold, the one that names it first.
    pub fn held(&self) -> [&PathBuf; 3] {
        [&self.state, &self.data, &self.config]
    }

    pub fn log_file(&self) -> PathBuf {
        self.state.join("mirrord.log")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn look(variables: &[(&str, &str)], login_home: Option<&str>) -> io::Result<Folders> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Folders::look(variable, login_home.map(PathBuf::from))
    }

    #[test]
    fn one_variable_puts_all_folders_under_one() {
        let folders = look(&[("HOME", "/home/ann"), ("MIRRORD_HOME", "/m")], None).expect("found");
        assert_eq!(folders.config, Path::new("/m/config"));
        assert_eq!(folders.data, Path::new("/m/data"));
        assert_eq!(folders.log_file(), Path::new("/m/state/mirrord.log"));
        assert_eq!(folders.cache, Path::new("/m/cache"));
    }

    #[test]
    fn relative_xdg_folder_is_ignored() {
        let variables =
            [("HOME", "/home/ann"), ("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "/etc/ann")];
        let folders = look(&variables, None).expect("found");
        assert_eq!(folders.data, Path::new("/home/ann/.local/share/mirrord"));
        assert_eq!(folders.config, Path::new("/etc/ann/mirrord"));
    }

    #[test]
    fn home_folder_of_the_login_stands_in_for_home() {
        let folders = look(&[], Some("/home/ann")).expect("found");
        assert_eq!(folders.state, Path::new("/home/ann/.local/state/mirrord"));
        assert!(look(&[], None).is_err());
    }
}
