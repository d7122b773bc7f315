//! Where Claude Code keeps its memory of a folder that somebody works in.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::slug::slug;
use crate::error::RequestError;

/// The setting that names another folder.
const SETTING: &str = "autoMemoryDirectory";

/// Settings of whoever runs the machine go before a person's own.
const MANAGED: &str = "/etc/claude-code/managed-settings.json";

/// A larger file is nobody's settings.
const MAX_SETTINGS_BYTES: u64 = 1 << 20;

/// The folder that all working trees of one repository share a memory by: the main one
/// of them; outside of git the folder itself.
pub(super) fn memory_root(folder: &Path) -> PathBuf {
    let found = folder.ancestors().find_map(|above| {
        let git = above.join(".git");
        let kind = fs::metadata(&git).ok()?;
        let main = if kind.is_dir() { None } else { main_of(above, &git) };
        Some(main.unwrap_or_else(|| above.to_owned()))
    });
    found.unwrap_or_else(|| folder.to_owned())
}

/// The main working tree of one that was added to it; `None` for what is none, such as
/// a submodule, and where there is none.
fn main_of(tree: &Path, git: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(git).ok()?;
    let own = tree.join(text.strip_prefix("gitdir:")?.trim());
    let common = own.join(fs::read_to_string(own.join("commondir")).ok()?.trim());
    let common = common.canonicalize().ok()?;
    (common.file_name()? == ".git").then(|| common.parent().map(Path::to_owned))?
}

/// The name that a session was told to use instead of the slug.
pub(super) fn check_dir_name(name: &str) -> Result<(), RequestError> {
    let is_one = !name.contains('/') && !matches!(name, "" | "." | "..");
    match is_one {
        true => Ok(()),
        false => Err(RequestError::usage("CLAUDE_CODE_PROJECT_DIR_NAME is not one folder's name")),
    }
}

/// The memory's folder of a root, as the settings and the environment of a session say.
pub(super) fn folder_of(
    home: &Path,
    root: &Path,
    dir_name: Option<&str>,
) -> Result<PathBuf, RequestError> {
    let own = root.join(".claude");
    let before = [PathBuf::from(MANAGED), own.join("settings.local.json")];
    if let Some(folder) = before.iter().find_map(|file| said_in(file)) {
        return Ok(folder);
    }
    // It comes with whatever somebody else put into the folder.
    if let Some(folder) = said_in(&own.join("settings.json")) {
        let folder = folder.display();
        return Err(RequestError::usage_with_hint(
            format!("the project's own settings keep its memory in {folder}"),
            format!("look whether that is as you want it, and give it with `--folder {folder}`"),
        ));
    }
    if let Some(folder) = said_in(&home.join("settings.json")) {
        return Ok(folder);
    }
    let name = dir_name.map_or_else(|| slug(root), str::to_owned);
    Ok(home.join("projects").join(name).join("memory"))
}

/// A folder that settings name; Claude Code passes over a relative one.
fn said_in(file: &Path) -> Option<PathBuf> {
    if fs::metadata(file).ok()?.len() > MAX_SETTINGS_BYTES {
        return None;
    }
    let settings: Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    let said = settings.get(SETTING)?.as_str()?;
    let folder = match said.strip_prefix("~/") {
        Some(below) => env::home_dir()?.join(below),
        None => PathBuf::from(said),
    };
    folder.is_absolute().then_some(folder)
}

