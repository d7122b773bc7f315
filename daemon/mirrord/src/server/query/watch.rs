//! `WatchService`: what happens in projects, as it happens or at one look.
//!
//! A project that is closed and opened again goes on where it was. A client that reads
//! slowly is waited for: what it has not taken stays in the log and the journal.

use std::collections::BTreeMap;
use std::time::Duration;

use mirror_core::RelPath;
use mirror_engine::{Occurrence, ProjectFault, Witness};
use mirror_proto::v1;
use mirror_proto::v1::watch_event::Event;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::error::RequestError;
use crate::projects::{Open, View};
use crate::server::convert::fault::{fault_class, project_fault};
use crate::server::convert::history::commit_summary;
use crate::server::convert::inbox::inbox;
use crate::server::convert::job::notice;
use crate::server::convert::status::standing;
use crate::server::host::{Events, Host, Streamed};
use crate::server::in_time::Teller;

/// Events that a slow client has not taken yet.
const ROOM: usize = 64;

/// How often it is seen whether projects came, went, or were opened.
const TICK: Duration = Duration::from_secs(1);

/// What comes within this time is looked for in one go.
const TOGETHER: Duration = Duration::from_millis(50);

#[tonic::async_trait]
impl v1::watch_service_server::WatchService for Host {
    type WatchStream = Streamed<v1::WatchEvent>;

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let request = request.into_inner();
        let (host, project) = (self.clone(), request.project);
        let named = async move { host.name_if_any(project).await };
        let name = self.answer("watch", named).await?.into_inner();
        let known = request.known.into_iter().map(|known| (known.project.clone(), known)).collect();
        let (events, unread) = mpsc::channel(ROOM);
        let host = self.clone();
        tokio::spawn(async move {
            let (hangs_up, mut stopping) = (events.clone(), host.registry.stopping());
            tokio::select! {
                () = host.watch_all(name, known, events) => {}
                () = hangs_up.closed() => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        });
        Ok(Response::new(ReceiverStream::new(unread)))
    }

    async fn watch_once(
        &self,
        request: Request<v1::WatchOnceRequest>,
    ) -> Result<Response<v1::WatchedOnce>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("watch --once", async move { host.look_once(request).await }).await
    }
}

impl Host {
    async fn look_once(
        &self,
        request: v1::WatchOnceRequest,
    ) -> Result<v1::WatchedOnce, RequestError> {
        let name = self.name_of(request.project).await?;
        let (open, patience) = match self.teller(&name).await? {
            Teller::Open(open, patience) => (open, patience),
            Teller::Closed { error, .. } => return Err(error),
        };
        // Waits for the server as long as it takes: nobody looks again soon.
        self.registry.look_at(&name, &open).await;
        let unread = open.project.inbox(&request.reader, false, Some(patience)).await?;
        let held = open.project.held_within(patience).await?.answer;
        let held = held.into_iter().filter(|file| !file.refused);
        let waits = open.project.tally().await.is_ok_and(|tally| tally.waits_for_consent);
        let config = self.registry.view(&name).and_then(|view| view.config);
        Ok(v1::WatchedOnce {
            inbox: Some(inbox(&name, &unread, &self.registry.folders.home)),
            held: held.map(|file| file.path.as_str().to_owned()).collect(),
            state: standing(&open.project.phase(), config.as_ref(), waits).into(),
            time: self.registry.outside.clock.now().to_string(),
        })
    }

    /// One project, or all that there are and will be; ends when nobody reads any more.
    async fn watch_all(
        &self,
        name: Option<String>,
        mut known: BTreeMap<String, v1::WatchedSoFar>,
        events: Events<v1::WatchEvent>,
    ) {
        let mut begun = tokio::task::JoinSet::new();
        let mut watched = std::collections::BTreeSet::new();
        loop {
            let names = match &name {
                Some(name) => vec![name.clone()],
                None => self.registry.views().into_iter().map(|view| view.name).collect(),
            };
            for name in names {
                if watched.insert(name.clone()) {
                    let watching = Watching {
                        host: self.clone(),
                        known: Known::of(known.remove(&name)),
                        events: events.clone(),
                        name,
                    };
                    begun.spawn(watching.run());
                }
            }
            tokio::time::sleep(TICK).await;
        }
    }
}

/// What one client has been told of one project.
struct Known {
    told: Witness,
    fault: Option<v1::FaultClass>,
    state: v1::ProjectState,
}

