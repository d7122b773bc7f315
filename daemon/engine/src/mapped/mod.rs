//! A working tree of which some folders lie elsewhere on this machine (B15).
//!
//! A path below `memory/<name>/` is one in the folder that is mapped to that name, and
//! in no other place; what lies in the tree's own `memory/` is not seen. A folder
//! counts only while it is the very one that was mapped: before each call, and after
//! each that found something missing. So a folder that was swept, replaced or unmounted
//! is never taken for one whose files were deleted.

#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mirror_core::RelPath;
use mirror_core::patterns::{MEMORY_FOLDER, Mapped, Memories, Side};

use crate::outside::{Pin, Tree, TreeError};

/// A folder that stands for a shared one.
#[derive(Clone)]
pub struct MappedFolder {
    /// Its name on the shared side.
    pub name: String,
    /// Where it lies, with all links followed.
    pub place: PathBuf,
    /// What it was known by when it was mapped ([`identity_of`]).
    pub identity: String,
    pub tree: Arc<dyn Tree>,
}

/// What tells this folder from any other, and from one that is made in its place later;
/// `None` when it is missing, or a link leads to it.
pub fn identity_of(folder: &dyn Tree, root_device: u64) -> io::Result<Option<String>> {
    Ok(folder.pin()?.map(|pin| text_of(pin, root_device)))
}

/// Disks may go by other numbers after a restart, so that one is named only where it is
/// not the root's.
fn text_of(pin: Pin, root_device: u64) -> String {
    let born = pin.born_ns.map(|born| format!("-{born}")).unwrap_or_default();
    let device = match pin.device == root_device {
        true => String::new(),
        false => format!("@{}", pin.device),
    };
    format!("{}{born}{device}", pin.inode)
}

/// A tree with folders of other places in it.
pub struct MappedTree {
    root: Arc<dyn Tree>,
    /// The number of the root's device when it was looked last.
    device: AtomicU64,
    folders: Vec<Folder>,
}

/// A mapped folder, and whether it is there.
struct Folder {
    mapped: MappedFolder,
    prefix: RelPath,
    real: RelPath,
    stands: AtomicBool,
    /// What its tree works on, and refuses to leave.
    held: Mutex<Option<(u64, u64)>>,
}

/// Where a path leads to.
enum Way<'a> {
    Root,
    /// Into a mapped folder.
    Into(&'a Folder, RelPath),
    /// A mapped folder itself, or the one of all of them.
    Top(Option<&'a Folder>),
    /// A memory that no folder stands for, or none that stands still.
    Nowhere,
}

impl MappedTree {
    /// Names that no shared path can have, and places that no path can name, stand for
    /// nothing.
    pub fn new(root: Arc<dyn Tree>, folders: Vec<MappedFolder>) -> Self {
        let folders = folders.into_iter().filter_map(|mapped| {
            let prefix = RelPath::new(&format!("{MEMORY_FOLDER}/{}", mapped.name)).ok()?;
            let real = RelPath::new(mapped.place.to_str()?.strip_prefix('/')?).ok()?;
            let (stands, held) = (AtomicBool::new(false), Mutex::default());
            Some(Folder { mapped, prefix, real, stands, held })
        });
        let tree = Self { root, device: AtomicU64::new(0), folders: folders.collect() };
        if let Ok(Some((device, _))) = tree.root.root_identity() {
            tree.look(device);
        }
        tree
    }

    /// Looks anew which folders are there as they were.
    fn look(&self, device: u64) {
        self.device.store(device, Ordering::Relaxed);
        for folder in &self.folders {
            folder.stands.store(folder.is_there(device), Ordering::Relaxed);
        }
    }

    fn standing(&self) -> impl Iterator<Item = &Folder> {
        self.folders.iter().filter(|folder| folder.stands.load(Ordering::Relaxed))
    }

    fn way(&self, path: &RelPath) -> Way<'_> {
        let named = |name: &str| self.standing().find(|folder| folder.mapped.name == name);
        match Side::of(path) {
            Side::Plain | Side::Never => Way::Root,
            Side::Memories => Way::Top(None),
            Side::Memory { name, rest: None } => {
                named(name).map_or(Way::Nowhere, |folder| Way::Top(Some(folder)))
            }
            Side::Memory { name, rest: Some(rest) } => match (named(name), RelPath::new(rest)) {
                (Some(folder), Ok(rest)) => Way::Into(folder, rest),
                _ => Way::Nowhere,
            },
        }
    }

    /// What may be written at a path.
    fn way_to_write(&self, path: &RelPath) -> Result<Option<(&Folder, RelPath)>, TreeError> {
        match (self.way(path), Side::of(path)) {
            (Way::Root, Side::Plain) => Ok(None),
            (Way::Into(folder, rest), _) => Ok(Some((folder, rest))),
            _ => Err(TreeError::Unmapped(path.clone())),
        }
    }

    /// What a call in a mapped folder answered, if that is still the folder.
    fn checked<T>(
        &self,
        folder: &Folder,
        answer: Result<T, TreeError>,
        path: &RelPath,
    ) -> Result<T, TreeError> {
        if !folder.is_there(self.device.load(Ordering::Relaxed)) {
            folder.stands.store(false, Ordering::Relaxed);
            return Err(TreeError::Unmapped(path.clone()));
        }
        answer.map_err(|error| folder.renamed(error, path))
    }

    fn memories_now(&self) -> Memories {
        let mapped = self.standing().map(|folder| {
            let MappedFolder { name, place, identity, tree } = &folder.mapped;
            let mapped = Mapped {
                identity: identity.clone(),
                real: folder.real.clone(),
                below: self.root.path_of(place),
                agents: tree.agent_folders(),
            };
            (name.clone(), mapped)
        });
        mapped.collect()
    }
}

