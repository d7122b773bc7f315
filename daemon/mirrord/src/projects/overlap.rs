//! Refuses projects that would get into each other's files.

use std::path::{Path, PathBuf};

use mirror_storage::FaultClass;

use crate::error::Explained;
use crate::services::Site;

/// What a project takes for itself on this machine. Paths are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) name: String,
    pub(crate) root: PathBuf,
    pub(crate) backend: Site,
    /// Folders of other places that are mapped into it.
    pub(crate) memories: Vec<PathBuf>,
}

/// How a project gets in the way of another one (or of itself).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Overlap {
    #[error("the name {0:?} is taken by another project")]
    NameTaken(String),
    #[error("this folder is already the project {0:?}")]
    SameFolder(String),
    #[error("this folder lies inside the project {0:?}")]
    InsideProject(String),
    #[error("the project {0:?} lies inside this folder")]
    AroundProject(String),
    #[error("the backend's folder lies inside the project {0:?}")]
    BackendInsideProject(String),
    #[error("the project {0:?} lies inside the backend's folder")]
    ProjectInsideBackend(String),
    #[error("the folder lies inside the backend of the project {0:?}")]
    InsideBackendOf(String),
    #[error("the backend of the project {0:?} lies inside this folder")]
    AroundBackendOf(String),
    #[error("this backend is already mirrored here as the project {0:?}")]
    SameBackend(String),
    #[error("the project on this backend is already mirrored here as {0:?}")]
    SameProject(String),
    #[error("the backend's folder and that of the project {0:?} lie inside each other")]
    NestedBackends(String),
    #[error("a mapped folder and what the project {0:?} takes lie inside each other")]
    Memory(String),
    #[error("a project that is being set up takes this name, folder or backend")]
    BeingSetUp,
}

impl Explained for Overlap {
    fn class(&self) -> FaultClass {
        FaultClass::Rejected
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NameTaken(_) => "choose another with --name".into(),
            Self::SameFolder(name) | Self::SameBackend(name) | Self::SameProject(name) => {
                format!("use it as it is, or `mirrorctl remove {name}` first")
            }
            Self::InsideProject(_)
            | Self::AroundProject(_)
            | Self::InsideBackendOf(_)
            | Self::AroundBackendOf(_) => "choose a folder of its own".into(),
            Self::BackendInsideProject(_)
            | Self::ProjectInsideBackend(_)
            | Self::NestedBackends(_) => "choose a backend folder outside all projects".into(),
            Self::Memory(_) => "map a folder outside all other projects and backends".into(),
            Self::BeingSetUp => "run it again once that has ended".into(),
        })
    }
}

/// Says how `claim` gets in the way of itself or of one of `others`, if it does.
pub(crate) fn check<'a>(
    claim: &Claim,
    others: impl IntoIterator<Item = &'a Claim>,
) -> Result<(), Overlap> {
    against_itself(claim)?;
    others.into_iter().try_for_each(|other| against(claim, other))
}

fn against_itself(claim: &Claim) -> Result<(), Overlap> {
    // One that holds the project's own folder would hold the other ones, too.
    let holds_root = |memory: &PathBuf| claim.root.starts_with(memory);
    if claim.memories.iter().any(holds_root) || meets_memories(claim.backend.folder(), claim) {
        return Err(Overlap::Memory(claim.name.clone()));
    }
    let Some(backend) = claim.backend.folder() else { return Ok(()) };
    match nesting(backend, &claim.root) {
        Nesting::Apart => Ok(()),
        Nesting::Same | Nesting::Inside => Err(Overlap::BackendInsideProject(claim.name.clone())),
        Nesting::Around => Err(Overlap::ProjectInsideBackend(claim.name.clone())),
    }
}

fn against(claim: &Claim, other: &Claim) -> Result<(), Overlap> {
    let name = other.name.clone();
    match nesting(&claim.root, &other.root) {
        Nesting::Apart => {}
        Nesting::Same => return Err(Overlap::SameFolder(name)),
        Nesting::Inside => return Err(Overlap::InsideProject(name)),
        Nesting::Around => return Err(Overlap::AroundProject(name)),
    }
    // A clone that has not looked at its backend yet has no name.
    if claim.name == name && !name.is_empty() {
        return Err(Overlap::NameTaken(name));
    }
    if let Some(backend) = claim.backend.folder() {
        match nesting(backend, &other.root) {
            Nesting::Apart => {}
            Nesting::Same | Nesting::Inside => return Err(Overlap::BackendInsideProject(name)),
            Nesting::Around => return Err(Overlap::ProjectInsideBackend(name)),
        }
    }
    if let Some(theirs) = other.backend.folder() {
        match nesting(&claim.root, theirs) {
            Nesting::Apart => {}
            Nesting::Same | Nesting::Inside => return Err(Overlap::InsideBackendOf(name)),
            Nesting::Around => return Err(Overlap::AroundBackendOf(name)),
        }
    }
    let of = |claim: &Claim| {
        let backend = claim.backend.folder().map(Path::to_owned);
        let folders = claim.memories.clone().into_iter().chain(backend);
        folders.chain([claim.root.clone()]).collect::<Vec<_>>()
    };
    let meets = of(claim).iter().any(|folder| meets_memories(Some(folder), other))
        || of(other).iter().any(|folder| meets_memories(Some(folder), claim));
    if meets {
        return Err(Overlap::Memory(name));
    }
    match nesting_of(&claim.backend, &other.backend) {
        Nesting::Apart => Ok(()),
        Nesting::Same => Err(Overlap::SameBackend(name)),
        Nesting::Inside | Nesting::Around => Err(Overlap::NestedBackends(name)),
    }
}

