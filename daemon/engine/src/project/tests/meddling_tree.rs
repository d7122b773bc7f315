//! A real working tree on which a program acts just before each step.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use mirror_core::patterns::AgentFolder;
use mirror_core::{RelPath, State};

use super::power::Power;
use crate::outside::tree::{Opened, spare_of};
use crate::outside::{
    Expected, Found, Manner, MountPoint, Put, Staged, Stamp, Taken, Tree, TreeError, TreeTraits,
};
use crate::real::LocalTree;

/// What is about to happen to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Open,
    Put,
    Take,
}

type Program = Box<dyn FnMut(Step, &RelPath) + Send>;

pub(super) struct MeddlingTree {
    inner: LocalTree,
    power: Arc<Power>,
    program: Mutex<Option<Program>>,
    root: PathBuf,
    failing: Mutex<Option<&'static str>>,
    closed: Mutex<Option<&'static str>>,
    /// Seen in the system's table beside what is really there.
    mounted: Mutex<Vec<MountPoint>>,
    /// Added to the number of the device.
    device: AtomicU64,
    lists: AtomicU64,
    fails_to_flush: AtomicBool,
    cuts_between_renames: AtomicBool,
}

impl MeddlingTree {
    pub(super) fn new(root: PathBuf, power: Arc<Power>) -> Self {
        let (program, failing, closed) = (Mutex::new(None), Mutex::new(None), Mutex::new(None));
        Self {
            inner: LocalTree::open(root.clone()),
            power,
            program,
            root,
            failing,
            closed,
            mounted: Mutex::default(),
            device: AtomicU64::new(0),
            lists: AtomicU64::new(0),
            fails_to_flush: AtomicBool::new(false),
            cuts_between_renames: AtomicBool::new(false),
        }
    }

    /// Lets `program` act before each step from here on.
    pub(super) fn haunt(&self, program: impl FnMut(Step, &RelPath) + Send + 'static) {
        *self.program.lock().unwrap() = Some(Box::new(program));
    }

    /// Lets the next removal meet an edit, and fail once it has moved it out.
    pub(super) fn fail_after_moving_out(&self, edit: &'static str) {
        *self.failing.lock().unwrap() = Some(edit);
    }

    /// Ends the power at the next file that takes another's place, between the
    /// renames of a file system that can't exchange two names.
    pub(super) fn cut_between_renames(&self) {
        self.cuts_between_renames.store(true, Ordering::SeqCst);
    }

    /// Lets nobody list this folder any more.
    pub(super) fn close(&self, folder: &'static str) {
        *self.closed.lock().unwrap() = Some(folder);
    }

    /// Another disk is mounted at the root, or the first one again for 0.
    pub(super) fn is_on_device(&self, number: u64) {
        self.device.store(number, Ordering::SeqCst);
    }

    /// A disk is mounted in a folder, in the place of what was there.
    pub(super) fn mounts_disk(&self, folder: &str, identity: &str) {
        let (path, identity) = (RelPath::new(folder).unwrap(), identity.to_owned());
        let disk = MountPoint { path, identity, is_file: false, is_shared: false, answers: true };
        *self.mounted.lock().unwrap() = vec![disk];
    }

    /// How many folders were listed.
    pub(super) fn lists(&self) -> u64 {
        self.lists.load(Ordering::SeqCst)
    }

    pub(super) fn fails_to_flush(&self, fails: bool) {
        self.fails_to_flush.store(fails, Ordering::SeqCst);
    }

    fn act(&self, step: Step, path: &RelPath) {
        // Taken out meanwhile, so that a program that panics does so once.
        let program = self.program.lock().unwrap().take();
        if let Some(mut program) = program {
            program(step, path);
            self.program.lock().unwrap().get_or_insert(program);
        }
    }

    fn power(&self, path: &RelPath) -> Result<(), TreeError> {
        let cause = || io::Error::other("there is no power");
        let failed = || TreeError::Failed { path: path.clone(), cause: cause() };
        if self.power.lasts() { Ok(()) } else { Err(failed()) }
    }
}

impl Tree for MeddlingTree {
    fn mounts(&self, wanted: &dyn Fn(&RelPath) -> bool) -> Vec<MountPoint> {
        let mut mounts = self.inner.mounts(wanted);
        mounts.extend(self.mounted.lock().unwrap().clone());
        mounts
    }

