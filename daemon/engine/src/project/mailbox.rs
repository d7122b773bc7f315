//! The letters of one project, answered one at a time.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use mirror_core::Timestamp;
use mirror_core::readers::Read;
use mirror_storage::FaultClass;
use tokio::sync::{mpsc, oneshot};

use crate::api::{
    Conflict, ConflictDetail, DiffQuery, DroppedPushes, EngineResult, FileDiff, FileVersion,
    JobEvent, JobRequest, Known, LogPage, LogQuery, QueueReport, Report, SharedSettings, Stashed,
    StatusReport, VersionName,
};
use crate::outside::Cancel;
use crate::packs::Content;
use crate::project::query::held::HeldQuestion;
use crate::project::query::inbox::Unread;
use crate::project::query::look::{LateLook, Look};
use crate::project::query::tally::KnownTally;
use crate::project::worker::Worker;

type Reply<T> = oneshot::Sender<EngineResult<T>>;

/// What a handle asks of its project.
pub(crate) enum Message {
    Run {
        request: JobRequest,
        events: mpsc::Sender<JobEvent>,
        cancel: Cancel,
        reply: Reply<Report>,
    },
    Status {
        look: Look,
        reply: Reply<StatusReport>,
    },
    /// What a look came to that its question no longer waited for.
    Learn(LateLook),
    Diff {
        query: DiffQuery,
        reply: Reply<Vec<FileDiff>>,
    },
    Conflicts {
        look: Look,
        reply: Reply<Known<Vec<Conflict>>>,
    },
    Conflict {
        path: String,
        look: Look,
        reply: Reply<Known<ConflictDetail>>,
    },
    Held(HeldQuestion),
    Inbox {
        reader: String,
        read: Option<Read>,
        look: Look,
        reply: Reply<Unread>,
    },
    Log {
        query: LogQuery,
        reply: Reply<LogPage>,
    },
    Settings {
        reply: Reply<SharedSettings>,
    },
    /// The daemon's own round, or only its look at the log.
    Poll {
        log_alone: bool,
        reply: Reply<bool>,
    },
    Versions {
        path: String,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        reply: Reply<Vec<FileVersion>>,
    },
    Version {
        path: String,
        version: VersionName,
        reply: Reply<(FileVersion, Content)>,
    },
    Stash {
        reply: Reply<Vec<Stashed>>,
    },
    Stashed {
        id: String,
        reply: Reply<(Stashed, Content)>,
    },
    Queue {
        reply: Reply<QueueReport>,
    },
    Tally {
        known: Option<KnownTally>,
        reply: Reply<KnownTally>,
    },
    /// Of one id, or its beginning; else all.
    DropQueued {
        id: Option<String>,
        reply: Reply<DroppedPushes>,
    },
    /// Of these ids, or their beginnings; else all.
    DropStashed {
        ids: Option<Vec<String>>,
        reply: Reply<Vec<Stashed>>,
    },
    Close {
        reply: oneshot::Sender<()>,
    },
}

impl Message {
    /// Whether others should be answered beside it: it works, or it may wait for
    /// the backend.
    fn may_take_long(&self) -> bool {
        match self {
            Self::Run { .. }
            | Self::Poll { .. }
            | Self::Learn(_)
            | Self::DropQueued { .. }
            | Self::DropStashed { .. }
            | Self::Diff { .. }
            | Self::Log { .. }
            | Self::Versions { .. }
            | Self::Version { .. } => true,
            Self::Held(question) => question.may_take_long(),
            Self::Status { .. }
            | Self::Conflicts { .. }
            | Self::Conflict { .. }
            | Self::Inbox { .. }
            | Self::Settings { .. }
            | Self::Stash { .. }
            | Self::Stashed { .. }
            | Self::Queue { .. }
            | Self::Tally { .. }
            | Self::Close { .. } => false,
        }
    }
}

