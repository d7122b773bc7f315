//! A daemon in the test's own process, on a socket of its own.
//!
//! It answers as it is told to; there is no engine behind it.

mod cancels;
mod conflicts;
mod doctor;
mod pty;
mod questions;
mod setups;
mod versions;

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use mirror_proto::PROTOCOL;
use mirror_proto::folders::Folders;
use mirror_proto::v1::conflict_service_server::ConflictServiceServer;
use mirror_proto::v1::daemon_service_server::{DaemonService, DaemonServiceServer};
use mirror_proto::v1::doctor_service_server::DoctorServiceServer;
use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::project_service_server::ProjectServiceServer;
use mirror_proto::v1::question_service_server::QuestionServiceServer;
use mirror_proto::v1::stash_service_server::StashServiceServer;
use mirror_proto::v1::status_service_server::{StatusService, StatusServiceServer};
use mirror_proto::v1::sync_service_server::{SyncService, SyncServiceServer};
use mirror_proto::v1::version_service_server::VersionServiceServer;
use mirror_proto::v1::{
    CancelRequest, CancelResponse, DaemonDescription, DeleteRequest, DescribeDaemonRequest,
    DiffReport, Fault, GlanceRequest, HandshakeRequest, HandshakeResponse, JobEvent, PullRequest,
    PushRequest, ReloadDaemonRequest, ReloadDaemonResponse, ShowDiffRequest, ShowStatusRequest,
    StatusGlance, StatusReport, StopDaemonRequest, StopDaemonResponse, SyncRequest,
};
use prost::Message;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status, async_trait};

use crate::arguments::Cli;
use crate::connect::Socket;
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::interrupts::Interrupts;
use crate::output::Output;
use crate::output::paint::ColorChoice;
use crate::terminal::Terminal;

use cancels::Cancels;
use conflicts::Conflicts;
use doctor::Doctor;
pub(crate) use pty::Pty;
use setups::SetUps;
use versions::Versions;

/// How a job goes: its events, then perhaps the fault that ends it.
pub(crate) type Script = (Vec<JobEvent>, Option<Fault>);

/// Above what any kernel gives out: this daemon has no process of its own.
const NO_PROCESS: u32 = 0x7fff_ffff;

#[derive(Debug, Default)]
struct Answers {
    protocol: Option<u32>,
    state_folder: PathBuf,
    /// The version of the client that started it.
    started_by: Option<String>,
    stop: Notify,
    jobs: HashMap<String, Script>,
    is_killed_at_work: bool,
    connections: Mutex<Vec<UnixStream>>,
    report: StatusReport,
    pushes: Mutex<Vec<PushRequest>>,
    sync: Option<Script>,
    syncs: Mutex<Vec<SyncRequest>>,
    conflicts: Conflicts,
    versions: Versions,
    doctor: Doctor,
    set_ups: Mutex<SetUps>,
    cancels: Cancels,
}

/// Says what the daemon will answer; [`Self::start`] lets it.
#[derive(Debug, Default)]
pub(crate) struct FakeDaemon(Answers);

impl FakeDaemon {
    pub(crate) fn of_protocol(mut self, protocol: u32) -> Self {
        self.0.protocol = Some(protocol);
        self
    }

