//! A line between clients and a server that can be made long, cut or dead.
//!
//! It forwards TCP on this machine. A delay is that of a long line: bytes that
//! set off together arrive together, however many are on their way. Nothing
//! here knows a protocol.

mod lane;
mod line;
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep_until};

pub(crate) use line::{Cut, Ending, Way};
use line::{Line, Weather};

/// Runs on its own thread, whatever the test does with its own.
pub(crate) struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
    runtime: Option<Runtime>,
}

impl Proxy {
    /// Listens on a free port for those who want that port of this machine.
    pub(crate) fn to(port: u16) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a thread for the proxy");
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that waits for nobody");
        let address = listener.local_addr().expect("its own address");
        let line = Arc::new(Line::new());
        runtime.spawn(accept(listener, port, line.clone()));
        Self { address, line, runtime: Some(runtime) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Makes the line as long as this, each way.
    pub(crate) fn takes(&self, up: Duration, down: Duration) {
        self.line.set_delays(up, down);
    }

    /// Cuts every connection once, when so many bytes more have come through.
    /// Connections made after that are as good as before.
    pub(crate) fn cuts_after(&self, cut: Cut) {
        self.line.set_cut(Some(cut));
    }

    /// Takes a cut back that has not come yet, and tells whether it had.
    pub(crate) fn was_cut(&self) -> bool {
        self.line.set_cut(None).is_none()
    }

    /// Nothing arrives any more, and nobody is told. What was sent arrives
    /// after [`Proxy::plug_in`], as it does when a network comes back in time.
    pub(crate) fn swallows(&self) {
        self.line.set_weather(Weather::Silent);
    }

    /// Resets every connection, and each new one.
    pub(crate) fn unplug(&self) {
        self.line.set_weather(Weather::Down);
        self.line.cut(Ending::Reset);
    }

    pub(crate) fn plug_in(&self) {
        self.line.set_weather(Weather::Fair);
    }

    /// How many bytes have arrived, that way, since the proxy began.
    pub(crate) fn carried(&self, way: Way) -> u64 {
        self.line.carried(way)
    }

    /// How many connections clients have made.
    pub(crate) fn connection_count(&self) -> usize {
        self.line.connection_count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A test that is async itself may not wait for it.
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: std::net::TcpListener, port: u16, line: Arc<Line>) {
    let listener = TcpListener::from_std(listener).expect("a listener of this runtime");
    while let Ok((client, _)) = listener.accept().await {
        line.count_connection();
        tokio::spawn(connect(client, port, line.clone()));
    }
}

async fn connect(client: TcpStream, port: u16, line: Arc<Line>) {
    let mut cuts = line.cuts();
    if line.is_down() {
        return end(Ending::Reset, [client]);
    }
    // A handshake goes up, down and up again before the server has a client.
    let [up, down] = line.delays();
    sleep_until(Instant::now() + up + down + up).await;
    line.is_passable().await;
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return end(Ending::Reset, [client]);
    };
    let (mut client, mut server) = (client, server);
    for side in [&client, &server] {
        // A delay of ours is enough.
        let _ = side.set_nodelay(true);
    }
    let ending = tokio::select! {
        () = lane::both(&mut client, &mut server, &line) => Ending::Close,
        ending = cuts.next() => ending,
    };
    if ending == Ending::Silence {
        // Both sides stay open for as long as the proxy is there.
        std::future::pending::<()>().await;
    }
    end(ending, [client, server]);
}

fn end<const N: usize>(ending: Ending, sides: [TcpStream; N]) {
    for side in sides {
        if ending == Ending::Reset {
            // It may be gone already.
            let _ = side.set_zero_linger();
        }
    }
}