/// Whether a folder and one that is mapped into a project lie inside each other.
fn meets_memories(folder: Option<&Path>, claim: &Claim) -> bool {
    let apart = |memory: &PathBuf, folder| matches!(nesting(memory, folder), Nesting::Apart);
    folder.is_some_and(|folder| claim.memories.iter().any(|memory| !apart(memory, folder)))
}

/// How one folder lies to another.
enum Nesting {
    Apart,
    Same,
    Inside,
    Around,
}

fn nesting_of(one: &Site, other: &Site) -> Nesting {
    match (one, other) {
        (Site::Here(one), Site::Here(other)) => nesting(one, other),
        (Site::Account { account, root }, Site::Account { account: other, root: other_root })
            if account == other =>
        {
            nesting(root, other_root)
        }
        (Site::Here(_) | Site::Account { .. }, _) => Nesting::Apart,
    }
}

fn nesting(one: &Path, other: &Path) -> Nesting {
    match (one.starts_with(other), other.starts_with(one)) {
        (true, true) => Nesting::Same,
        (true, false) => Nesting::Inside,
        (false, true) => Nesting::Around,
        (false, false) => Nesting::Apart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: &str, root: &str, backend: &str) -> Claim {
        let backend = match backend.split_once(' ') {
            Some((account, root)) => Site::Account { account: account.into(), root: root.into() },
            None => Site::Here(backend.into()),
        };
        Claim { name: name.into(), root: root.into(), backend, memories: Vec::new() }
    }

    /// Checks a claim against the project `notes` at `/p/notes` on `/b/notes`.
    #[track_caller]
    fn verdict(name: &str, root: &str, backend: &str) -> Option<String> {
        let notes = claim("notes", "/p/notes", "/b/notes");
        let refused = check(&claim(name, root, backend), [&notes]).err()?;
        Some(refused.to_string())
    }

    #[track_caller]
    fn check_refused(name: &str, root: &str, backend: &str, says: &str) {
        let refused = verdict(name, root, backend).expect("refused");
        assert!(refused.contains(says) && refused.contains("\"notes\""), "{refused}");
    }

    #[test]
    fn projects_apart_are_welcome() {
        assert_eq!(verdict("other", "/p/notes2", "/b/notes2"), None);
    }

    #[test]
    fn name_and_folder_belong_to_one_project() {
        check_refused("notes", "/x", "/y", "name");
        check_refused("notes", "/p/notes", "/y", "already the project");
        check_refused("other", "/p/notes/sub", "/y", "inside the project");
        check_refused("other", "/p", "/y", "inside this folder");
    }

    #[test]
    fn two_that_have_no_name_yet_are_welcome() {
        assert_eq!(check(&claim("", "/x", "/y"), [&claim("", "/p", "/b")]), Ok(()));
    }

    #[test]
    fn backend_and_project_never_lie_in_each_other() {
        check_refused("other", "/x", "/p/notes/backend", "backend's folder lies inside");
        check_refused("other", "/x", "/p", "lies inside the backend's folder");
        check_refused("other", "/b/notes/x", "/y", "inside the backend of");
        check_refused("other", "/b", "/y", "backend of the project");
    }

    #[test]
    fn one_backend_is_one_project() {
        check_refused("other", "/x", "/b/notes", "already mirrored");
        check_refused("other", "/x", "/b/notes/deep", "inside each other");
        check_refused("other", "/x", "/b", "inside each other");
    }

    #[test]
    fn backends_of_one_account_never_lie_in_each_other() {
        let notes = claim("notes", "/p/notes", "ann@nas /srv/notes");
        let verdict = |backend: &str| {
            check(&claim("other", "/p/other", backend), [&notes]).map_err(|error| error.to_string())
        };
        assert!(verdict("ann@nas /srv/notes").unwrap_err().contains("already mirrored"));
        assert!(verdict("ann@nas /srv").unwrap_err().contains("inside each other"));
        assert!(verdict("ann@nas /srv/notes/deep").unwrap_err().contains("inside each other"));
        for apart in ["ann@nas /srv/notes2", "bob@nas /srv/notes", "ann@nas srv/notes", "/srv"] {
            assert_eq!(verdict(apart), Ok(()), "{apart}");
        }
    }

    #[test]
    fn project_does_not_lie_in_its_own_backend() {
        let own = claim("own", "/x", "/x/backend");
        assert_eq!(check(&own, []), Err(Overlap::BackendInsideProject("own".into())));
        let own = claim("own", "/x/files", "/x");
        assert_eq!(check(&own, []), Err(Overlap::ProjectInsideBackend("own".into())));
    }

    #[test]
    fn a_mapped_folder_lies_outside_all_that_others_take() {
        let with = |root: &str, backend: &str, memory: &str| Claim {
            memories: vec![memory.into()],
            ..claim(root, root, backend)
        };
        let notes = with("/p/notes", "/b/notes", "/m/notes");
        assert_eq!(check(&with("/p/other", "/b/other", "/p/other/projects/x"), [&notes]), Ok(()));
        for memory in ["/p/notes", "/p/notes/x", "/p", "/b/notes/x", "/m/notes", "/m", "/m/notes/x"]
        {
            let refused = check(&with("/q", "/c", memory), [&notes]);
            assert_eq!(refused, Err(Overlap::Memory("/p/notes".into())), "{memory}");
        }
        for own in ["/q", "/", "/c/x"] {
            assert!(check(&with("/q", "/c", own), []).is_err(), "{own}");
        }
        let inside = check(&claim("new", "/m/notes/x", "/y"), [&notes]);
        assert_eq!(inside, Err(Overlap::Memory("/p/notes".into())));
    }
}