    /// Its state lies here.
    pub(crate) fn with_state(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.0.state_folder);
        self
    }

    /// Started on demand, by a client of this version.
    pub(crate) fn started_by(mut self, version: &str) -> Self {
        self.0.started_by = Some(version.to_owned());
        self
    }

    /// A project of this name, whose pushes go like this.
    pub(crate) fn pushing(mut self, project: &str, script: Script) -> Self {
        self.0.jobs.insert(project.to_owned(), script);
        self
    }

    /// Every connection breaks off once a push has said all it has to say.
    pub(crate) fn killed_at_work(mut self) -> Self {
        self.0.is_killed_at_work = true;
        self
    }

    pub(crate) fn reporting(mut self, report: StatusReport) -> Self {
        self.0.report = report;
        self
    }

    /// Every sync goes like this.
    pub(crate) fn syncing(mut self, script: Script) -> Self {
        self.0.sync = Some(script);
        self
    }

    pub(crate) fn start(self) -> RunningDaemon {
        let place = tempfile::tempdir().expect("a folder");
        let socket = place.path().join("mirrord.sock");
        let service = self.serve(&socket);
        RunningDaemon { socket, service, presses: Arc::default(), _place: place }
    }

    /// Answers at this socket until it is told to stop.
    pub(crate) fn serve(self, socket: &Path) -> Service {
        // What a daemon that is gone has left there.
        let _ = std::fs::remove_file(socket);
        let listener = UnixListener::bind(socket).expect("bound");
        let service = Service(Arc::new(self.0));
        let (stopped, met) = (service.clone(), service.clone());
        let connections = UnixListenerStream::new(listener)
            .map(move |connection| connection.inspect(|connection| met.meet(connection)));
        let server = Server::builder()
            .add_service(DaemonServiceServer::new(service.clone()))
            .add_service(ProjectServiceServer::new(service.clone()))
            .add_service(StatusServiceServer::new(service.clone()))
            .add_service(SyncServiceServer::new(service.clone()))
            .add_service(ConflictServiceServer::new(service.clone()))
            .add_service(VersionServiceServer::new(service.clone()))
            .add_service(StashServiceServer::new(service.clone()))
            .add_service(DoctorServiceServer::new(service.clone()))
            .add_service(QuestionServiceServer::new(service.clone()))
            .serve_with_incoming_shutdown(connections, async move {
                stopped.0.stop.notified().await;
            });
        tokio::spawn(server);
        service
    }
}

#[derive(Debug)]
pub(crate) struct RunningDaemon {
    socket: PathBuf,
    service: Service,
    presses: Arc<Notify>,
    _place: TempDir,
}

impl RunningDaemon {
    /// Runs a command as typed, with `--json`.
    pub(crate) async fn runs(&self, line: &str) -> Result<Reported, Failure> {
        run_at(&self.socket, None, &self.presses, line).await
    }

    /// Runs a command as typed at this terminal.
    pub(crate) async fn runs_at(
        &self,
        terminal: Terminal,
        line: &str,
    ) -> Result<Reported, Failure> {
        run_at(&self.socket, Some(terminal), &self.presses, line).await
    }

    pub(crate) fn syncs(&self) -> Vec<SyncRequest> {
        self.service.0.syncs.lock().expect("not poisoned").clone()
    }

    pub(crate) fn pushes(&self) -> Vec<PushRequest> {
        self.service.0.pushes.lock().expect("not poisoned").clone()
    }
}

/// The folders of a login whose home is this.
pub(crate) fn folders_in(home: &Path) -> Folders {
    // Links are followed, as where a temporary folder is reached by one.
    let home = home.canonicalize().expect("there");
    let [config, data, state, cache] =
        ["config", "data", "state", "cache"].map(|name| home.join(name));
    for folder in [&config, &data, &state] {
        DirBuilder::new().mode(0o700).create(folder).expect("made");
    }
    Folders { config, data, state, cache, home }
}

/// Runs a command as typed, with `--json`, against this socket.
pub(crate) async fn run(socket: &Path, line: &str) -> Result<Reported, Failure> {
    run_at(socket, None, &Arc::default(), line).await
}

async fn run_at(
    socket: &Path,
    terminal: Option<Terminal>,
    presses: &Arc<Notify>,
    line: &str,
) -> Result<Reported, Failure> {
    let words = ["mirrorctl", "--json"].into_iter().chain(line.split(' '));
    let cli = <Cli as clap::Parser>::try_parse_from(words).expect("valid arguments");
    let context = Context {
        output: Output::new(cli.command.name(), true, false, ColorChoice::Never),
        project: cli.general.project,
        socket: Socket::Named(socket.to_owned()),
        is_verbose: false,
        interrupts: Interrupts::Played(presses.clone()),
        terminal,
    };
    crate::dispatch::run(&cli.command, &context).await
}

#[derive(Clone, Debug)]
pub(crate) struct Service(Arc<Answers>);

impl Service {
    /// Keeps another handle on the connection, to break it off by.
    fn meet(&self, connection: &tokio::net::UnixStream) {
        let handle = connection.as_fd().try_clone_to_owned().expect("duplicated");
        self.0.connections.lock().expect("not poisoned").push(handle.into());
    }