    fn is_git_at_work(&self, folder: Option<&RelPath>) -> bool {
        self.inner.is_git_at_work(folder)
    }

    fn root_identity(&self) -> io::Result<Option<(u64, u64)>> {
        let identity = self.inner.root_identity()?;
        Ok(identity.map(|(device, inode)| (device + self.device.load(Ordering::SeqCst), inode)))
    }

    fn traits(&self) -> TreeTraits {
        self.inner.traits()
    }

    fn list(&self, folder: Option<&RelPath>) -> Result<Vec<Found>, TreeError> {
        self.lists.fetch_add(1, Ordering::SeqCst);
        match folder.filter(|folder| *self.closed.lock().unwrap() == Some(folder.as_str())) {
            Some(closed) => Err(TreeError::Forbidden(closed.clone())),
            None => self.inner.list(folder),
        }
    }

    fn stamp(&self, path: &RelPath) -> Result<Option<Stamp>, TreeError> {
        self.inner.stamp(path)
    }

    fn open(&self, path: &RelPath) -> Result<Option<Opened>, TreeError> {
        self.act(Step::Open, path);
        self.inner.open(path)
    }

    fn own_places(&self) -> Vec<RelPath> {
        self.inner.own_places()
    }

    fn agent_folders(&self) -> Vec<AgentFolder> {
        self.inner.agent_folders()
    }

    fn is_own(&self, folder: &RelPath) -> bool {
        self.inner.is_own(folder)
    }

    fn path_of(&self, absolute: &Path) -> Option<RelPath> {
        self.inner.path_of(absolute)
    }

    fn stage(
        &self,
        path: &RelPath,
        manner: Manner,
        temp_name: &str,
        content: &mut dyn io::Read,
    ) -> Result<Staged, TreeError> {
        self.power(path)?;
        self.inner.stage(path, manner, temp_name, content)
    }

    fn put(
        &self,
        staged: &Staged,
        expected: Expected,
        rescued: &mut dyn FnMut(&mut dyn io::Read) -> io::Result<()>,
    ) -> Result<Put, TreeError> {
        self.act(Step::Put, &staged.path);
        self.power(&staged.path)?;
        if self.cuts_between_renames.swap(false, Ordering::SeqCst) {
            let file = self.root.join(staged.path.as_str());
            let temp = file.with_file_name(&staged.temp_name);
            std::fs::rename(&temp, file.with_file_name(spare_of(&staged.temp_name))).unwrap();
            std::fs::rename(&file, &temp).unwrap();
            self.power.ends_after(0);
            self.power(&staged.path)?;
        }
        self.inner.put(staged, expected, rescued)
    }

    fn take(
        &self,
        path: &RelPath,
        expected: State,
        temp_name: &str,
        rescued: &mut dyn FnMut(&mut dyn io::Read) -> io::Result<()>,
    ) -> Result<Taken, TreeError> {
        self.act(Step::Take, path);
        self.power(path)?;
        if let Some(edit) = self.failing.lock().unwrap().take() {
            let file = self.root.join(path.as_str());
            std::fs::write(&file, edit).unwrap();
            std::fs::rename(&file, file.with_file_name(temp_name)).unwrap();
            let cause = io::Error::other("the disk fails");
            return Err(TreeError::Failed { path: path.clone(), cause });
        }
        self.inner.take(path, expected, temp_name, rescued)
    }

    fn restore_temp(&self, path: &RelPath, temp_name: &str) -> Result<bool, TreeError> {
        self.power(path)?;
        self.inner.restore_temp(path, temp_name)
    }

    fn look_at_temp(&self, path: &RelPath, temp_name: &str) -> Result<Option<State>, TreeError> {
        self.inner.look_at_temp(path, temp_name)
    }

    fn open_temp(
        &self,
        path: &RelPath,
        temp_name: &str,
    ) -> Result<Option<Box<dyn io::Read + Send>>, TreeError> {
        self.inner.open_temp(path, temp_name)
    }

    fn remove_temp(&self, path: &RelPath, temp_name: &str) -> Result<(), TreeError> {
        self.power(path)?;
        self.inner.remove_temp(path, temp_name)
    }

    fn flush(&self, path: &RelPath) -> Result<(), TreeError> {
        match self.fails_to_flush.load(Ordering::SeqCst) {
            true => {
                Err(TreeError::Failed { path: path.clone(), cause: io::ErrorKind::Other.into() })
            }
            false => self.inner.flush(path),
        }
    }
}
