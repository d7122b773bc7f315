//! Carries the bytes of one connection, each way.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::line::{Line, Way};

const CHUNK: usize = 64 << 10;

/// Chunks on their way: several MiB, more than loopback brings in 100 ms.
const LONGEST: usize = 256;

/// Carries both ways until both have ended or one has broken.
pub(super) async fn both(client: &mut TcpStream, server: &mut TcpStream, line: &Line) {
    let (client_in, client_out) = client.split();
    let (server_in, server_out) = server.split();
    let up = carry(client_in, server_out, Way::Up, line);
    let down = carry(server_in, client_out, Way::Down, line);
    // Whoever is still there notices that the connection ends.
    let _ = tokio::try_join!(up, down);
}

/// What arrives waits for its time while more arrives: a delay costs no speed.
async fn carry(from: ReadHalf<'_>, to: WriteHalf<'_>, way: Way, line: &Line) -> io::Result<()> {
    let (departures, arrivals) = mpsc::channel(LONGEST);
    tokio::try_join!(send(from, departures, way, line), deliver(to, arrivals, way, line))?;
    Ok(())
}

async fn send(
    mut from: ReadHalf<'_>,
    departures: mpsc::Sender<(Instant, Bytes)>,
    way: Way,
    line: &Line,
) -> io::Result<()> {
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        if from.read_buf(&mut chunk).await? == 0 {
            return Ok(());
        }
        let due = Instant::now() + line.delay(way);
        if departures.send((due, chunk.freeze())).await.is_err() {
            return Ok(());
        }
    }
}

async fn deliver(
    mut to: WriteHalf<'_>,
    mut arrivals: mpsc::Receiver<(Instant, Bytes)>,
    way: Way,
    line: &Line,
) -> io::Result<()> {
    while let Some((due, chunk)) = arrivals.recv().await {
        if due > Instant::now() {
            sleep_until(due).await;
        }
        line.is_passable().await;
        let (arrive, cut) = line.spend(way, chunk.len());
        to.write_all(&chunk[..arrive]).await?;
        line.count(way, arrive);
        if let Some(cut) = cut {
            if cut.lasts {
                line.set_weather(cut.ending.weather());
            }
            line.cut(cut.ending);
            // This connection is cut as well, from outside.
            std::future::pending::<()>().await;
        }
    }
    to.shutdown().await
}