    /// Says nothing more, and breaks the connections off.
    fn last_breath<T: Send + 'static>(&self) -> impl Stream<Item = T> + Send + use<T> {
        let (unsaid, nothing) = mpsc::channel(1);
        let service = self.clone();
        tokio::spawn(async move {
            // What was said before goes out first.
            tokio::task::yield_now().await;
            service.break_off();
            unsaid.closed().await;
        });
        ReceiverStream::new(nothing)
    }

    fn break_off(&self) {
        for connection in self.0.connections.lock().expect("not poisoned").iter() {
            connection.shutdown(Shutdown::Both).expect("shut down");
        }
    }
}

type Events<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answer<T> = Result<Response<T>, Status>;

fn unasked<T>() -> Answer<T> {
    Err(Status::unimplemented("no test asks for this"))
}

fn status(fault: &Fault) -> Status {
    Status::with_details(Code::Unknown, "a fault", fault.encode_to_vec().into())
}

fn said((events, fault): Script) -> Events<JobEvent> {
    let events = events.into_iter().map(Ok).chain(fault.map(|fault| Err(status(&fault))));
    Box::pin(tokio_stream::iter(events.collect::<Vec<_>>()))
}

#[async_trait]
impl DaemonService for Service {
    async fn handshake(&self, _: Request<HandshakeRequest>) -> Answer<HandshakeResponse> {
        Ok(Response::new(HandshakeResponse {
            protocol: self.0.protocol.unwrap_or(PROTOCOL),
            version: match &self.0.started_by {
                Some(version) => version.clone(),
                None => env!("CARGO_PKG_VERSION").to_owned(),
            },
            pid: NO_PROCESS,
            started_on_demand: self.0.started_by.is_some(),
            state_folder: self.0.state_folder.display().to_string(),
        }))
    }

    async fn describe_daemon(
        &self,
        _: Request<DescribeDaemonRequest>,
    ) -> Answer<DaemonDescription> {
        unasked()
    }

    async fn stop_daemon(&self, _: Request<StopDaemonRequest>) -> Answer<StopDaemonResponse> {
        self.0.stop.notify_one();
        Ok(Response::new(StopDaemonResponse { pid: NO_PROCESS }))
    }

    async fn reload_daemon(&self, _: Request<ReloadDaemonRequest>) -> Answer<ReloadDaemonResponse> {
        Ok(Response::new(ReloadDaemonResponse {}))
    }
}

#[async_trait]
impl StatusService for Service {
    async fn show_status(&self, _: Request<ShowStatusRequest>) -> Answer<StatusReport> {
        Ok(Response::new(self.0.report.clone()))
    }

    async fn show_diff(&self, _: Request<ShowDiffRequest>) -> Answer<DiffReport> {
        unasked()
    }

    async fn glance(&self, _: Request<GlanceRequest>) -> Answer<StatusGlance> {
        unasked()
    }
}

#[async_trait]
impl SyncService for Service {
    type PushStream = Events<JobEvent>;
    type PullStream = Events<JobEvent>;
    type SyncStream = Events<JobEvent>;
    type DeleteStream = Events<JobEvent>;

    async fn push(&self, request: Request<PushRequest>) -> Answer<Events<JobEvent>> {
        let request = request.into_inner();
        let project = request.scope.as_ref().and_then(|scope| scope.project.clone());
        let Some(By::Name(name)) = project.and_then(|project| project.by) else {
            return unasked();
        };
        self.0.pushes.lock().expect("not poisoned").push(request);
        let said = said(self.0.jobs[&name].clone());
        if self.0.is_killed_at_work {
            return Ok(Response::new(Box::pin(said.chain(self.last_breath()))));
        }
        if self.0.cancels.are_waited_for() {
            return Ok(Response::new(Box::pin(said.chain(self.once_cancelled()))));
        }
        Ok(Response::new(said))
    }

    async fn pull(&self, _: Request<PullRequest>) -> Answer<Events<JobEvent>> {
        unasked()
    }

    async fn sync(&self, request: Request<SyncRequest>) -> Answer<Events<JobEvent>> {
        self.0.syncs.lock().expect("not poisoned").push(request.into_inner());
        match self.0.sync.clone() {
            Some(script) => Ok(Response::new(said(script))),
            None => unasked(),
        }
    }

    async fn delete(&self, _: Request<DeleteRequest>) -> Answer<Events<JobEvent>> {
        unasked()
    }

    async fn cancel(&self, request: Request<CancelRequest>) -> Answer<CancelResponse> {
        Ok(Response::new(self.0.cancels.answer(request.into_inner())))
    }
}
