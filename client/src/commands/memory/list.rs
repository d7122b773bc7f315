//! `mirrorctl memory list`: every memory, and which folder stands for it here.

use mirror_proto::v1::ListMemoriesRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

pub(crate) async fn run(context: &Context) -> Result<Reported, Failure> {
    let request = ListMemoriesRequest { project: context.named_project()? };
    let daemon = context.daemon().await?;
    let listed = daemon.memories().list_memories(request).await?.into_inner();
    let told = context
        .output
        .tell(|| json::memory::list(&listed), |paint| text::memory::list(&listed, paint))?;
    Ok(Reported::done(told))
}
