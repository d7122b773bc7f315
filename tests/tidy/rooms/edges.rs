//! Finds which file of a crate leans on which other, and by what.
//!
//! A name counts where it is used, as that of the file that defines it: a
//! re-export or a method's `impl` block in another file is no way around. What
//! `mod.rs` only passes on from below itself does not count, nor do tests.

use std::collections::BTreeMap;

use proc_macro2::TokenTree;

use super::modules::{Crate, Path, Place};
use super::types::{Block, Types, parameters};
use crate::tidy::imports::{Import, imports};
use crate::tidy::items::{Item, are_colons, group, is_mark, is_word, items, path, word};

/// What one file names of another, each with the first line that does so.
pub(super) type Names = BTreeMap<String, usize>;

/// By the file that names and the one that is named.
pub(super) type Edges = BTreeMap<(String, String), Names>;

/// Methods that types of other crates have, too: their names tell nothing.
const ANYBODYS: [&str; 8] = ["add", "entry", "find", "finish", "push", "remove", "set", "take"];

pub(super) fn edges(all: &Crate) -> Edges {
    let types = Types::of(all);
    let mut found = Edges::new();
    for (path, module) in &all.modules {
        let mut reader = Reader { all, types: &types, path, file: &module.file, found: &mut found };
        for (import, is_public) in &module.imports {
            reader.import(import, *is_public);
        }
        for item in &module.items {
            reader.item(item, None);
        }
    }
    found
}

/// What is known where a piece of code stands.
#[derive(Default)]
struct Scope {
    self_type: Option<Place>,
    /// The types of parameters, `None` for those of another crate.
    parameters: BTreeMap<String, Option<Place>>,
}

struct Reader<'a> {
    all: &'a Crate,
    types: &'a Types,
    path: &'a Path,
    file: &'a str,
    found: &'a mut Edges,
}

