//! What this machine agreed to, and what it refused, of what others may make it run
//! (B16): one file, `held.json`, written whole.
//!
//! Of each path the last versions of either kind are kept. One that is lost is asked
//! about again; none is ever made up.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use mirror_core::{Digest, Kind, RelPath, State};
use serde::{Deserialize, Serialize};

use crate::api::{EngineResult, Parts};
use crate::outside::{Disk, Outside};

const FILE: &str = "held.json";

/// So many of each kind are kept of a path.
const KEPT: usize = 16;

/// One version of a path, whoever may execute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    kind: Kind,
    sha256: Digest,
}

impl From<State> for Version {
    fn from(state: State) -> Self {
        Self { kind: state.kind, sha256: state.digest }
    }
}

/// What was said here of one path, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Agreement {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    agreed: Vec<Version>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Version>,
    /// A notice has named them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    told: Vec<Version>,
}

/// What can be said of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Agreed,
    Refused,
    Told,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agreements(Arc<BTreeMap<RelPath, Agreement>>);

impl Agreements {
    pub(crate) async fn load(parts: &Parts) -> EngineResult<Self> {
        let data = parts.data.clone();
        let bytes = parts.outside.offload(move || data.read(FILE)).await?;
        let Some(bytes) = bytes else { return Ok(Self::default()) };
        match serde_json::from_slice(&bytes) {
            Ok(agreements) => Ok(Self(Arc::new(agreements))),
            Err(error) => {
                tracing::warn!(%error, "what was agreed to can't be read: it is asked again");
                Ok(Self::default())
            }
        }
    }

    pub(crate) fn has(&self, said: Said, path: &RelPath, state: State) -> bool {
        self.0.get(path).is_some_and(|agreement| agreement.of(said).contains(&state.into()))
    }

    /// Keeps what is said of these versions; what is agreed to is no longer refused,
    /// and the other way round.
    pub(crate) async fn say(
        &mut self,
        said: Said,
        mut versions: Vec<(RelPath, State)>,
        (data, outside): (&Arc<dyn Disk>, &Outside),
    ) -> io::Result<()> {
        versions.retain(|(path, state)| !self.has(said, path, *state));
        if versions.is_empty() {
            return Ok(());
        }
        let mut agreements = (*self.0).clone();
        for (path, state) in versions {
            agreements.entry(path).or_default().add(said, state.into());
        }
        let text = serde_json::to_vec(&agreements).map_err(io::Error::other)?;
        let data = data.clone();
        outside.offload(move || data.write(FILE, &mut text.as_slice(), true)).await?;
        self.0 = Arc::new(agreements);
        Ok(())
    }
}

impl Agreement {
    fn of(&self, said: Said) -> &[Version] {
        match said {
            Said::Agreed => &self.agreed,
            Said::Refused => &self.refused,
            Said::Told => &self.told,
        }
    }

    fn add(&mut self, said: Said, version: Version) {
        let versions = match said {
            Said::Agreed => {
                self.refused.retain(|refused| *refused != version);
                &mut self.agreed
            }
            Said::Refused => {
                self.agreed.retain(|agreed| *agreed != version);
                &mut self.refused
            }
            Said::Told => &mut self.told,
        };
        versions.push(version);
        versions.drain(..versions.len().saturating_sub(KEPT));
    }
}
