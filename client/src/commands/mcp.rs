//! `mirrorctl mcp`: hands over to the program that speaks the Model Context Protocol.
//!
//! It calls this client again for each question, so all that holds for it is passed on.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use mirror_proto::v1::FaultClass;

use crate::connect::Socket;
use crate::context::{Context, Reported};
use crate::failure::Failure;

const NAME: &str = "mirrorctl-mcp";

/// Comes back only where there is no such program.
pub(crate) fn run(context: &Context) -> Result<Reported, Failure> {
    if context.output.is_json() {
        return Err(Failure::usage("an MCP server answers its client alone; leave --json out"));
    }
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(NAME));
    let program = beside.filter(|program| program.is_file());
    let mut command = Command::new(program.unwrap_or_else(|| PathBuf::from(NAME)));
    command.args(context.project.iter().map(|project| format!("--project={project}")));
    if let Socket::Named(socket) = &context.socket {
        command.arg("--socket").arg(socket);
    }
    let error = command.exec();
    let message = format!("{NAME} can't be started: {error}");
    Err(Failure::new(FaultClass::NotFound, message).with_hint(
        "install it beside mirrorctl: `sh packaging/install.sh` builds all three programs",
    ))
}
