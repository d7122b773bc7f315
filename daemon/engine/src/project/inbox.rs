//! The inbox: what others did, for each reader from where it stopped (S7).
//!
//! Reading moves nothing. Whoever has shown an answer says so afterwards, and only
//! then counts it as read: what was not shown in between is told again.

use std::time::Duration;

use mirror_core::readers::Read;

use super::Project;
use super::mailbox::Message;
use crate::api::{EngineResult, Inbox};
use crate::data::readers::{MOST_READERS, Refused};
use crate::error::EngineError;

/// Names are shown in lists, and typed.
const LONGEST_NAME: usize = 64;

impl Project {
    /// What a reader has not dealt with yet. Waits so long for the backend (`None`: as
    /// long as it takes). With `peek`, not even a reader that is new is remembered.
    pub async fn inbox(
        &self,
        reader: &str,
        peek: bool,
        patience: Option<Duration>,
    ) -> EngineResult<Inbox> {
        check_name(reader)?;
        let look = self.look(patience).await?;
        let read = self.readers.read_by(reader).await?;
        let question = |reply| {
            let (reader, read, look) = (reader.to_owned(), read.clone(), look.clone());
            Message::Inbox { reader, read, look, reply }
        };
        let unread = self.read(question).await?;
        if let Some(begins) = unread.begins.filter(|_| !peek) {
            // From now on nothing that comes is too old for it.
            self.note_read(reader, &begins, &Read::default()).await?;
        }
        Ok(unread.inbox)
    }

    /// The reader has dealt with what an answer showed.
    pub async fn confirm_inbox(&self, reader: &str, shown: &Read) -> EngineResult<()> {
        check_name(reader)?;
        self.note_read(reader, shown, shown).await
    }

    async fn note_read(&self, reader: &str, begin: &Read, told: &Read) -> EngineResult<()> {
        let noted = self.readers.add(reader, begin, told).await;
        noted.map_err(|refused| match refused {
            Refused::Failed(error) => error.into(),
            Refused::TooMany => EngineError::Usage(format!(
                "{MOST_READERS} readers are known already: use one of those names"
            )),
        })
    }
}

fn check_name(reader: &str) -> EngineResult<()> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let is_name =
        !reader.is_empty() && reader.len() <= LONGEST_NAME && reader.chars().all(is_plain);
    is_name.then_some(()).ok_or_else(|| {
        EngineError::Usage(format!(
            "{reader:?} is no name of a reader: up to {LONGEST_NAME} letters, digits, dots, \
             hyphens and underscores"
        ))
    })
}
