//! `mirrorctl reload`: the daemon reads its configuration again.

use mirror_proto::v1::ReloadDaemonRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::json;

pub(crate) async fn run(context: &Context) -> Result<Reported, Failure> {
    let daemon = context.daemon().await?;
    daemon.daemon().reload_daemon(ReloadDaemonRequest {}).await?;
    let told = context.output.confirm(json::done, |_| "configuration read\n".to_owned())?;
    Ok(Reported::done(told))
}
