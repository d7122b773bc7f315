//! `MemoryService`: folders of this machine that stand for shared memories.

use std::path::Path;

use mirror_proto::v1;
use tonic::{Request, Response, Status};

use crate::error::RequestError;
use crate::projects::{MapRequest, Memory, MemoryState};
use crate::server::host::Host;

#[tonic::async_trait]
impl v1::memory_service_server::MemoryService for Host {
    async fn list_memories(
        &self,
        request: Request<v1::ListMemoriesRequest>,
    ) -> Result<Response<v1::ListMemoriesResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("memory list", async move {
            let project = host.name_if_any(request.project).await?;
            let memories = host.registry.memories(project.as_deref()).await?;
            Ok(v1::ListMemoriesResponse { memories: memories.iter().map(memory).collect() })
        })
        .await
    }

    async fn map_memory(
        &self,
        request: Request<v1::MapMemoryRequest>,
    ) -> Result<Response<v1::Memory>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("memory map", async move {
            let project = host.name_if_any(request.project).await?;
            let places = [Some(&request.root), request.folder.as_ref()];
            if places.into_iter().flatten().any(|place| !Path::new(place).is_absolute()) {
                return Err(RequestError::usage("the request names a path that is not absolute"));
            }
            let (root, folder) = (request.root.into(), request.folder.map(Into::into));
            let (name, dir_name) = (request.name, request.dir_name);
            let request = MapRequest { project, root, name, folder, dir_name };
            Ok(memory(&host.registry.map_memory(request).await?))
        })
        .await
    }

    async fn unmap_memory(
        &self,
        request: Request<v1::UnmapMemoryRequest>,
    ) -> Result<Response<v1::UnmapMemoryResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("memory unmap", async move {
            let project = host.name_if_any(request.project).await?;
            let mapped = host.registry.unmap_memory(project.as_deref(), &request.name).await?;
            Ok(v1::UnmapMemoryResponse { folder: mapped.folder.display().to_string() })
        })
        .await
    }
}

fn memory(memory: &Memory) -> v1::Memory {
    let state = match memory.state {
        MemoryState::Mapped => v1::MemoryState::Mapped,
        MemoryState::Unmapped => v1::MemoryState::Unmapped,
        MemoryState::Missing => v1::MemoryState::Missing,
        MemoryState::Replaced => v1::MemoryState::Replaced,
    };
    let mapped = memory.mapped.as_ref();
    v1::Memory {
        name: memory.name.clone(),
        root: mapped.map(|mapped| mapped.root.display().to_string()),
        folder: mapped.map(|mapped| mapped.folder.display().to_string()),
        file_count: memory.files,
        state: state.into(),
    }
}
