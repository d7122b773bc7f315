//! A working tree that can be read and nothing else.

use std::io;
use std::path::Path;
use std::sync::Arc;

use mirror_core::patterns::{AgentFolder, Memories};
use mirror_core::{RelPath, State};

use crate::outside::tree::Opened;
use crate::outside::{
    Expected, Found, Manner, MountPoint, Put, Staged, Stamp, Taken, Tree, TreeError, TreeTraits,
};

pub(crate) struct ReadTree(pub(crate) Arc<dyn Tree>);

type Rescue<'a> = &'a mut dyn FnMut(&mut dyn io::Read) -> io::Result<()>;

fn refused(path: &RelPath) -> TreeError {
    let cause = io::Error::new(io::ErrorKind::PermissionDenied, "a reader writes nothing here");
    TreeError::Failed { path: path.clone(), cause }
}

impl Tree for ReadTree {
    fn root_identity(&self) -> io::Result<Option<(u64, u64)>> {
        self.0.root_identity()
    }

    fn traits(&self) -> TreeTraits {
        self.0.traits()
    }

    fn mounts(&self, wanted: &dyn Fn(&RelPath) -> bool) -> Vec<MountPoint> {
        self.0.mounts(wanted)
    }

    fn list(&self, folder: Option<&RelPath>) -> Result<Vec<Found>, TreeError> {
        self.0.list(folder)
    }

    fn stamp(&self, path: &RelPath) -> Result<Option<Stamp>, TreeError> {
        self.0.stamp(path)
    }

    fn open(&self, path: &RelPath) -> Result<Option<Opened>, TreeError> {
        self.0.open(path)
    }

    fn own_places(&self) -> Vec<RelPath> {
        self.0.own_places()
    }

    fn agent_folders(&self) -> Vec<AgentFolder> {
        self.0.agent_folders()
    }

    fn memories(&self) -> Option<Memories> {
        self.0.memories()
    }

    fn is_own(&self, folder: &RelPath) -> bool {
        self.0.is_own(folder)
    }

    fn path_of(&self, absolute: &Path) -> Option<RelPath> {
        self.0.path_of(absolute)
    }

    fn stage(
        &self,
        path: &RelPath,
        _manner: Manner,
        _temp_name: &str,
        _content: &mut dyn io::Read,
    ) -> Result<Staged, TreeError> {
        Err(refused(path))
    }

    fn put(&self, staged: &Staged, _expected: Expected, _: Rescue<'_>) -> Result<Put, TreeError> {
        Err(refused(&staged.path))
    }

    fn take(
        &self,
        path: &RelPath,
        _expected: State,
        _temp_name: &str,
        _rescued: Rescue<'_>,
    ) -> Result<Taken, TreeError> {
        Err(refused(path))
    }

    fn restore_temp(&self, path: &RelPath, _temp_name: &str) -> Result<bool, TreeError> {
        Err(refused(path))
    }

    fn look_at_temp(&self, path: &RelPath, temp_name: &str) -> Result<Option<State>, TreeError> {
        self.0.look_at_temp(path, temp_name)
    }

    fn open_temp(
        &self,
        path: &RelPath,
        temp_name: &str,
    ) -> Result<Option<Box<dyn io::Read + Send>>, TreeError> {
        self.0.open_temp(path, temp_name)
    }

    fn remove_temp(&self, path: &RelPath, _temp_name: &str) -> Result<(), TreeError> {
        Err(refused(path))
    }

    fn flush(&self, path: &RelPath) -> Result<(), TreeError> {
        Err(refused(path))
    }
}
