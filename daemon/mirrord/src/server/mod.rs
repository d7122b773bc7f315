//! The daemon's side of `mirror.v1`: one file a service, in a folder by what it does.
//!
//! Services translate and pass on. What is decided about projects is decided in
//! `projects`, what is decided about files in the engine.

mod agents;
mod asked;
mod convert;
mod host;
mod in_time;
mod job;
mod kept;
mod listen;
mod machine;
mod pieces;
mod query;
mod setup;

use std::time::Duration;

use mirror_proto::v1::agent_service_server::AgentServiceServer;
use mirror_proto::v1::config_service_server::ConfigServiceServer;
use mirror_proto::v1::conflict_service_server::ConflictServiceServer;
use mirror_proto::v1::daemon_service_server::DaemonServiceServer;
use mirror_proto::v1::doctor_service_server::DoctorServiceServer;
use mirror_proto::v1::held_service_server::HeldServiceServer;
use mirror_proto::v1::history_service_server::HistoryServiceServer;
use mirror_proto::v1::inbox_service_server::InboxServiceServer;
use mirror_proto::v1::memory_service_server::MemoryServiceServer;
use mirror_proto::v1::project_service_server::ProjectServiceServer;
use mirror_proto::v1::question_service_server::QuestionServiceServer;
use mirror_proto::v1::queue_service_server::QueueServiceServer;
use mirror_proto::v1::stash_service_server::StashServiceServer;
use mirror_proto::v1::status_service_server::StatusServiceServer;
use mirror_proto::v1::sync_service_server::SyncServiceServer;
use mirror_proto::v1::version_service_server::VersionServiceServer;
use mirror_proto::v1::watch_service_server::WatchServiceServer;
use tonic::transport::Server;

pub(crate) use host::Host;
pub(crate) use listen::{Endpoint, ListenError};

/// How long running steps may take to their end.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Serves until the daemon is told to stop and running steps are done.
pub(crate) async fn serve(endpoint: &Endpoint, host: Host) -> Result<(), tonic::transport::Error> {
    let mut stopping = host.registry.stopping();
    let told = async move { drop(stopping.wait_for(|stopping| *stopping).await) };
    let mut late = host.registry.stopping();
    let conflict_service = ConflictServiceServer::new(host.clone())
        .max_decoding_message_size(job::conflicts::LARGEST_REQUEST);
    let clients = Server::builder()
        .add_service(DaemonServiceServer::new(host.clone()))
        .add_service(ProjectServiceServer::new(host.clone()))
        .add_service(QuestionServiceServer::new(host.clone()))
        .add_service(ConfigServiceServer::new(host.clone()))
        .add_service(DoctorServiceServer::new(host.clone()))
        .add_service(SyncServiceServer::new(host.clone()))
        .add_service(conflict_service)
        .add_service(HeldServiceServer::new(host.clone()))
        .add_service(MemoryServiceServer::new(host.clone()))
        .add_service(StatusServiceServer::new(host.clone()))
        .add_service(HistoryServiceServer::new(host.clone()))
        .add_service(VersionServiceServer::new(host.clone()))
        .add_service(InboxServiceServer::new(host.clone()))
        .add_service(WatchServiceServer::new(host.clone()))
        .add_service(AgentServiceServer::new(host.clone()))
        .add_service(StashServiceServer::new(host.clone()))
        .add_service(QueueServiceServer::new(host.clone()))
        .serve_with_incoming_shutdown(endpoint.connections(), told);
    let ending = async {
        drop(late.wait_for(|stopping| *stopping).await);
        // A step that hangs, or a client that never hangs up, must not keep us.
        let closing = async {
            host.cancel_to_stop().await;
            host.registry.close().await;
        };
        let closed = tokio::time::timeout(STOP_PATIENCE, closing).await;
        if closed.is_err() {
            tracing::warn!("a running step was cut off; it is settled at the next start");
        }
    };
    let serving = async {
        tokio::select! {
            served = clients => served,
            () = async {
                drop(host.registry.stopping().wait_for(|stopping| *stopping).await);
                tokio::time::sleep(STOP_PATIENCE).await;
            } => Ok(()),
        }
    };
    let (served, ()) = tokio::join!(serving, ending);
    served
}