/// Answers letters until the project is closed or nobody can write any more.
///
/// A panic costs the letter that met it: what it left half-done
/// in memory is dropped, and the project is opened again from what is stored.
pub(crate) async fn run(mut worker: Worker, mut letters: mpsc::Receiver<Message>) {
    while let Some(message) = letters.recv().await {
        let message = match message {
            Message::Close { reply } => {
                worker.close();
                let _ = reply.send(());
                return;
            }
            message => message,
        };
        let is_long = message.may_take_long();
        worker.board.change(|status| status.is_busy = is_long);
        let answered = AssertUnwindSafe(answer(&mut worker, message)).catch_unwind().await;
        worker.board.change(|status| status.is_busy = false);
        if answered.is_ok() && worker.parts.store.is_broken() {
            // As after a crash: whoever asks next opens it from what is stored.
            tracing::warn!(project = worker.name(), "the state takes nothing more: it is closed");
            worker.close();
            return;
        }
        if let Err(panic) = answered {
            tracing::error!(
                project = worker.name(),
                panic = text(panic.as_ref()),
                "a job panicked"
            );
            let (board, farewell) = (worker.board.clone(), worker.events.farewell());
            worker = match Box::pin(worker.reopen()).await {
                Ok(worker) => worker,
                Err(error) => {
                    tracing::error!(%error, "the project could not be opened again");
                    board.change(|status| status.is_closed = true);
                    farewell();
                    return;
                }
            };
        }
    }
}

/// Answers a question beside the job that runs, by a worker that changes nothing.
pub(crate) async fn answer_beside(reader: &mut Worker, message: Message) {
    let answered = AssertUnwindSafe(answer(reader, message)).catch_unwind().await;
    if let Err(panic) = answered {
        tracing::error!(project = reader.name(), panic = text(panic.as_ref()), "a reader panicked");
    }
}

/// A reply whose caller is gone is dropped: the work was done all the same.
async fn answer(worker: &mut Worker, message: Message) {
    let mut was_full = false;
    match message {
        Message::Run { request, events, cancel, reply } => {
            let answer = worker.run(request, events, cancel).await;
            was_full = answer.as_ref().is_err_and(|error| error.class() == FaultClass::Quota);
            worker.tell_fault(answer.as_ref().err());
            // Before its caller hears of it: what it asks next is asked of the project.
            worker.board.change(|status| status.is_busy = false);
            drop(reply.send(worker.name_root(answer)));
        }
        Message::Status { look, reply } => {
            let answer = worker.status(look).await;
            drop(reply.send(worker.name_root(answer)));
        }
        Message::Learn(look) => worker.learn_late(look).await,
        Message::Diff { query, reply } => {
            let answer = worker.diff(&query).await;
            drop(reply.send(worker.name_root(answer)));
        }
        Message::Conflicts { look, reply } => {
            let answer = worker.conflicts(look).await;
            drop(reply.send(worker.name_root(answer)));
        }
        Message::Conflict { path, look, reply } => {
            let answer = worker.conflict(&path, look).await;
            drop(reply.send(worker.name_root(answer)));
        }
        Message::Held(question) => worker.answer_held(question).await,
        Message::Inbox { reader, read, look, reply } => {
            drop(reply.send(worker.inbox(reader, read, look).await));
        }
        Message::Log { query, reply } => drop(reply.send(worker.log(&query).await)),
        Message::Settings { reply } => drop(reply.send(worker.settings())),
        Message::Poll { log_alone, reply } => {
            let answer = if log_alone { worker.read_on().await } else { worker.poll().await };
            worker.tell_fault(answer.as_ref().err());
            tell_idle(worker, reply, answer);
        }
        Message::Versions { path, since, until, reply } => {
            drop(reply.send(worker.versions(&path, since, until).await));
        }
        Message::Version { path, version, reply } => {
            drop(reply.send(worker.version_content(&path, &version).await));
        }
        Message::Stash { reply } => drop(reply.send(worker.stash().await)),
        Message::Stashed { id, reply } => drop(reply.send(worker.stashed(&id).await)),
        // Asked so often that it leaves everything as it is where nothing changed.
        Message::Tally { known, reply } => return drop(reply.send(worker.tally(known).await)),
        Message::Queue { reply } => drop(reply.send(worker.queue_report().await)),
        Message::DropQueued { id, reply } => {
            let answer = worker.drop_queued(id.as_deref()).await;
            tell_idle(worker, reply, answer);
        }
        Message::DropStashed { ids, reply } => {
            let answer = worker.drop_stashed(ids).await;
            tell_idle(worker, reply, answer);
        }
        Message::Close { .. } => {}
    }
    // What may be full is found out now, and not by the next job.
    worker.save_index(was_full).await;
}

/// For work that changed something: what its caller asks next is asked of the project.
fn tell_idle<T>(worker: &Worker, reply: Reply<T>, answer: EngineResult<T>) {
    worker.board.change(|status| status.is_busy = false);
    drop(reply.send(answer));
}

fn text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
