//! Where other programs keep what we add to, by the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// `~/.config`, unless it is moved.
    pub(super) config: PathBuf,
    /// `~/.local/share`, unless it is moved.
    pub(super) data: PathBuf,
    pub(super) claude: PathBuf,
    /// The file in which Claude Code keeps the servers of a user.
    pub(super) claude_servers: PathBuf,
    /// Where whoever runs this machine says what holds for all users of Claude Code.
    pub(super) claude_managed: PathBuf,
    pub(super) codex: PathBuf,
    pub(super) home: PathBuf,
    pub(super) zsh: PathBuf,
    /// The login shell, by its own name.
    pub(super) shell: Option<String>,
    path: Option<OsString>,
    /// The folder that the command was given in.
    pub(super) here: Option<PathBuf>,
}

impl Places {
    pub(crate) fn of_process(home: &Path) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self { here: std::env::current_dir().ok(), ..Self::look(set, home) }
    }

    pub(super) fn look(variable: impl Fn(&str) -> Option<OsString>, home: &Path) -> Self {
        let named = |name: &str| variable(name).map(PathBuf::from);
        let absolute = |name: &str| named(name).filter(|path| path.is_absolute());
        // From the current folder, as their programs take it.
        let folder = |name: &str| named(name).and_then(|path| std::path::absolute(path).ok());
        let claude_moved = folder("CLAUDE_CONFIG_DIR");
        let managed = match cfg!(target_os = "macos") {
            true => "/Library/Application Support/ClaudeCode",
            false => "/etc/claude-code",
        };
        let shell = named("SHELL");
        let shell = shell.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
        Self {
            config: absolute("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            data: absolute("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")),
            claude_servers: claude_moved.as_deref().unwrap_or(home).join(".claude.json"),
            claude: claude_moved.unwrap_or_else(|| home.join(".claude")),
            claude_managed: Path::new(managed).join("managed-settings.json"),
            codex: folder("CODEX_HOME").unwrap_or_else(|| home.join(".codex")),
            home: home.to_owned(),
            zsh: folder("ZDOTDIR").unwrap_or_else(|| home.to_owned()),
            shell: shell.map(str::to_owned),
            path: variable("PATH"),
            here: None,
        }
    }

    /// Whether a program of that name is found as a shell finds it.
    pub(super) fn finds(&self, program: &str) -> bool {
        let path = self.path.clone().unwrap_or_default();
        std::env::split_paths(&path).any(|folder| {
            let file = folder.join(program);
            file.is_file() && access(&file, Access::EXEC_OK).is_ok()
        })
    }

    pub(super) fn has_claude(&self) -> bool {
        self.claude.is_dir() || self.finds("claude")
    }

    pub(super) fn has_codex(&self) -> bool {
        self.codex.is_dir() || self.finds("codex")
    }

    pub(super) fn claude_settings(&self) -> PathBuf {
        self.claude.join("settings.json")
    }

    pub(super) fn codex_hooks(&self) -> PathBuf {
        self.codex.join("hooks.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_folder_is_one_from_here() {
        let set = |name: &str| match name {
            "CLAUDE_CONFIG_DIR" | "CODEX_HOME" | "ZDOTDIR" => Some("dots".into()),
            _ => None,
        };
        let places = Places::look(set, Path::new("/home/ann"));
        let expected = std::env::current_dir().expect("a folder").join("dots");
        assert_eq!([&places.claude, &places.codex, &places.zsh], [&expected; 3]);
        assert_eq!(places.claude_servers, expected.join(".claude.json"));
    }
}
