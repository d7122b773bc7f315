//! `mirrorctl mcp`: what an agent can ask of mirrord, as tools and resources.
//!
//! Every tool is one call of `mirrorctl --json`: the same request, the same answer, the
//! same refusals as for a person's scripts. A program of its own, so that nothing of the
//! protocol's library is in the client, which starts in milliseconds.

mod arguments;
mod calls;
mod door;
mod resources;
mod results;
mod schemas;
mod server;
mod tools;

use std::process::ExitCode;

use rmcp::{ServiceExt, transport};

use calls::Client;
use door::Door;
use server::Server;

fn main() -> ExitCode {
    let general: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        let served = runtime.block_on(serve(Client::beside_this(general)));
        // A line that nobody will ever send must not keep the process.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("mirrorctl mcp: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Until the other side has nothing more to ask.
async fn serve(client: Client) -> Result<(), String> {
    let door = Door::new(transport::stdio());
    match Server::new(client).serve(door).await {
        Ok(running) => running.waiting().await.map(|_| ()).map_err(|error| error.to_string()),
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