/// What a repository is called where it comes from, the same on every machine that has
/// it from there: `ann-notes` for `git@github.com:ann/notes.git`.
pub(super) fn name_by_remote(root: &Path) -> Option<String> {
    let config = fs::read_to_string(root.join(".git/config")).ok()?;
    let mut lines = config.lines().map(str::trim);
    lines.find(|line| *line == "[remote \"origin\"]")?;
    let keys = lines.take_while(|line| !line.starts_with('['));
    let url = keys.filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "url")?.1;
    let path = url.trim().trim_end_matches('/').trim_end_matches(".git");
    let mut parts = path.rsplit(['/', ':']).filter(|part| !part.is_empty());
    let (name, owner) = (parts.next()?, parts.next());
    let plain = |text: &str| -> String {
        let letter = |it: char| if it.is_alphanumeric() || "._-".contains(it) { it } else { '-' };
        text.chars().map(letter).collect()
    };
    Some(match owner {
        Some(owner) => format!("{}-{}", plain(owner), plain(name)),
        None => plain(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        place: tempfile::TempDir,
    }

    impl Scene {
        fn new() -> Self {
            Self { place: tempfile::tempdir().unwrap() }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.place.path().canonicalize().unwrap().join(name)
        }

        fn writes(&self, name: &str, text: &str) {
            let file = self.at(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }

        fn folder(&self) -> Result<String, String> {
            let found = folder_of(&self.at("home"), &self.at("code"), None);
            found.map(|path| path.display().to_string()).map_err(|error| error.message())
        }
    }

    #[test]
    fn working_trees_and_folders_of_a_repository_share_its_main_one() {
        let scene = Scene::new();
        scene.writes("main/.git/HEAD", "ref: refs/heads/main\n");
        scene.writes("main/.git/worktrees/side/commondir", "../..\n");
        let own = scene.at("main/.git/worktrees/side");
        scene.writes("side/.git", &format!("gitdir: {}\n", own.display()));
        scene.writes("side/deep/a.md", "");
        scene.writes("main/deep/a.md", "");
        for name in ["main", "main/deep", "side", "side/deep"] {
            assert_eq!(memory_root(&scene.at(name)), scene.at("main"), "{name}");
        }
    }

    #[test]
    fn submodules_and_what_is_no_repository_are_their_own() {
        let scene = Scene::new();
        scene.writes("main/.git/modules/sub/HEAD", "");
        scene.writes("main/sub/.git", "gitdir: ../.git/modules/sub\n");
        scene.writes("plain/deep/a.md", "");
        scene.writes("odd/.git", "nothing of git\n");
        for name in ["main/sub", "plain/deep", "odd"] {
            assert_eq!(memory_root(&scene.at(name)), scene.at(name), "{name}");
        }
        // One that was added to a bare repository has no main one.
        scene.writes("bare.git/worktrees/side/commondir", "../..\n");
        let own = scene.at("bare.git/worktrees/side");
        scene.writes("side/.git", &format!("gitdir: {}\n", own.display()));
        assert_eq!(memory_root(&scene.at("side")), scene.at("side"));
    }

    #[test]
    fn memory_lies_by_the_slug_unless_settings_say_otherwise() {
        let scene = Scene::new();
        let usual = scene.at("home/projects").join(slug(&scene.at("code"))).join("memory");
        assert_eq!(scene.folder().unwrap(), usual.display().to_string());
        let said = |file: &str, folder: &str| {
            scene.writes(file, &serde_json::json!({ SETTING: folder }).to_string());
        };
        said("home/settings.json", "relative");
        assert_eq!(scene.folder().unwrap(), usual.display().to_string());
        scene.writes("home/settings.json", "{ not json");
        assert_eq!(scene.folder().unwrap(), usual.display().to_string());
        said("home/settings.json", "/of/the/person");
        assert_eq!(scene.folder().unwrap(), "/of/the/person");
        said("code/.claude/settings.local.json", "~/here");
        let home = env::home_dir().unwrap();
        assert_eq!(scene.folder().unwrap(), home.join("here").display().to_string());
    }

    #[test]
    fn a_folder_that_a_project_brings_along_is_asked_about() {
        let scene = Scene::new();
        let text = serde_json::json!({ SETTING: "/home/ann/.ssh" }).to_string();
        scene.writes("code/.claude/settings.json", &text);
        assert!(scene.folder().unwrap_err().contains("/home/ann/.ssh"));
    }

    #[test]
    fn a_session_may_have_been_told_another_name() {
        let (home, root) = (Path::new("/h"), Path::new("/nowhere/code"));
        let found = folder_of(home, root, Some("work")).unwrap();
        assert_eq!(found, Path::new("/h/projects/work/memory"));
        assert!(check_dir_name("work").is_ok());
        for name in ["", ".", "..", "a/b"] {
            assert!(check_dir_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_repository_is_called_as_where_it_comes_from() {
        let scene = Scene::new();
        for (url, name) in [
            ("git@github.com:ann/notes.git", "ann-notes"),
            ("https://github.com/ann/notes", "ann-notes"),
            ("ssh://git@nas/srv/ann/notes.git/", "ann-notes"),
            ("/srv/my notes.git", "srv-my-notes"),
        ] {
            let text =
                format!("[core]\n\turl = no\n[remote \"origin\"]\n\turl = {url}\n\tfetch = x\n");
            scene.writes("code/.git/config", &text);
            assert_eq!(name_by_remote(&scene.at("code")).as_deref(), Some(name), "{url}");
        }
        scene.writes("code/.git/config", "[core]\n[remote \"other\"]\nurl = a/b\n");
        assert_eq!(name_by_remote(&scene.at("code")), None);
    }
}
