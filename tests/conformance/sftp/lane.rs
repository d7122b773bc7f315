//! A client that reaches a server over a line of its own, and how that line is
//! disturbed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mirror_storage::adapter::sftp::SftpConnection;

use super::in_time;
use crate::support::proxy::{Cut, Ending, Proxy, Way};
use crate::support::servers::sftp::SftpServer;

/// One connection through one proxy.
pub(super) struct Lane {
    pub(super) server: &'static SftpServer,
    pub(super) proxy: Proxy,
    pub(super) connection: Arc<SftpConnection>,
    /// Whether a cut was planned for the story that is told.
    is_disturbed: AtomicBool,
    cuts: AtomicUsize,
}

impl Lane {
    pub(super) async fn to(server: &'static SftpServer) -> Self {
        let proxy = Proxy::to(server.port());
        let mut account = server.account();
        account.port = Some(proxy.port());
        let connection = Arc::new(SftpConnection::new(account));
        in_time(connection.greet()).await.expect("nothing disturbs it yet");
        Self {
            server,
            proxy,
            connection,
            is_disturbed: AtomicBool::default(),
            cuts: AtomicUsize::default(),
        }
    }

    /// How many bytes have arrived, whichever way.
    pub(super) fn carried(&self) -> u64 {
        self.proxy.carried(Way::Up) + self.proxy.carried(Way::Down)
    }

    pub(super) fn suffers(&self, disturbance: &Disturbance) {
        let Disturbance { after, ending, lasts, .. } = *disturbance;
        self.is_disturbed.store(true, Ordering::Relaxed);
        self.proxy.cuts_after(Cut { after, way: None, ending, lasts });
        // Shown where the test fails.
        println!("{disturbance:?}");
    }

    /// What was meant for the last story does not reach into the next: one can
    /// be some bytes shorter than the one that was measured.
    pub(super) fn calms_down(&self) {
        if self.is_disturbed.swap(false, Ordering::Relaxed) && self.proxy.was_cut() {
            self.cuts.fetch_add(1, Ordering::Relaxed);
        }
        self.proxy.plug_in();
    }
}

/// Nearly every disturbance came while its story was told.
pub(super) fn were_cut(lanes: &[Lane], count: usize) {
    let cuts: usize = lanes.iter().map(|lane| lane.cuts.load(Ordering::Relaxed)).sum();
    assert!(cuts * 10 >= count * 9, "only {cuts} of {count} stories were cut");
}

/// How one story is disturbed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disturbance {
    pub(super) after: u64,
    pub(super) ending: Ending,
    pub(super) lasts: bool,
    /// Whether calls are tried again below the engine.
    pub(super) is_layered: bool,
}

/// Cuts at that many places of a story of that many bytes, of every sort.
pub(super) fn disturbances(count: usize, len: u64) -> Vec<Disturbance> {
    let count = u64::try_from(count).expect("a number");
    let one = |number: u64| Disturbance {
        after: 1 + len * number / count,
        ending: if number % 4 < 2 { Ending::Close } else { Ending::Reset },
        lasts: number.is_multiple_of(3),
        is_layered: number % 8 < 4,
    };
    (0..count).map(one).collect()
}
