//! `AgentService`: one event of a session, and what it lets the session be told.
//!
//! Only projects that run are asked, or that are open in a moment: a hook has no time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mirror_core::RelPath;
use mirror_core::readers::{Event, EventKind};
use mirror_engine::{Heard, Told, Wake};
use mirror_proto::v1;
use mirror_proto::v1::hook_message::Says;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::config::WakeMode;
use crate::projects::{Condition, Open};
use crate::server::convert::agents::{event_kind, project_news};
use crate::server::host::{Host, Streamed};

/// Ids and paths that are longer are nobody's.
const LONGEST: usize = 4_096;

/// A project that was just closed is waited for so long.
const OPENING: Duration = Duration::from_millis(100);

/// So many folders and files of one event are looked up.
const MOST: usize = 50;

/// What an event says of one project.
#[derive(Default)]
struct Part {
    is_here: bool,
    files: Vec<RelPath>,
}

/// What was handed out, and is not printed yet.
struct Handed {
    open: Open,
    batch: u64,
}

#[tonic::async_trait]
impl v1::agent_service_server::AgentService for Host {
    type HearStream = Streamed<v1::HookAnswer>;

    async fn hear(
        &self,
        request: Request<Streaming<v1::HookMessage>>,
    ) -> Result<Response<Self::HearStream>, Status> {
        let mut messages = request.into_inner();
        let first = messages.message().await?.and_then(|message| message.says);
        let Some(Says::Event(event)) = first else {
            return Err(Status::invalid_argument("the first message is no event"));
        };
        let (answers, unread) = mpsc::channel(1);
        let host = self.clone();
        // A task: what is handed out is settled also when the hook is gone.
        tokio::spawn(async move {
            let session = event.session.clone();
            let (answer, handed) = host.hear(event).await;
            let is_sent = answers.send(Ok(answer)).await.is_ok();
            let says = match is_sent && !handed.is_empty() {
                true => messages.next().await.and_then(Result::ok),
                false => None,
            };
            let is_printed = matches!(says, Some(v1::HookMessage { says: Some(Says::Printed(_)) }));
            settle(&session, handed, is_printed).await;
        });
        Ok(Response::new(ReceiverStream::new(unread)))
    }
}

/// Tells the projects whether the session has what they handed out.
async fn settle(session: &str, handed: Vec<Handed>, is_printed: bool) {
    for Handed { open, batch } in handed {
        let settled = match is_printed {
            true => open.project.printed(session, batch).await,
            false => open.project.give_back(session, batch).await,
        };
        if let Err(error) = settled {
            // It is told again, then.
            tracing::info!(project = open.config.name, %error, "a session could not be noted");
        }
    }
}

impl Host {
    /// What one event is answered. Nothing is wrong enough to be told to an agent.
    async fn hear(&self, event: v1::HookEvent) -> (v1::HookAnswer, Vec<Handed>) {
        let (mut answer, mut handed) = (v1::HookAnswer::default(), Vec::new());
        let Some(kind) = event_kind(event.kind()) else { return (answer, handed) };
        if event.session.is_empty() || event.session.len() > LONGEST {
            return (answer, handed);
        }
        let watches = matches!(kind, EventKind::Start | EventKind::Compaction | EventKind::Other);
        for (name, part) in self.parts_of(&event).await {
            let bell = self.bell_of(&name);
            let running = self.running(&name).await;
            if watches && part.is_here && (running.is_some() || bell.is_dir()) {
                answer.watch_paths.extend(bell.to_str().map(str::to_owned));
            }
            let Some(open) = running else { continue };
            let heard = heard_of(&event, kind, &part, &bell, &open);
            match open.project.hear(&heard).await {
                Ok(told) => self.take(&told, open, &mut answer, &mut handed),
                Err(error) => tracing::info!(project = name, %error, "a hook was not answered"),
            }
        }
        (answer, handed)
    }

    fn take(&self, told: &Told, open: Open, answer: &mut v1::HookAnswer, handed: &mut Vec<Handed>) {
        if let Some(at) = told.ring_at {
            self.registry.ring_later(&open, at);
        }
        if told.batch.is_some() || told.waiting > 0 {
            let home = &self.registry.folders.home;
            answer.news.push(project_news(&open.config.name, &open.config.root, told, home));
        }
        handed.extend(told.batch.map(|batch| Handed { open, batch }));
    }

    /// Which projects an event is about, and which of their files.
    async fn parts_of(&self, event: &v1::HookEvent) -> BTreeMap<String, Part> {
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        let is_path = |text: &&String| text.len() <= LONGEST && Path::new(text).is_absolute();
        for folder in event.folders.iter().filter(is_path).take(MOST) {
            if let Some(name) = self.registry.home_of(Path::new(folder)).await {
                parts.entry(name).or_default().is_here = true;
            }
        }
        for file in event.files.iter().filter(is_path).take(MOST) {
            if let Some((name, path)) = self.registry.file_at(Path::new(file)).await {
                parts.entry(name).or_default().files.push(path);
            }
        }
        parts
    }

    async fn running(&self, name: &str) -> Option<Open> {
        let is_fresh = match &self.registry.slots().get(name)?.condition {
            Condition::Open(open) if !open.project.is_closed() => return Some(open.clone()),
            Condition::Open(_) => true,
            Condition::Closed(why) => why.fresh,
        };
        let (registry, name) = (self.registry.clone(), name.to_owned());
        // A task: it opens the project for the next event, if it is too late for this.
        let opening = is_fresh.then(|| tokio::spawn(async move { registry.open(&name).await }))?;
        timeout(OPENING, opening).await.ok()?.ok()?.ok()
    }

    /// The folder that a session of this project watches.
    fn bell_of(&self, name: &str) -> PathBuf {
        let [_, data, _] = self.registry.folders.of_project(name);
        data.join("bell")
    }
}

fn heard_of(
    event: &v1::HookEvent,
    kind: EventKind,
    part: &Part,
    bell: &Path,
    open: &Open,
) -> Heard {
    let changed = event.changed_file.as_deref();
    let wake = match open.config.auto.wake() {
        _ if !event.may_wake => Wake::Off,
        WakeMode::Off => Wake::Off,
        WakeMode::Conflict => Wake::Conflict,
        WakeMode::All => Wake::All,
    };
    Heard {
        session: event.session.clone(),
        event: Event {
            kind,
            occasion: event.occasion.clone(),
            process: event.process,
            has_steps: event.has_steps,
        },
        is_here: part.is_here,
        files: part.files.clone(),
        is_write: event.is_write,
        is_bell: changed.is_some_and(|file| Path::new(file).starts_with(bell)),
        shows_hints: event.shows_hints,
        wake,
    }
}
