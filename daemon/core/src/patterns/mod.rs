//! Which files a project mirrors, and which this machine takes part in.
//!
//! A path is covered when the project's patterns and this machine's narrowing
//! both take it, neither `.mirrorignore` nor (where the project goes by them) a
//! `.gitignore` drops it, it lies in no folder of our own, and it is neither a
//! left-over of a program nor what an agent keeps to its machine. What isn't covered
//! goes nowhere and is deleted nowhere.

mod agents;
mod code;
mod coverage;
mod gitignore;
mod globs;
mod ignore;
mod memories;
mod never;
mod wildmatch;

use serde::{Deserialize, Serialize};

pub use agents::{Agent, AgentFolder, Seen, stays_here};
pub use code::runs_code;
pub use coverage::{Coverage, CoverageSource, IGNORE_FILE, Left};
pub use globs::PatternError;
pub(crate) use globs::compile as compile_glob;
pub use ignore::{GIT_IGNORE_FILE, IgnoreCost};
pub use memories::{MEMORY_FOLDER, Mapped, Memories, Side};
pub use never::{OWN_TEMPORARY_PREFIX, is_temporary};

/// Globs for whole paths: what is taken, minus what is left out.
///
/// `*` and `?` stop at `/`, `**/` stands for any folders or none, `[…]` and
/// `{a,b}` as usual; case counts. There is no special case for a glob without
/// `/`: `*.md` takes the files at the root, `**/*.md` those everywhere. A glob
/// of `exclude` that matches a folder leaves out all below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patterns {
    #[serde(default = "all_markdown")]
    pub include: Vec<String>,
    #[serde(default)]
    pub exclude: Vec<String>,
}

impl Patterns {
    /// Tells what is wrong with the first glob that could never work.
    pub fn check(&self) -> Result<(), PatternError> {
        globs::Globs::new(self).map(drop)
    }
}

impl Default for Patterns {
    fn default() -> Self {
        Self { include: all_markdown(), exclude: Vec::new() }
    }
}

fn all_markdown() -> Vec<String> {
    vec!["**/*.md".to_owned()]
}
