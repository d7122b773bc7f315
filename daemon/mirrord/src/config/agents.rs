//! Where agents keep their configuration on this machine, by the environment alone.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use mirror_core::patterns::Agent;

/// Each agent with the variable that moves its folder, and the folder's usual place
/// in the home folder.
const USUAL: [(Agent, Option<&str>, &str); 4] = [
    (Agent::Claude, Some("CLAUDE_CONFIG_DIR"), ".claude"),
    (Agent::Codex, Some("CODEX_HOME"), ".codex"),
    (Agent::Gemini, None, ".gemini"),
    (Agent::Qwen, None, ".qwen"),
];

/// The folders that agents use, whether or not they are there yet.
pub(crate) fn folders() -> Vec<(Agent, PathBuf)> {
    look(|name| env::var_os(name), env::home_dir().as_deref())
}

/// Both places, if one was moved: other shells may know nothing of that.
fn look(variable: impl Fn(&str) -> Option<OsString>, home: Option<&Path>) -> Vec<(Agent, PathBuf)> {
    let mut found = Vec::new();
    for (agent, name, usual) in USUAL {
        let moved = name.and_then(&variable).map(PathBuf::from);
        let usual = home.map(|home| home.join(usual));
        let all = moved.into_iter().chain(usual).filter(|folder| folder.is_absolute());
        found.extend(all.map(|folder| (agent, folder)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_moved_is_known_beside_the_usual_one() {
        let variable = |name: &str| (name == "CLAUDE_CONFIG_DIR").then(|| "/home/ann/other".into());
        let found = look(variable, Some(Path::new("/home/ann")));
        let claude = found.iter().filter(|(agent, _)| *agent == Agent::Claude);
        let claude: Vec<_> = claude.map(|(_, folder)| folder.to_str().unwrap()).collect();
        assert_eq!(claude, ["/home/ann/other", "/home/ann/.claude"]);
        assert!(found.contains(&(Agent::Codex, "/home/ann/.codex".into())));
        assert_eq!(look(|_| Some("".into()), None), []);
    }
}