impl Reader<'_> {
    fn lean_on(&mut self, file: &str, name: &str, line: usize) {
        if file != self.file {
            let key = (self.file.to_owned(), file.to_owned());
            let first = self.found.entry(key).or_default().entry(name.to_owned()).or_insert(line);
            *first = line.min(*first);
        }
    }

    /// Passing on what lies below is as little an edge as `mod` is.
    fn import(&mut self, import: &Import, is_public: bool) {
        let Some((place, rest)) = self.all.resolve(self.path, &import.path) else { return };
        let own = self.all.modules.iter().any(|(path, module)| {
            module.file == place.file && path.starts_with(self.path) && path != self.path
        });
        if !(is_public && own) {
            self.lean_on_path(&place, rest, import.line);
        }
    }

    fn lean_on_path(&mut self, place: &Place, rest: &[String], line: usize) {
        self.lean_on(&place.file, &place.name, line);
        let Some(name) = rest.first() else { return };
        for file in self.types.method(place, name) {
            self.lean_on(file, &format!("{}::{name}", place.name), line);
        }
    }

    fn item(&mut self, item: &Item, self_type: Option<&Place>) {
        let mut scope = Scope { self_type: self_type.cloned(), ..Scope::default() };
        match item.keyword.as_str() {
            "impl" | "trait" => {
                let block = Block::of(self.all, self.path, item);
                scope.self_type = block.self_type.filter(|_| item.keyword == "impl");
                let Some((body, head)) = item.tokens.split_last() else { return };
                self.code(head, &scope);
                let body = group(body).map(|body| items(body.stream())).unwrap_or_default();
                for inner in &body {
                    self.item(inner, scope.self_type.as_ref());
                }
            }
            "fn" => {
                scope.parameters = parameters(self.all, self.path, item);
                self.code(&item.tokens, &scope);
            }
            _ => self.code(&item.tokens, &scope),
        }
    }

    fn code(&mut self, tokens: &[TokenTree], scope: &Scope) {
        let mut at = 0;
        while at < tokens.len() {
            if let Some(inner) = group(&tokens[at]) {
                self.code(&inner.stream().into_iter().collect::<Vec<_>>(), scope);
            } else if is_word(&tokens[at], "use") {
                let end = tokens[at..].iter().position(|token| is_mark(token, ';'));
                let end = end.map_or(tokens.len(), |length| at + length);
                for import in imports(&tokens[at + 1..end]) {
                    self.import(&import, false);
                }
                at = end;
            } else if word(&tokens[at]).is_some() {
                at += self.name(tokens, at, scope);
                continue;
            }
            at += 1;
        }
    }

    /// Reads the path or call that begins here, and says how long it is.
    fn name(&mut self, tokens: &[TokenTree], at: usize, scope: &Scope) -> usize {
        let line = tokens[at].span().start().line;
        let marks = |back: usize, mark: char| at >= back && is_mark(&tokens[at - back], mark);
        if marks(1, '.') && !marks(2, '.') {
            if is_called(&tokens[at + 1..]) {
                self.call(tokens, at, scope);
            }
            return 1;
        }
        let (mut segments, length) = path(&tokens[at..]);
        let after = &tokens[at + length..];
        let is_label = after.first().is_some_and(|token| is_mark(token, ':'))
            && !after.get(..2).is_some_and(are_colons);
        if marks(1, '\'') || marks(1, ':') && marks(2, ':') || is_label {
            return length;
        }
        if let (Some(first), Some(place)) = (segments.first(), &scope.self_type)
            && first == "Self"
        {
            let rest = segments.split_off(1);
            self.lean_on_path(place, &rest, line);
        } else if let Some((place, rest)) = self.all.resolve(self.path, &segments) {
            self.lean_on_path(&place, rest, line);
        }
        length
    }

    /// A method's call: by the type of what it is called on, and on the result
    /// of another call by its name, if only one type has it.
    fn call(&mut self, tokens: &[TokenTree], at: usize, scope: &Scope) {
        let Some(name) = word(&tokens[at]) else { return };
        let place = match self.receiver(&tokens[..at - 1], scope) {
            Receiver::Ours(place) => Some(place),
            Receiver::Foreign => None,
            Receiver::Untold if ANYBODYS.contains(&name.as_str()) => None,
            Receiver::Untold => self.types.only_one_with(&name).cloned(),
        };
        let Some(place) = place else { return };
        let line = tokens[at].span().start().line;
        for file in self.types.method(&place, &name) {
            self.lean_on(file, &format!(".{name}()"), line);
        }
    }

    /// The type of `a.b.c` at the end: as it is written down, or by our habit to
    /// name a variable after its type.
    fn receiver(&self, tokens: &[TokenTree], scope: &Scope) -> Receiver {
        let Some((last, before)) = tokens.split_last() else { return Receiver::Untold };
        let Some(name) = word(last).filter(|name| name != "await") else {
            return Receiver::Untold;
        };
        let object = before.split_last().filter(|(dot, _)| is_mark(dot, '.'));
        let written = match object.map(|(_, object)| self.receiver(object, scope)) {
            Some(Receiver::Ours(object)) => self.types.field(&object, &name),
            Some(Receiver::Foreign | Receiver::Untold) => None,
            None if name == "self" => Some(&scope.self_type),
            None => scope.parameters.get(&name),
        };
        let place = written.cloned().unwrap_or_else(|| self.types.named_like(&name).cloned());
        place.map_or(Receiver::Foreign, Receiver::Ours)
    }
}

/// What a method is called on.
enum Receiver {
    /// A value of a type of this crate.
    Ours(Place),
    Foreign,
    /// The result of another call.
    Untold,
}

fn is_called(after: &[TokenTree]) -> bool {
    let turbofish = after.get(..2).is_some_and(are_colons);
    let arguments = after.first().and_then(group);
    turbofish
        || arguments.is_some_and(|group| group.delimiter() == proc_macro2::Delimiter::Parenthesis)
}
