//! What of a file is ours: all of it, some of its JSON, or some of its lines.

use super::json::{Document, Step, insert, remove};
use super::misfit::Misfit;
use super::{hooks, lines};

/// The name of our server among others, and of our skill's folder.
pub(super) const NAME: &str = "mirrord";
const SERVERS: &str = "mcpServers";

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// The whole file.
    Whole(String),
    /// The hooks that this text has.
    Hooks(&'static str),
    /// The server that this text has.
    Server(&'static str),
    /// These lines, between two that name them.
    Lines { name: &'static str, text: String },
}

impl Content {
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Whole(text) | Self::Lines { text, .. } => text,
            Self::Hooks(text) | Self::Server(text) => text,
        }
    }

    /// The text of a file once ours is in it; the text itself where it is in it already.
    pub(super) fn put_into(&self, current: &str) -> Result<String, Misfit> {
        Ok(match self {
            Self::Whole(text) => text.clone(),
            Self::Hooks(wanted) => {
                let document = parsed(current)?;
                hooks::with(&document, &ours(wanted))?.text().to_owned()
            }
            Self::Server(wanted) => with_server(&parsed(current)?, &ours(wanted))?,
            Self::Lines { name, text } => lines::with(current, name, text),
        })
    }

    /// The text once ours is out of it. `original` is what the file was before.
    pub(super) fn take_out_of(&self, current: &str, original: &str) -> Result<String, Misfit> {
        Ok(match self {
            Self::Whole(text) if text == current => String::new(),
            Self::Whole(_) => current.to_owned(),
            Self::Hooks(_) | Self::Server(_) if current.trim().is_empty() => current.to_owned(),
            Self::Hooks(_) => {
                let document = parsed(current)?;
                hooks::check_names(&document)?;
                let original = Document::parse(original).ok();
                hooks::without(&document, original.as_ref()).text().to_owned()
            }
            Self::Server(wanted) => {
                let original = Document::parse(original).ok();
                let document = parsed(current)?;
                check_names(&document)?;
                without_server(&document, &ours(wanted), original.as_ref())
            }
            Self::Lines { name, .. } => lines::without(current, name),
        })
    }

    /// What is ours in a text, to be shown: the rest may be nobody's business.
    pub(super) fn alone(&self, text: &str) -> String {
        let document = || Document::parse(text).ok().filter(|_| !text.trim().is_empty());
        match self {
            Self::Whole(_) => text.to_owned(),
            Self::Lines { name, .. } => lines::alone(text, name).to_owned(),
            Self::Hooks(_) => {
                let ours = document().filter(hooks::are_in);
                ours.map(|found| hooks::alone(&found).text().to_owned()).unwrap_or_default()
            }
            Self::Server(wanted) => {
                document().map(|found| server_alone(&found, &ours(wanted))).unwrap_or_default()
            }
        }
    }

    /// Whether there is nothing in a text but what any file of its kind has.
    pub(super) fn is_nothing(&self, text: &str) -> bool {
        match self {
            Self::Whole(_) | Self::Lines { .. } => text.is_empty(),
            Self::Hooks(_) | Self::Server(_) => {
                Document::parse(text).is_ok_and(|document| document.root().is_empty())
            }
        }
    }
}

fn ours(text: &str) -> Document {
    Document::parse(text).expect("it comes with this program")
}

fn parsed(text: &str) -> Result<Document, Misfit> {
    Document::parse(text).map_err(Misfit::NoJson)
}

fn check_names(document: &Document) -> Result<(), Misfit> {
    let twice = document.doubled(&[SERVERS, NAME]);
    twice.map_or(Ok(()), |key| Err(Misfit::Twice(key.to_owned())))
}

fn server_alone(document: &Document, wanted: &Document) -> String {
    let server = [Step::Key(SERVERS), Step::Key(NAME)];
    let wanted_value = wanted.value_at(&server).unwrap_or_default();
    let node = document.find(&server);
    let Some(node) = node.filter(|node| is_same_server(&document.value(node), &wanted_value))
    else {
        return String::new();
    };
    let frame = insert(&remove(wanted, &server), &server[..1], Some(NAME), (document, node));
    frame.text().to_owned()
}

/// A server of that name that runs something else is its owner's.
fn with_server(document: &Document, wanted: &Document) -> Result<String, Misfit> {
    let (servers, server) = ([Step::Key(SERVERS)], [Step::Key(SERVERS), Step::Key(NAME)]);
    check_names(document)?;
    if !document.value(document.root()).is_object() {
        return Err(Misfit::NoObject);
    }
    let node = wanted.find(&server).expect("it comes with this program");
    match (document.value_at(&servers), document.value_at(&server)) {
        (Some(found), _) if !found.is_object() => {
            return Err(Misfit::Odd(format!("`{SERVERS}` in it is no object")));
        }
        (_, Some(found)) if is_same_server(&found, &wanted.value(node)) => {
            return Ok(document.text().to_owned());
        }
        (_, Some(_)) => {
            return Err(Misfit::Odd(format!("`{SERVERS}.{NAME}` in it runs another program")));
        }
        (Some(_) | None, None) => {}
    }
    let mut made = document.clone();
    if made.find(&servers).is_none() {
        let empty = ours("{}");
        made = insert(&made, &[], Some(SERVERS), (&empty, empty.root()));
    }
    Ok(insert(&made, &servers, Some(NAME), (wanted, node)).text().to_owned())
}

fn without_server(document: &Document, wanted: &Document, original: Option<&Document>) -> String {
    let (servers, server) = ([Step::Key(SERVERS)], [Step::Key(SERVERS), Step::Key(NAME)]);
    let found = document.value_at(&server);
    let is_ours = found
        .is_some_and(|found| is_same_server(&found, &wanted.value_at(&server).unwrap_or_default()));
    if !is_ours {
        return document.text().to_owned();
    }
    let left = remove(document, &server);
    let is_bare = left.find(&servers).is_some_and(super::json::Node::is_empty);
    let was_there = original.is_some_and(|original| original.find(&servers).is_some());
    match is_bare && !was_there {
        true => remove(&left, &servers).text().to_owned(),
        false => left.text().to_owned(),
    }
}

/// `claude mcp add` writes more keys than we do.
fn is_same_server(found: &serde_json::Value, wanted: &serde_json::Value) -> bool {
    found["command"] == wanted["command"] && found["args"] == wanted["args"]
}