impl Known {
    fn of(known: Option<v1::WatchedSoFar>) -> Self {
        let Some(known) = known else {
            let state = v1::ProjectState::Unspecified;
            return Self { told: Witness::default(), fault: None, state };
        };
        let (fault, state) = (known.fault.map(|_| known.fault()), known.state());
        let paths =
            |paths: Vec<String>| paths.iter().filter_map(|path| RelPath::new(path).ok()).collect();
        let told = Witness {
            commit: Some(known.commit),
            notice: Some(known.notice),
            conflicts: paths(known.conflicts),
            held: paths(known.held),
            ..Witness::default()
        };
        Self { told, fault, state }
    }
}

/// Nobody reads any more.
struct Unread;

/// One project, for one client.
struct Watching {
    host: Host,
    name: String,
    known: Known,
    events: Events<v1::WatchEvent>,
}

impl Watching {
    async fn run(mut self) {
        while let Some(view) = self.next_view().await {
            let told = match &view.open {
                Some(open) => self.follow(open).await,
                None => self.tell_standing(&view).await,
            };
            if told.is_err() {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// A project that is removed may come again.
    async fn next_view(&self) -> Option<View> {
        loop {
            if self.events.is_closed() {
                return None;
            }
            if let Some(view) = self.host.registry.view(&self.name) {
                return Some(view);
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Until it is closed.
    async fn follow(&mut self, open: &Open) -> Result<(), Unread> {
        // Before the first look: what comes after it is hinted at.
        let (mut hints, mut paused) = (open.project.hints(), open.paused());
        loop {
            let is_new = self.known.told.commit.is_none();
            self.tell_news(open, is_new).await?;
            if let Some(view) = self.host.registry.view(&self.name) {
                self.tell_standing(&view).await?;
            }
            let goes_on = tokio::select! {
                goes_on = hints.next() => goes_on,
                changed = paused.changed() => changed.is_ok(),
            };
            if !goes_on {
                return Ok(());
            }
            tokio::time::sleep(TOGETHER).await;
        }
    }

    /// Bit by bit, until there is no more.
    async fn tell_news(&mut self, open: &Open, mut is_new: bool) -> Result<(), Unread> {
        // An entry that can't be read now is told once it can.
        while let Ok(news) = open.project.occurrences(&mut self.known.told).await {
            if std::mem::take(&mut is_new) {
                self.tell_beginning().await?;
            }
            if news.is_empty() {
                break;
            }
            for occurrence in news {
                self.tell_occurrence(occurrence).await?;
            }
        }
        Ok(())
    }

    async fn tell(&self, over: bool, event: Event) -> Result<(), Unread> {
        let (project, time) = (self.name.clone(), self.host.registry.outside.clock.now());
        let event = v1::WatchEvent { project, time: time.to_string(), over, event: Some(event) };
        self.events.send(Ok(event)).await.map_err(|_| Unread)
    }

    async fn tell_beginning(&self) -> Result<(), Unread> {
        let Witness { commit, notice, .. } = &self.known.told;
        let begun = v1::WatchedSoFar {
            project: self.name.clone(),
            commit: commit.unwrap_or_default(),
            notice: notice.unwrap_or_default(),
            ..v1::WatchedSoFar::default()
        };
        self.tell(false, Event::Begun(begun)).await
    }

    async fn tell_occurrence(&self, occurrence: Occurrence) -> Result<(), Unread> {
        let home = &self.host.registry.folders.home;
        let path = |path: RelPath| path.as_str().to_owned();
        let (over, event) = match occurrence {
            Occurrence::Commit(commit) => (false, Event::Commit(commit_summary(&commit))),
            Occurrence::Notice { number, notice: told } => {
                let notice = Some(notice(&told, home));
                (false, Event::Notice(v1::WatchNotice { number, notice }))
            }
            Occurrence::Conflict { path: at, is_over } => (is_over, Event::Conflict(path(at))),
            Occurrence::Held { path: at, is_over } => (is_over, Event::Held(path(at))),
        };
        self.tell(over, event).await
    }

    /// What is wrong is told when it begins and when it is over, however often it is met.
    async fn tell_standing(&mut self, view: &View) -> Result<(), Unread> {
        let waits = self.known.told.waits_for_consent;
        let state = standing(&view.phase, view.config.as_ref(), waits);
        if state != self.known.state {
            self.known.state = state;
            self.tell(false, Event::State(state.into())).await?;
        }
        let class = view.fault.as_ref().map(|fault| fault_class(fault.class));
        if class == self.known.fault {
            return Ok(());
        }
        self.known.fault = class;
        let fault = view.fault.as_ref().map(|fault| self.said(fault));
        self.tell(fault.is_none(), Event::Fault(fault.unwrap_or_default())).await
    }

    fn said(&self, fault: &ProjectFault) -> v1::Fault {
        project_fault(fault, &self.host.registry.folders.home)
    }
}
