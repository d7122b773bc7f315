//! The daemon's life, from its folders to its last closed project.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mirror_proto::holder::Phase;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{DaemonSettings, Environment, Problem};
use crate::facts::{Facts, VERSION};
use crate::folders::Folders;
use crate::process::{self, ClaimError, Claims, Told};
use crate::projects::{Registry, Start};
use crate::server::{self, Endpoint, Host, ListenError};
use crate::symlinks::Symlinks;
use crate::{logging, machine, private_file, wire};

/// Why the daemon didn't run, or didn't end as told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Config(#[from] Problem),
    #[error(transparent)]
    Claim(#[from] ClaimError),
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
            Self::Claim(ClaimError::Held { .. }) => 3,
            Self::Claim(ClaimError::Unusable { .. })
            | Self::Listen(_)
            | Self::System { .. }
            | Self::Server(_) => 1,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Config(problem) => problem.fix.clone(),
            Self::Claim(error) => Some(error.hint()),
            Self::Listen(error) => Some(error.hint().to_owned()),
            Self::System { .. } | Self::Server(_) => None,
        }
    }
}

fn while_doing(doing: &'static str) -> impl FnOnce(io::Error) -> RunError {
    move |cause| RunError::System { doing, cause }
}

/// How long threads may take to drop what they had.
const LAST_MOMENT: Duration = Duration::from_millis(200);

/// Between two looks at whether clients still find the way here.
const LOOK: Duration = Duration::from_secs(1);

/// Runs until a signal or a client ends it.
pub(crate) fn run(on_demand: bool) -> Result<(), RunError> {
    // Before anything is looked up: who knows of the user's home may keep a descriptor.
    process::detach(on_demand);
    // A relative MIRRORD_HOME is read before the current folder is left.
    let folders =
        Folders::from_environment().map_err(while_doing("no place for the daemon's folders"))?;
    process::leave_folder();
    let umask = process::umask();
    folders.prepare().map_err(while_doing("the daemon's folders can't be made"))?;
    let environment = Environment::of_process();
    let settings = DaemonSettings::open(&folders.daemon_file(), &environment)?;
    // Before the log and the id: a second daemon must touch neither.
    let claims = Arc::new(Claims::take(&folders)?);
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_name("mirrord")
        .build()
        .map_err(while_doing("no threads could be started"))?;
    let served = runtime.block_on(async {
        let log = logging::start(&folders, settings.log_level, settings.log_max_size_mb)
            .map_err(while_doing("the log file can't be written"))?;
        let endpoint = Endpoint::bind(&folders.state)?;
        for folder in [&folders.config, &folders.project_files()] {
            private_file::sweep(folder);
        }
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
        let facts = Facts {
            started_at: start.outside.clock.now(),
            socket: endpoint.path(),
            umask,
            on_demand,
        };
        live(Arc::new(endpoint), claims.clone(), start, facts).await
    });
    // Work that blocks on a dead disk must not keep the process; all else is
    // dropped meanwhile, and with it what it started, as an ssh that waits.
    runtime.shutdown_timeout(LAST_MOMENT);
    served
}

async fn live(
    endpoint: Arc<Endpoint>,
    claims: Arc<Claims>,
    start: Start,
    facts: Facts,
) -> Result<(), RunError> {
    for problem in &start.environment.unknown {
        tracing::warn!(%problem, "a variable changes nothing");
    }
    let registry = Arc::new(Registry::new(start).await?);
    let socket = endpoint.path().borrow().clone();
    let on_demand = facts.on_demand;
    tracing::info!(version = VERSION, socket = %socket.display(), on_demand, "the daemon started");
    stop_on_signals(&registry)?;
    tokio::spawn(registry.clone().make_rounds());
    tokio::spawn(stay_found(endpoint.clone(), claims, registry.clone(), on_demand));
    server::serve(&endpoint, Host::new(registry, facts)).await?;
    endpoint.close();
    tracing::info!("the daemon stopped");
    Ok(())
}

/// Keeps the way here open until the daemon is to stop, and then says so.
///
/// Where another daemon holds one of its folders meanwhile, this one ends: two
/// would write to the same files.
async fn stay_found(
    endpoint: Arc<Endpoint>,
    claims: Arc<Claims>,
    registry: Arc<Registry>,
    on_demand: bool,
) {
    let mut stopping = registry.stopping();
    let place = endpoint.path();
    claims.tell(|holder| {
        (holder.phase, holder.socket) = (Phase::Serving, Some(place.borrow().clone()));
    });
    process::tell(Told::Ready, on_demand);
    let looks = async {
        loop {
            tokio::time::sleep(LOOK).await;
            let (endpoint, claims) = (endpoint.clone(), claims.clone());
            // The disk of the state may hang, and jobs of other projects go on.
            let look = tokio::task::spawn_blocking(move || look_whether_found(&endpoint, &claims));
            if let Ok(Err(error)) = look.await {
                tracing::error!(%error, "another daemon took its place");
                registry.stop();
            }
        }
    };
    tokio::select! {
        () = looks => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    process::tell(Told::Stopping, on_demand);
    claims.tell(|holder| holder.phase = Phase::Ending);
    endpoint.close();
}

/// An error says that another daemon holds a folder of this one.
fn look_whether_found(endpoint: &Endpoint, claims: &Claims) -> Result<(), ClaimError> {
    match endpoint.keep() {
        Ok(false) => {}
        Ok(true) => {
            let path = endpoint.path().borrow().clone();
            tracing::warn!(socket = %path.display(), "the socket was taken away and is made anew");
            claims.tell(|holder| holder.socket = Some(path));
        }
        Err(error) => tracing::error!(%error, "clients can't reach the daemon"),
    }
    claims.keep()
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
