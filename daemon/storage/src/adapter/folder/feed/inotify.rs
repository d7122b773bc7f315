//! One queue of events for all folders that are watched.
//!
//! Systems allow few queues and many watches. The queue is there while anybody
//! watches; a task takes in what comes and wakes those whom it concerns.

use std::collections::BTreeMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::watched::WatchedFolder;
use crate::Changes;

/// A file has its name, lost it or was written to; the folder itself went. Nobody
/// who only reads causes an event.
const TOLD: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::DONT_FOLLOW);

const FOLDER_GONE: ReadFlags = ReadFlags::DELETE_SELF
    .union(ReadFlags::MOVE_SELF)
    .union(ReadFlags::UNMOUNT)
    .union(ReadFlags::IGNORED);

/// Room for a few hundred events.
const BUFFER: usize = 16 * 1024;

/// The file-system events of this machine, shared by whoever watches a folder.
#[derive(Debug, Default)]
pub struct FolderEvents(Mutex<Weak<Queue>>);

impl FolderEvents {
    /// Watches a folder and those right in it; `None` where no events can be had. Blocks,
    /// and belongs to a runtime.
    pub(in super::super) fn watch(&self, folder: &Path) -> Option<Box<dyn Changes>> {
        let queue = self.queue();
        let watched = queue.and_then(|queue| Ok(WatchedFolder::begin(queue, folder)?));
        match watched {
            Ok(watched) => Some(Box::new(watched)),
            Err(error) => {
                tracing::debug!(folder = %folder.display(), %error, "no events are to be had");
                None
            }
        }
    }

    fn queue(&self) -> io::Result<Arc<Queue>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = known.upgrade().filter(|queue| !queue.task.is_finished()) {
            return Ok(queue);
        }
        let queue = Arc::new(Queue::start()?);
        *known = Arc::downgrade(&queue);
        Ok(queue)
    }
}

/// What one who watches has heard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    pub(super) is_over: bool,
}

/// Whom the events of a folder concern.
#[derive(Debug)]
struct Listener {
    /// Of one who watches; it may listen to several folders.
    number: u64,
    /// Whether the folder's own folders are watched as well.
    is_top: bool,
    heard: watch::Sender<Heard>,
}

type Listeners = BTreeMap<i32, Vec<Listener>>;

#[derive(Debug)]
pub(super) struct Queue {
    events: Arc<AsyncFd<OwnedFd>>,
    listeners: Arc<Mutex<Listeners>>,
    task: AbortHandle,
}

impl Queue {
    fn start() -> io::Result<Self> {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let events = Arc::new(registered(queue)?);
        let listeners = Arc::default();
        let task = tokio::spawn(take_in(Arc::clone(&events), Arc::clone(&listeners)));
        Ok(Self { events, listeners, task: task.abort_handle() })
    }

    /// Tells `heard` of what happens in a folder from now on.
    pub(super) fn listen(
        &self,
        folder: &Path,
        is_top: bool,
        number: u64,
        heard: &watch::Sender<Heard>,
    ) -> Result<i32, Errno> {
        // Held over both: an event in between would find nobody.
        let mut listeners = listeners_of(&self.listeners);
        let watch = inotify::add_watch(self.events.get_ref(), folder, TOLD)?;
        let listener = Listener { number, is_top, heard: heard.clone() };
        listeners.entry(watch).or_default().push(listener);
        Ok(watch)
    }

    /// Ends what one who watches listens to.
    pub(super) fn leave(&self, watches: &[i32], number: u64) {
        let mut listeners = listeners_of(&self.listeners);
        for watch in watches {
            let Some(here) = listeners.get_mut(watch) else { continue };
            here.retain(|listener| listener.number != number);
            if here.is_empty() {
                listeners.remove(watch);
                // An error means that the folder is gone, and the watch with it.
                let _ = inotify::remove_watch(self.events.get_ref(), *watch);
            }
        }
    }
}

/// The queue as the runtime waits for it.
#[expect(unsafe_code, reason = "the runtime asks for a promise that the descriptor stays open")]
fn registered(queue: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor is open until it is dropped, which happens with what it
    // is registered in, and nobody puts another in its place meanwhile.
    Ok(unsafe { AsyncFd::register(queue)? })
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn listeners_of(listeners: &Mutex<Listeners>) -> MutexGuard<'_, Listeners> {
    listeners.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes in events until the queue fails, which ends all that is watched.
async fn take_in(events: Arc<AsyncFd<OwnedFd>>, listeners: Arc<Mutex<Listeners>>) {
    let failed = loop {
        let mut ready = match events.readable().await {
            Ok(ready) => ready,
            Err(error) => break error,
        };
        match read_all(events.get_ref(), &listeners) {
            Err(Errno::AGAIN) => ready.clear_ready(),
            Err(Errno::INTR) => {}
            Err(errno) => break errno.into(),
            Ok(never) => match never {},
        }
    };
    tracing::warn!(error = %failed, "file-system events of backends end");
    end_all(&mut listeners_of(&listeners));
}

fn read_all(
    queue: &OwnedFd,
    listeners: &Mutex<Listeners>,
) -> Result<std::convert::Infallible, Errno> {
    let mut buffer = [MaybeUninit::uninit(); BUFFER];
    let mut reader = Reader::new(queue, &mut buffer);
    loop {
        let event = reader.next()?;
        tell(&mut listeners_of(listeners), event.wd(), event.events());
    }
}

fn tell(listeners: &mut Listeners, watch: i32, what: ReadFlags) {
    if what.contains(ReadFlags::QUEUE_OVERFLOW) {
        end_all(listeners);
        return;
    }
    for listener in listeners.get(&watch).into_iter().flatten() {
        let is_shelf = listener.is_top && what.contains(ReadFlags::ISDIR);
        let is_over = is_shelf || what.intersects(FOLDER_GONE);
        listener.heard.send_modify(|heard| heard.is_over |= is_over);
    }
    if what.contains(ReadFlags::IGNORED) {
        listeners.remove(&watch);
    }
}

fn end_all(listeners: &mut Listeners) {
    for listener in listeners.values().flatten() {
        listener.heard.send_modify(|heard| heard.is_over = true);
    }
}
