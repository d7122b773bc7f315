//! What may stand beside a backend's URL, as data.

use std::fmt;

/// One key of a kind of service.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// Whether its value is shown to nobody.
    pub(crate) is_secret: bool,
    /// What it is, in a phrase.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test holds the page of each kind to it"))]
    pub(crate) help: &'static str,
    /// Says what is wrong with a text of it; of a list, with one of them.
    pub(crate) check: fn(&str) -> Result<(), Wrong>,
}

/// How the value of a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    List,
}

/// What is wrong with the value of a key, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) what: String,
    pub(crate) fix: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyValue {
    Text(String),
    List(Vec<String>),
}

impl KeyValue {
    pub(crate) fn texts(&self) -> &[String] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::List(texts) => texts,
        }
    }

    /// An empty value stands for none: there is no other way to unset a key.
    pub(crate) fn is_none(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::List(texts) => texts.is_empty(),
        }
    }
}

/// The keys of one backend that are set, in the order in which they were.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings(Vec<(&'static str, KeyValue)>);

impl Settings {
    pub(crate) fn set(&mut self, key: &Key, value: KeyValue) {
        self.0.retain(|(name, _)| *name != key.name);
        if !value.is_none() {
            self.0.push((key.name, value));
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&KeyValue> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.texts().first().map(String::as_str)
    }

    pub(crate) fn list(&self, name: &str) -> &[String] {
        self.get(name).map_or(&[], KeyValue::texts)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &KeyValue)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
}

/// Names alone: a value may be a secret.
impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
