//! What is held here, and what one of it would change.

use mirror_core::RelPath;
use mirror_core::plan::Root;
use tokio::sync::oneshot;

use super::look::Look;
use crate::api::{EngineResult, HeldDetail, HeldFile, Known};
use crate::error::EngineError;
use crate::outside::TreeError;
use crate::project::held::Held;
use crate::project::worker::Worker;

/// Equal lines around each change.
const CONTEXT: usize = 3;

/// What can be asked about it.
pub(crate) enum HeldQuestion {
    List { look: Look, reply: Reply<Vec<HeldFile>> },
    Detail { path: String, look: Look, reply: Reply<HeldDetail> },
}

type Reply<T> = oneshot::Sender<EngineResult<Known<T>>>;

impl HeldQuestion {
    /// Whether it reads what may not be here.
    pub(crate) fn may_take_long(&self) -> bool {
        matches!(self, Self::Detail { .. })
    }
}

impl Worker {
    pub(crate) async fn answer_held(&mut self, question: HeldQuestion) {
        match question {
            HeldQuestion::List { look, reply } => {
                let answer = self.held_list(look).await;
                drop(reply.send(self.name_root(answer)));
            }
            HeldQuestion::Detail { path, look, reply } => {
                let answer = self.held_detail(&path, look).await;
                drop(reply.send(self.name_root(answer)));
            }
        }
    }

    /// What waits until somebody here agrees to it, by path.
    async fn held_list(&mut self, look: Look) -> EngineResult<Known<Vec<HeldFile>>> {
        let fault = self.learn(look).await;
        let held = self.held_now().await?;
        Ok(Known { answer: self.held_files(&held).await?, fault })
    }

    async fn held_detail(&mut self, name: &str, look: Look) -> EngineResult<Known<HeldDetail>> {
        let fault = self.learn(look).await;
        let held = self.held_now().await?;
        let unknown = || EngineError::NotHeld(name.to_owned());
        let path = RelPath::new(name).ok().filter(|path| held.is_coming(path));
        let path = path.ok_or_else(unknown)?;
        let files = self.held_files(&held).await?;
        let file = files.into_iter().find(|file| file.path == path).ok_or_else(unknown)?;
        let diff = self.diff_to_head(&path, CONTEXT).await?;
        Ok(Known { answer: HeldDetail { file, diff }, fault })
    }

    async fn held_now(&mut self) -> EngineResult<Held> {
        if self.observe_disk().await?.0 == Root::Missing {
            return Err(TreeError::RootMissing.into());
        }
        let held = self.held(&self.all_facts());
        self.save(false).await?;
        Ok(held)
    }
}
