//! What the types of a crate have: methods, wherever their `impl` blocks lie,
//! and fields.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenTree};

use super::modules::{Crate, Path, Place};
use crate::tidy::items::{Item, group, is_mark, is_word, items, path};

/// Wrappers through which methods are called as if they weren't there.
const SEEN_THROUGH: [&str; 3] = ["Arc", "Box", "Rc"];

#[derive(Default)]
pub(super) struct Types {
    /// By type and name, the files that define it.
    methods: BTreeMap<Place, BTreeMap<String, BTreeSet<String>>>,
    fields: BTreeMap<Place, BTreeMap<String, Option<Place>>>,
    /// What traits declare: who calls such a method can't be told by its name.
    declared: BTreeSet<String>,
}

impl Types {
    pub(super) fn of(all: &Crate) -> Self {
        let mut found = Self::default();
        for (module, content) in &all.modules {
            for item in &content.items {
                match item.keyword.as_str() {
                    "impl" => found.add_block(all, module, &content.file, item),
                    "struct" => found.add_fields(all, module, &content.file, item),
                    "trait" => found.declared.extend(functions(item).map(|item| item.name)),
                    _ => {}
                }
            }
        }
        found
    }

    fn add_block(&mut self, all: &Crate, module: &Path, file: &str, block: &Item) {
        let Block { is_inherent: true, self_type: Some(place) } = Block::of(all, module, block)
        else {
            return;
        };
        let methods = self.methods.entry(place).or_default();
        for function in functions(block) {
            methods.entry(function.name).or_default().insert(file.to_owned());
        }
    }

    fn add_fields(&mut self, all: &Crate, module: &Path, file: &str, item: &Item) {
        let fields = item.body().map(|body| body.stream().into_iter().collect::<Vec<_>>());
        let place = Place { file: file.to_owned(), name: item.name.clone() };
        self.fields.insert(place, typed(all, module, &fields.unwrap_or_default()));
    }

    /// The files that define this method of this type.
    pub(super) fn method(&self, place: &Place, name: &str) -> Vec<&String> {
        let methods = self.methods.get(place).and_then(|methods| methods.get(name));
        methods.into_iter().flatten().collect()
    }

    /// The type that a variable of this name has by our habit.
    pub(super) fn named_like(&self, variable: &str) -> Option<&Place> {
        let is_alike = |place: &&Place| {
            let words = variable.split('_').map(|word| word.chars());
            let letters = words.flat_map(|mut word| {
                word.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(word)
            });
            letters.eq(place.name.chars())
        };
        let mut alike = self.methods.keys().filter(is_alike);
        alike.next().filter(|_| alike.next().is_none())
    }

    /// What a field holds: `None` where the type has none of this name.
    pub(super) fn field(&self, place: &Place, name: &str) -> Option<&Option<Place>> {
        self.fields.get(place)?.get(name)
    }

    /// The type that alone has a method of this name, if its blocks are spread
    /// over files.
    pub(super) fn only_one_with(&self, name: &str) -> Option<&Place> {
        let mut with = self.methods.iter().filter(|(_, methods)| methods.contains_key(name));
        let (place, methods) = with.next().filter(|_| !self.declared.contains(name))?;
        let files: BTreeSet<&String> = methods.values().flatten().collect();
        (with.next().is_none() && files.len() > 1).then_some(place)
    }
}

/// What an `impl` is of.
pub(super) struct Block {
    is_inherent: bool,
    pub(super) self_type: Option<Place>,
}

impl Block {
    pub(super) fn of(all: &Crate, module: &Path, item: &Item) -> Self {
        let head = &item.tokens[generics(&item.tokens)..];
        let for_it =
            head.windows(2).position(|pair| is_word(&pair[0], "for") && !is_mark(&pair[1], '<'));
        let self_type = head_of_type(all, module, &head[for_it.map_or(0, |at| at + 1)..]);
        Self { is_inherent: for_it.is_none(), self_type }
    }
}

fn functions(block: &Item) -> impl Iterator<Item = Item> + use<> {
    let body = block.body().map(|body| items(body.stream())).unwrap_or_default();
    body.into_iter().filter(|item| item.keyword == "fn")
}

/// How many tokens in angle brackets stand in front.
pub(super) fn generics(tokens: &[TokenTree]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        let is_arrow = at > 0 && is_mark(&tokens[at - 1], '-');
        if is_mark(token, '<') {
            depth += 1;
        } else if is_mark(token, '>') && !is_arrow {
            depth -= 1;
        }
        if depth == 0 {
            return if is_mark(token, '>') { at + 1 } else { 0 };
        }
    }
    0
}

/// The names that parameters or fields give to types: `name: Type`.
pub(super) fn typed(
    all: &Crate,
    module: &Path,
    tokens: &[TokenTree],
) -> BTreeMap<String, Option<Place>> {
    let mut found = BTreeMap::new();
    for at in 1..tokens.len() {
        let is_colon = |at: usize| tokens.get(at).is_some_and(|token| is_mark(token, ':'));
        if !is_colon(at) || is_colon(at - 1) || is_colon(at + 1) {
            continue;
        }
        if let TokenTree::Ident(name) = &tokens[at - 1] {
            found.insert(name.to_string(), head_of_type(all, module, &tokens[at + 1..]));
        }
    }
    found
}

/// The parameters of a function.
pub(super) fn parameters(
    all: &Crate,
    module: &Path,
    function: &Item,
) -> BTreeMap<String, Option<Place>> {
    let start = 1 + generics(function.tokens.get(1..).unwrap_or_default());
    let list = function.tokens.get(start).and_then(group);
    let list = list.filter(|group| group.delimiter() == Delimiter::Parenthesis);
    let tokens = list.map(|group| group.stream().into_iter().collect::<Vec<_>>());
    typed(all, module, &tokens.unwrap_or_default())
}

/// The type whose methods a value of a written type has, if it is of this crate.
fn head_of_type(all: &Crate, module: &Path, mut tokens: &[TokenTree]) -> Option<Place> {
    loop {
        let first = tokens.first()?;
        let is_lifetime = is_mark(first, '\'');
        let words = ["mut", "dyn", "const", "impl"];
        if is_lifetime {
            tokens = tokens.get(2..)?;
        } else if is_mark(first, '&') || words.iter().any(|word| is_word(first, word)) {
            tokens = &tokens[1..];
        } else {
            let (segments, length) = path(tokens);
            if !segments.last().is_some_and(|last| SEEN_THROUGH.contains(&last.as_str())) {
                return all.resolve(module, &segments).map(|(place, _)| place);
            }
            tokens = tokens.get(length + 1..)?;
        }
    }
}
