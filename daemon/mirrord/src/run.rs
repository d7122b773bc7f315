//! The daemon's life, from its folders to its last closed project.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mirror_proto::socket;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{DaemonSettings, Environment, Problem};
use crate::facts::{Facts, VERSION};
use crate::folders::Folders;
use crate::projects::{Registry, Start};
use crate::server::{self, Endpoint, Host, ListenError};
use crate::symlinks::Symlinks;
use crate::{logging, machine, wire};

/// Why the daemon didn't run, or didn't end as told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Config(#[from] Problem),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("{doing}")]
    System {
        doing: &'static str,
        #[source]
        cause: io::Error,
    },
    #[error("the server ended")]
    Server(#[from] tonic::transport::Error),
}

impl RunError {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 2,
            Self::Listen(ListenError::SecondDaemon(_)) => 3,
            Self::Listen(_) | Self::System { .. } | Self::Server(_) => 1,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Config(problem) => problem.fix.clone(),
            Self::Listen(error) => error.hint().map(str::to_owned),
            Self::System { .. } | Self::Server(_) => None,
        }
    }
}

fn while_doing(doing: &'static str) -> impl FnOnce(io::Error) -> RunError {
    move |cause| RunError::System { doing, cause }
}

/// How long threads may take to drop what they had.
const LAST_MOMENT: Duration = Duration::from_millis(200);

/// Runs until a signal or a client ends it.
pub(crate) fn run(on_demand: bool) -> Result<(), RunError> {
    let folders =
        Folders::from_environment().map_err(while_doing("no place for the daemon's folders"))?;
    folders.prepare().map_err(while_doing("the daemon's folders can't be made"))?;
    let environment = Environment::of_process();
    let settings = DaemonSettings::open(&folders.daemon_file(), &environment)?;
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_name("mirrord")
        .build()
        .map_err(while_doing("no threads could be started"))?;
    let served = runtime.block_on(async {
        // Before the log and the id: a second daemon must touch neither.
        let endpoint = bind()?;
        let log = logging::start(&folders, settings.log_level, settings.log_max_size_mb)
            .map_err(while_doing("the log file can't be written"))?;
        let machine_id = machine::id_in(&folders.config, &folders.state)
            .map_err(while_doing("the machine's id can't be kept"))?;
        let start = Start {
            folders,
            environment,
            settings,
            machine_id,
            log,
            outside: wire::outside(),
            links: Symlinks::default(),
        };
        live(&endpoint, start, on_demand).await
    });
    // Work that blocks on a dead disk must not keep the process; all else is
    // dropped meanwhile, and with it what it started, as an ssh that waits.
    runtime.shutdown_timeout(LAST_MOMENT);
    served
}

fn bind() -> Result<Endpoint, RunError> {
    let path = socket::path_from_environment().map_err(while_doing("no place for the socket"))?;
    Ok(Endpoint::bind(&path)?)
}

async fn live(endpoint: &Endpoint, start: Start, on_demand: bool) -> Result<(), RunError> {
    let socket = endpoint.path().display().to_string();
    let facts = Facts { started_at: start.outside.clock.now(), socket, on_demand };
    for problem in &start.environment.unknown {
        tracing::warn!(%problem, "a variable changes nothing");
    }
    let registry = Arc::new(Registry::new(start).await?);
    tracing::info!(version = VERSION, socket = facts.socket, on_demand, "the daemon started");
    stop_on_signals(&registry)?;
    tokio::spawn(registry.clone().make_rounds());
    server::serve(endpoint, Host::new(registry, facts)).await?;
    tracing::info!("the daemon stopped");
    Ok(())
}

fn stop_on_signals(registry: &Arc<Registry>) -> Result<(), RunError> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).map_err(while_doing("signals can't be heard"))?;
        let registry = registry.clone();
        tokio::spawn(async move {
            signals.recv().await;
            tracing::info!("a signal asked the daemon to stop");
            registry.stop();
        });
    }
    Ok(())
}
