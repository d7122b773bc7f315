//! What each reader of the inbox has dealt with: `readers/<digest of its name>.json`.
//!
//! One file a reader, so that nobody's place is moved by another's reading.

use std::io;
use std::sync::Arc;

use mirror_core::readers::Read;
use serde::{Deserialize, Serialize};

use super::record_of;
use crate::api::Parts;
use crate::outside::{Disk, Outside};

const FOLDER: &str = "readers";

/// So many readers are remembered; nobody makes so many on purpose.
pub(crate) const MOST_READERS: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct Record {
    name: String,
    #[serde(flatten)]
    read: Read,
}

/// The readers of one project.
pub(crate) struct Readers {
    data: Arc<dyn Disk>,
    outside: Outside,
    /// Whoever changes a record reads it first, with nobody in between.
    turn: tokio::sync::Mutex<()>,
}

/// Why a reader is not remembered.
pub(crate) enum Refused {
    TooMany,
    Failed(io::Error),
}

impl Readers {
    pub(crate) fn of(parts: &Parts) -> Self {
        let (data, outside) = (parts.data.clone(), parts.outside.clone());
        Self { data, outside, turn: tokio::sync::Mutex::default() }
    }

    /// `None` for one that is not known.
    pub(crate) async fn read_by(&self, name: &str) -> io::Result<Option<Read>> {
        let (data, file) = (self.data.clone(), record_of(FOLDER, name));
        self.outside.offload(move || load(data.as_ref(), &file)).await
    }

    /// Remembers that the reader has dealt with this, too; `begin` is where one begins
    /// that is not known. Survives power loss when this returns.
    pub(crate) async fn add(&self, name: &str, begin: &Read, told: &Read) -> Result<(), Refused> {
        let _turn = self.turn.lock().await;
        let (data, file, name) = (self.data.clone(), record_of(FOLDER, name), name.to_owned());
        let (begin, told) = (begin.clone(), told.clone());
        let keep = move || -> Result<(), Refused> {
            let known = load(data.as_ref(), &file).map_err(Refused::Failed)?;
            let is_new = known.is_none();
            if is_new && data.list(FOLDER).map_err(Refused::Failed)?.len() >= MOST_READERS {
                return Err(Refused::TooMany);
            }
            let mut read = known.clone().unwrap_or(begin);
            read.add(&told);
            if known.as_ref() == Some(&read) {
                return Ok(());
            }
            let text = serde_json::to_vec(&Record { name, read }).expect("plain text");
            data.write(&file, &mut text.as_slice(), true).map_err(Refused::Failed)
        };
        self.outside.offload(keep).await
    }
}

fn load(data: &dyn Disk, file: &str) -> io::Result<Option<Read>> {
    let Some(bytes) = data.read(file)? else { return Ok(None) };
    let record = serde_json::from_slice::<Record>(&bytes);
    // What it has dealt with can't be known any more: it begins anew.
    let record = record.inspect_err(|error| tracing::warn!(file, %error, "a reader can't be read"));
    Ok(record.ok().map(|record| record.read))
}
