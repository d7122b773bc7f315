//! The folders of this machine that a project stands on, made where they are
//! missing: the last component of a path and no more.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use mirror_core::commit::SharedMode;
use mirror_engine::access_of;

use super::error::SetUpError;
use super::plan::{SetUp, SetUpKind};
use super::rollback::Rollback;
use super::sync_clients;
use crate::error::{FolderError, RequestError};
use crate::path_args::resolved;
use crate::services::{Account, BackendUrl, RootError, Site};

/// Makes the last component of both folders where it is missing.
pub(super) fn make_places(
    plan: &SetUp,
    root: &Path,
    shared: &SharedMode,
    rollback: &mut Rollback,
) -> Result<(), RequestError> {
    if let Site::Here(backend) = &plan.url.site() {
        match plan.kind {
            SetUpKind::Init { .. } => make_last(backend, Some(shared), rollback)?,
            SetUpKind::Clone { .. } if !backend.is_dir() => {
                return Err(folder_error(
                    "there is no backend folder",
                    backend,
                    "check the URL, and that its disk is mounted",
                ));
            }
            SetUpKind::Clone { .. } => {}
        }
    }
    make_last(root, None, rollback)?;
    if matches!(plan.kind, SetUpKind::Clone { .. }) {
        let mut entries = fs::read_dir(root).map_err(|cause| unusable(root, cause))?;
        if entries.next().is_some() {
            return Err(SetUpError::NotEmpty(root.to_owned()).into());
        }
        rollback.filled_folder = true;
    }
    Ok(())
}

/// Makes the last component of a backend's root on a server.
pub(super) async fn make_remote_root(
    plan: &SetUp,
    account: Arc<dyn Account>,
    shared: &SharedMode,
    rollback: &mut Rollback,
) -> Result<(), RequestError> {
    if !account.is_remote() {
        return Ok(());
    }
    let made = async {
        match (account.root().await?, plan.kind) {
            (true, _) => Ok(()),
            (false, SetUpKind::Clone { .. }) => Err(RootError::Missing),
            (false, SetUpKind::Init { .. }) => {
                // Before the answer, which may be lost.
                rollback.used = Some(account.clone());
                rollback.made_root = true;
                if let Some(keeper) = account.adapter().keep_attributes() {
                    keeper.set_access(access_of(shared));
                }
                account.make_root().await
            }
        }
    };
    made.await.map_err(|error: RootError| error.at(&plan.url))
}

/// Only one machine may use a folder that another program copies.
pub(super) fn refuse_synced_folder(url: &BackendUrl) -> Result<(), RequestError> {
    let Some(folder) = url.site().folder().map(resolved) else {
        return Ok(());
    };
    match sync_clients::client_of(&folder) {
        None => Ok(()),
        Some(client) => Err(SetUpError::SyncClient { folder, client }.into()),
    }
}

/// The folder of a backend is for those whom the project is shared with; one of the
/// working tree goes by the umask.
fn make_last(
    folder: &Path,
    shared: Option<&SharedMode>,
    rollback: &mut Rollback,
) -> Result<(), RequestError> {
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(folder_error("this is not a folder:", folder, "choose a folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(unusable(folder, cause)),
    }
    let above = folder.parent().unwrap_or(folder);
    if !above.is_dir() {
        return Err(folder_error(
            "there is no folder",
            above,
            "make it, or check the path and that its disk is mounted",
        ));
    }
    let mut builder = DirBuilder::new();
    if shared.is_some() {
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|cause| unusable(folder, cause))?;
    rollback.made_folders.push(folder.to_owned());
    let mode = match shared {
        None | Some(SharedMode::Private | SharedMode::Later(_)) => return Ok(()),
        Some(SharedMode::Group) => 0o2770,
        Some(SharedMode::World) => 0o2775,
    };
    let mode = Permissions::from_mode(mode);
    fs::set_permissions(folder, mode).map_err(|cause| unusable(folder, cause))?;
    Ok(())
}

fn unusable(folder: &Path, cause: io::Error) -> RequestError {
    let error = FolderError {
        what: "this folder can't be used:",
        folder: folder.to_owned(),
        cause: Some(cause),
        hint: "make it readable and writable for yourself",
    };
    error.into()
}

pub(super) fn folder_error(what: &'static str, folder: &Path, hint: &'static str) -> RequestError {
    FolderError { what, folder: folder.to_owned(), cause: None, hint }.into()
}
