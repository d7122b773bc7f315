//! The modules of one crate, and what a path within them leads to.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;

use crate::tidy::imports::{Import, imports};
use crate::tidy::items::{Item, items};

/// So many re-exports may lie between a name and what it stands for.
const LONGEST_CHAIN: usize = 16;

/// A crate's files by their paths below its root.
pub(super) type Sources = BTreeMap<String, String>;

/// A module's path from the crate's root.
pub(super) type Path = Vec<String>;

pub(super) struct Module {
    pub(super) file: String,
    pub(super) items: Vec<Item>,
    pub(super) imports: Vec<(Import, bool)>,
    names: BTreeSet<String>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Where it is defined.
    pub(super) file: String,
    pub(super) name: String,
}

pub(super) struct Crate {
    /// Its name in paths; `main.rs` names its library by it.
    name: String,
    pub(super) modules: BTreeMap<Path, Module>,
}

impl Crate {
    /// Follows the `mod` lines from the roots that are there.
    pub(super) fn read(name: &str, sources: &Sources) -> Self {
        let mut found = Self { name: name.to_owned(), modules: BTreeMap::new() };
        let has_library = sources.contains_key("lib.rs");
        let roots: [(&str, &[&str]); 3] = [
            ("lib.rs", &[]),
            ("main.rs", if has_library { &["main"] } else { &[] }),
            ("all.rs", &[]),
        ];
        for (root, path) in roots {
            let path = path.iter().map(|segment| (*segment).to_owned()).collect();
            found.add_file(sources, path, root, "");
        }
        assert!(!found.modules.is_empty(), "{name} has no root");
        found
    }

    pub(super) fn files(&self) -> BTreeSet<String> {
        self.modules.values().map(|module| module.file.clone()).collect()
    }

    /// `folder` is where the files of its modules lie.
    fn add_file(&mut self, sources: &Sources, path: Path, file: &str, folder: &str) {
        let Some(text) = sources.get(file) else { return };
        let code = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        self.add(sources, path, (file, folder), code);
    }

    fn add(
        &mut self,
        sources: &Sources,
        path: Path,
        (file, folder): (&str, &str),
        code: TokenStream,
    ) {
        let items = items(code);
        let mut module = Module {
            file: file.to_owned(),
            items: Vec::new(),
            imports: Vec::new(),
            names: BTreeSet::new(),
        };
        for item in items {
            match item.keyword.as_str() {
                "mod" => {
                    let below: Path = path.iter().chain([&item.name]).cloned().collect();
                    let inner = format!("{folder}{}", item.name);
                    if let Some(body) = item.body() {
                        self.add(sources, below, (file, &format!("{inner}/")), body.stream());
                    } else {
                        for file in [format!("{inner}.rs"), format!("{inner}/mod.rs")] {
                            self.add_file(sources, below.clone(), &file, &format!("{inner}/"));
                        }
                    }
                }
                "use" => {
                    let found = imports(&item.tokens);
                    module.imports.extend(found.into_iter().map(|one| (one, item.is_public)));
                }
                "impl" | "" => module.items.push(item),
                _ => {
                    module.names.insert(item.name.clone());
                    module.items.push(item);
                }
            }
        }
        self.modules.insert(path, module);
    }

    /// What a path that is written in a module leads to, re-exports followed,
    /// and what of the path is left there: a method, a variant.
    pub(super) fn resolve<'a>(
        &self,
        module: &[String],
        path: &'a [String],
    ) -> Option<(Place, &'a [String])> {
        self.follow(module, path, LONGEST_CHAIN)
    }

    fn follow<'a>(
        &self,
        module: &[String],
        path: &'a [String],
        left: usize,
    ) -> Option<(Place, &'a [String])> {
        let mut here = module.to_vec();
        let mut rest = path;
        let mut is_rooted = false;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "crate" => here.clear(),
                "super" => drop(here.pop()?),
                "self" if !after.is_empty() => {}
                name if name == self.name && !is_rooted => here.clear(),
                _ => break,
            }
            is_rooted = true;
            rest = after;
        }
        loop {
            let (first, after) = rest.split_first()?;
            let below: Path = here.iter().chain([first]).cloned().collect();
            if !after.is_empty() && self.modules.contains_key(&below) {
                (here, rest) = (below, after);
                continue;
            }
            let module = self.modules.get(&here)?;
            if module.names.contains(first) {
                let place = Place { file: module.file.clone(), name: first.clone() };
                return Some((place, after));
            }
            return self.import(&here, rest, left.checked_sub(1)?);
        }
    }

    /// Looks for the first segment among what a module imports.
    fn import<'a>(
        &self,
        here: &[String],
        path: &'a [String],
        left: usize,
    ) -> Option<(Place, &'a [String])> {
        let (first, after) = path.split_first()?;
        let imports = &self.modules.get(here)?.imports;
        imports.iter().find_map(|(import, _)| {
            let is_glob = import.name == "*";
            if !is_glob && import.name != *first {
                return None;
            }
            let own = if is_glob { path } else { after };
            let whole: Path = import.path.iter().chain(own).cloned().collect();
            // A name of the crate below that has none of ours before it.
            if whole == path && import.path.len() == 1 {
                return None;
            }
            let (place, rest) = self.follow(here, &whole, left)?;
            Some((place, &path[path.len().saturating_sub(rest.len())..]))
        })
    }
}
