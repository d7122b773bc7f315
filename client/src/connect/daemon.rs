//! A daemon that answers, and what is known of all of them.

use std::path::PathBuf;
use std::time::Duration;

use mirror_proto::folders::Folders;
use mirror_proto::v1::HandshakeResponse;
use mirror_proto::v1::config_service_client::ConfigServiceClient;
use mirror_proto::v1::conflict_service_client::ConflictServiceClient;
use mirror_proto::v1::daemon_service_client::DaemonServiceClient;
use mirror_proto::v1::doctor_service_client::DoctorServiceClient;
use mirror_proto::v1::held_service_client::HeldServiceClient;
use mirror_proto::v1::history_service_client::HistoryServiceClient;
use mirror_proto::v1::inbox_service_client::InboxServiceClient;
use mirror_proto::v1::memory_service_client::MemoryServiceClient;
use mirror_proto::v1::project_service_client::ProjectServiceClient;
use mirror_proto::v1::question_service_client::QuestionServiceClient;
use mirror_proto::v1::queue_service_client::QueueServiceClient;
use mirror_proto::v1::stash_service_client::StashServiceClient;
use mirror_proto::v1::status_service_client::StatusServiceClient;
use mirror_proto::v1::sync_service_client::SyncServiceClient;
use mirror_proto::v1::version_service_client::VersionServiceClient;
use mirror_proto::v1::watch_service_client::WatchServiceClient;
use tonic::transport::Channel;

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Steps may take 10 s to end, and the process a moment more.
pub(super) const FAREWELL: Duration = Duration::from_secs(15);

/// A daemon looks at its own socket every second, and makes one that is gone anew.
pub(super) const SOCKET_ANEW: Duration = Duration::from_secs(4);

/// Between two looks at something that changes within milliseconds.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// Where the daemon is.
#[derive(Debug)]
pub(crate) enum Socket {
    /// Wherever the holder of these folders listens.
    Usual(Folders),
    /// Where `--socket` says; nothing is ever started for it.
    Named(PathBuf),
}

/// A daemon that answered.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(super) channel: Channel,
    pub(crate) handshake: HandshakeResponse,
    pub(crate) socket: PathBuf,
}

macro_rules! service {
    ($name:ident, $client:ident) => {
        pub(crate) fn $name(&self) -> $client<Channel> {
            // Listings of large projects pass the usual 4 MB.
            $client::new(self.channel.clone()).max_decoding_message_size(usize::MAX)
        }
    };
}

impl Daemon {
    service!(config, ConfigServiceClient);
    service!(conflicts, ConflictServiceClient);
    service!(daemon, DaemonServiceClient);
    service!(doctor, DoctorServiceClient);
    service!(held, HeldServiceClient);
    service!(history, HistoryServiceClient);
    service!(inbox, InboxServiceClient);
    service!(memories, MemoryServiceClient);
    service!(project, ProjectServiceClient);
    service!(question, QuestionServiceClient);
    service!(queue, QueueServiceClient);
    service!(stash, StashServiceClient);
    service!(status, StatusServiceClient);
    service!(sync, SyncServiceClient);
    service!(versions, VersionServiceClient);
    service!(watch, WatchServiceClient);
}
