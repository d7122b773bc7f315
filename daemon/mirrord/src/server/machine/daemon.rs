//! `DaemonService`: speaks of the daemon itself.

use std::collections::BTreeSet;
use std::path::Path;

use mirror_proto::PROTOCOL;
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use crate::backends::PRIMARY;
use crate::facts::VERSION;
use crate::projects::{Open, View};
use crate::server::convert::fault::project_fault;
use crate::server::convert::status::{listed_reason, listed_state};
use crate::server::host::Host;

#[tonic::async_trait]
impl v1::daemon_service_server::DaemonService for Host {
    async fn handshake(
        &self,
        request: Request<v1::HandshakeRequest>,
    ) -> Result<Response<v1::HandshakeResponse>, Status> {
        let client = request.into_inner();
        tracing::debug!(client.protocol, client.version, "a client said hello");
        Ok(Response::new(v1::HandshakeResponse {
            protocol: PROTOCOL,
            version: VERSION.to_owned(),
            pid: std::process::id(),
            started_on_demand: self.facts.on_demand,
            state_folder: self.registry.folders.state.display().to_string(),
        }))
    }

    async fn describe_daemon(
        &self,
        _request: Request<v1::DescribeDaemonRequest>,
    ) -> Result<Response<v1::DaemonDescription>, Status> {
        let registry = &self.registry;
        registry.await_first_round().await;
        let (folders, settings, views) = (&registry.folders, registry.settings(), registry.views());
        let waiting = self.waiting_for_consent(&views).await;
        let shown = |path: &Path| path.display().to_string();
        Ok(Response::new(v1::DaemonDescription {
            pid: std::process::id(),
            version: VERSION.to_owned(),
            protocol: PROTOCOL,
            started_at: self.facts.started_at.to_string(),
            socket: shown(&self.facts.socket.borrow()),
            config_folder: shown(&folders.config),
            state_folder: shown(&folders.state),
            cache_folder: shown(&folders.cache),
            data_folder: shown(&folders.data),
            machine: settings.machine,
            machine_id: registry.machine_id.to_string(),
            user: settings.user,
            rss_bytes: rss_bytes(),
            log_file: shown(&folders.log_file()),
            projects: views
                .iter()
                .map(|view| running_project(view, &waiting, &folders.home))
                .collect(),
            backend_calls: views.iter().filter_map(backend_calls).collect(),
            umask: self.facts.umask,
        }))
    }

    async fn stop_daemon(
        &self,
        _request: Request<v1::StopDaemonRequest>,
    ) -> Result<Response<v1::StopDaemonResponse>, Status> {
        tracing::info!("a client asked the daemon to stop");
        self.registry.stop();
        Ok(Response::new(v1::StopDaemonResponse { pid: std::process::id() }))
    }

    async fn reload_daemon(
        &self,
        _request: Request<v1::ReloadDaemonRequest>,
    ) -> Result<Response<v1::ReloadDaemonResponse>, Status> {
        let registry = self.registry.clone();
        let reload = async move { registry.reload().await };
        self.answer("reload", async { reload.await.map(|()| v1::ReloadDaemonResponse {}) }).await
    }
}

fn running_project(view: &View, waiting: &BTreeSet<String>, home: &Path) -> v1::RunningProject {
    let config = view.config.as_ref();
    let project = view.open.as_ref().map(|open| &open.project);
    let job = match &view.phase {
        mirror_engine::Phase::Busy(verb) => Some((*verb).to_owned()),
        mirror_engine::Phase::Idle | mirror_engine::Phase::Stopped { .. } => None,
    };
    v1::RunningProject {
        name: view.name.clone(),
        root: config.map(|config| config.root.display().to_string()).unwrap_or_default(),
        state: listed_state(view, waiting).into(),
        reason: listed_reason(view, waiting, home),
        job,
        head: project.map_or(0, mirror_engine::Project::head),
        watched: project.is_some_and(mirror_engine::Project::is_watched),
        backend_watched: view.open.as_ref().is_some_and(Open::is_told),
        fault: view.fault.as_ref().map(|fault| project_fault(fault, home)),
    }
}

fn backend_calls(view: &View) -> Option<v1::BackendCalls> {
    let calls = view.open.as_ref()?.counts.so_far();
    Some(v1::BackendCalls {
        name: format!("{}/{PRIMARY}", view.name),
        stat_count: calls.stat,
        list_count: calls.list,
        read_count: calls.read,
        write_count: calls.write,
        remove_count: calls.remove,
    })
}

/// Memory in use; 0 where the system doesn't say.
#[cfg(target_os = "linux")]
fn rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    kilobytes * 1024
}

#[cfg(not(target_os = "linux"))]
fn rss_bytes() -> u64 {
    0
}
