//! Follows the links of a path where a disk that is dead holds nobody up.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::path_args::resolved;

/// How long a disk may take to say where a path leads.
const PATIENCE: Duration = Duration::from_secs(2);

/// A look at one path, for everybody who waits for it.
type Look = Shared<BoxFuture<'static, Option<PathBuf>>>;

/// Says where paths really lead.
#[derive(Clone)]
pub(crate) struct Symlinks {
    follow: Arc<dyn Fn(&Path) -> PathBuf + Send + Sync>,
    under_way: Arc<Mutex<HashMap<PathBuf, Look>>>,
}

impl fmt::Debug for Symlinks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Symlinks")
    }
}

impl Default for Symlinks {
    fn default() -> Self {
        Self::followed_by(resolved)
    }
}

impl Symlinks {
    pub(crate) fn followed_by(follow: impl Fn(&Path) -> PathBuf + Send + Sync + 'static) -> Self {
        Self { follow: Arc::new(follow), under_way: Arc::default() }
    }

    /// Follows the links in the part of a path that exists; `None` when its disk
    /// doesn't answer in time.
    pub(crate) async fn follow(&self, path: &Path) -> Option<PathBuf> {
        timeout(PATIENCE, self.look(path)).await.ok().flatten()
    }

    /// One look per path: a dead disk holds one thread, not one for each request.
    fn look(&self, path: &Path) -> Look {
        let mut looks = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(look) = looks.get(path) {
            return look.clone();
        }
        let (links, path) = (self.clone(), path.to_owned());
        let looked = spawn_blocking({
            let path = path.clone();
            move || {
                let real = (links.follow)(&path);
                links.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
                real
            }
        });
        let look = looked.map(Result::ok).boxed().shared();
        looks.insert(path, look.clone());
        look
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use tokio::time::{advance, pause, resume};

    use super::*;

    #[tokio::test]
    async fn disk_that_does_not_answer_holds_up_one_thread_and_nobody_else() {
        let (free, held) = mpsc::channel::<()>();
        let (held, looks) = (Mutex::new(held), Arc::new(AtomicUsize::new(0)));
        let links = Symlinks::followed_by({
            let looks = looks.clone();
            move |path| {
                looks.fetch_add(1, Ordering::SeqCst);
                let _ = held.lock().unwrap().recv();
                path.join("real")
            }
        });
        pause();

        for _ in 0..3 {
            let (real, ()) = tokio::join!(links.follow(Path::new("/dead")), advance(2 * PATIENCE));
            assert_eq!(real, None);
        }

        while looks.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(looks.load(Ordering::SeqCst), 1);
        drop(free);
        resume();
        let real = links.follow(Path::new("/dead")).await;
        assert_eq!(real.as_deref(), Some(Path::new("/dead/real")));
    }
}