impl Folder {
    fn is_there(&self, root_device: u64) -> bool {
        let tree = self.mapped.tree.as_ref();
        let Ok(Some(pin)) = tree.pin() else { return false };
        if text_of(pin, root_device) != self.mapped.identity {
            return false;
        }
        let place = (pin.device, pin.inode);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if *held != Some(place) {
            // From here on its tree works on this folder alone. It may have been
            // replaced since the look.
            *held = tree.root_identity().ok().flatten().filter(|now| *now == place);
        }
        held.is_some()
    }

    fn shared(&self, rest: &RelPath) -> Option<RelPath> {
        self.prefix.join(rest.as_str()).ok()
    }

    /// An error of the folder's own tree, in words of the whole one: its root is a
    /// folder as any, and a project's is there all the same.
    fn renamed(&self, error: TreeError, path: &RelPath) -> TreeError {
        let named = |rest: &RelPath| self.shared(rest).unwrap_or_else(|| path.clone());
        match error {
            TreeError::RootMissing => TreeError::Unmapped(path.clone()),
            TreeError::RootFailed(cause) => TreeError::Failed { path: path.clone(), cause },
            TreeError::Obstructed(rest) => TreeError::Obstructed(named(&rest)),
            TreeError::IsFolder(rest) => TreeError::IsFolder(named(&rest)),
            TreeError::LinkRefused(rest) => TreeError::LinkRefused(named(&rest)),
            TreeError::OurOwn(rest) => TreeError::OurOwn(named(&rest)),
            TreeError::OfAgent(rest) => TreeError::OfAgent(named(&rest)),
            TreeError::Unmapped(rest) => TreeError::Unmapped(named(&rest)),
            TreeError::Full => TreeError::Full,
            TreeError::Forbidden(rest) => TreeError::Forbidden(named(&rest)),
            TreeError::NameRefused(rest) => TreeError::NameRefused(named(&rest)),
            TreeError::Failed { path: rest, cause } => {
                TreeError::Failed { path: named(&rest), cause }
            }
        }
    }
}

impl fmt::Debug for MappedTree {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            self.folders.iter().map(|folder| folder.mapped.name.as_str()).collect();
        write!(out, "MappedTree({})", names.join(", "))
    }
}

impl fmt::Debug for MappedFolder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at {}", self.name, self.place.display())
    }
}
