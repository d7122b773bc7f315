//! JSON text that is changed where it stands.
//!
//! A settings file is its owner's: order, unknown keys, indents and line ends stay,
//! byte for byte, but for what is put in or taken out.

mod edit;
mod scan;
mod style;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde_json::Value;

pub(super) use edit::{insert, remove};

/// What some programs begin a text with.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A value, and where it stands in its text.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    /// A text, a number, `true`, `false` or `null`.
    Plain,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) key: String,
    /// Where the key begins.
    pub(super) start: usize,
    pub(super) value: Node,
}

/// One step from a value to one inside it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Key(&'a str),
    At(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Document {
    text: String,
    root: Node,
}

impl Document {
    /// Says what is wrong with a text that is no JSON. Nothing at all is an empty object.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.trim_matches([BYTE_ORDER_MARK, ' ', '\n', '\r', '\t']).is_empty() {
            return Self::parse("{}\n");
        }
        let start = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).len();
        serde_json::from_str::<Value>(&text[start..]).map_err(|error| error.to_string())?;
        Ok(Self { root: scan::value(text, start), text: text.to_owned() })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// The value that the steps lead to. Of a key that stands twice the last counts, as
    /// for most readers.
    pub(super) fn find(&self, steps: &[Step<'_>]) -> Option<&Node> {
        steps.iter().try_fold(&self.root, |node, step| match (&node.kind, step) {
            (Kind::Object(members), Step::Key(key)) => {
                members.iter().rfind(|member| member.key == *key).map(|member| &member.value)
            }
            (Kind::Array(items), Step::At(index)) => items.get(*index),
            _ => None,
        })
    }

    /// What a value says, whatever it looks like.
    pub(super) fn value(&self, node: &Node) -> Value {
        serde_json::from_str(self.raw(node)).unwrap_or(Value::Null)
    }

    pub(super) fn value_at(&self, steps: &[Step<'_>]) -> Option<Value> {
        self.find(steps).map(|node| self.value(node))
    }

    /// A key on the way to what the steps lead to that stands twice in its object.
    pub(super) fn doubled<'a>(&self, keys: &[&'a str]) -> Option<&'a str> {
        let mut node = &self.root;
        for key in keys {
            let mut found = node.members().iter().rev().filter(|member| member.key == *key);
            node = &found.next()?.value;
            if found.next().is_some() {
                return Some(key);
            }
        }
        None
    }

    fn raw(&self, node: &Node) -> &str {
        &self.text[node.span.clone()]
    }
}

impl Node {
    pub(super) fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Object(members) => members.is_empty(),
            Kind::Array(items) => items.is_empty(),
            Kind::Plain => false,
        }
    }

    /// A key that stands twice in an object here or further inside.
    pub(super) fn doubled(&self) -> Option<&str> {
        let members = self.members();
        let mut keys: Vec<_> = members.iter().map(|member| member.key.as_str()).collect();
        keys.sort_unstable();
        let twice = keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        let inside = members.iter().map(|member| &member.value).chain(self.items());
        twice.or_else(|| inside.into_iter().find_map(Self::doubled))
    }

    pub(super) fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Object(members) => members,
            Kind::Array(_) | Kind::Plain => &[],
        }
    }

    pub(super) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::Array(items) => items,
            Kind::Object(_) | Kind::Plain => &[],
        }
    }
}
