//! What of a file is ours: all of it, some of its JSON, or some of its lines.

use super::json::{Document, Step, insert, remove};
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
    /// The text of a file once ours is in it; the text itself where it is in it already.
    pub(super) fn put_into(&self, current: &str) -> Result<String, String> {
        Ok(match self {
            Self::Whole(text) => text.clone(),
            Self::Hooks(wanted) => {
                let document = Document::parse(current)?;
                hooks::with(&document, &ours(wanted))?.text().to_owned()
            }
            Self::Server(wanted) => with_server(&Document::parse(current)?, &ours(wanted))?,
            Self::Lines { name, text } => lines::with(current, name, text),
        })
    }

    /// The text once ours is out of it. `original` is what the file was before.
    pub(super) fn take_out_of(&self, current: &str, original: &str) -> Result<String, String> {
        Ok(match self {
            Self::Whole(text) if text == current => String::new(),
            Self::Whole(_) => current.to_owned(),
            Self::Hooks(_) | Self::Server(_) if current.trim().is_empty() => current.to_owned(),
            Self::Hooks(_) => {
                let document = Document::parse(current)?;
                let original = Document::parse(original).ok();
                hooks::without(&document, original.as_ref()).text().to_owned()
            }
            Self::Server(wanted) => {
                let original = Document::parse(original).ok();
                without_server(&Document::parse(current)?, &ours(wanted), original.as_ref())
            }
            Self::Lines { name, .. } => lines::without(current, name),
        })
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

/// A server of that name that runs something else is its owner's.
fn with_server(document: &Document, wanted: &Document) -> Result<String, String> {
    let (servers, server) = ([Step::Key(SERVERS)], [Step::Key(SERVERS), Step::Key(NAME)]);
    hooks::object(document, &[])?;
    let node = wanted.find(&server).expect("it comes with this program");
    match (document.value_at(&servers), document.value_at(&server)) {
        (Some(found), _) if !found.is_object() => {
            return Err(format!("`{SERVERS}` in it is no object"));
        }
        (_, Some(found)) if is_same_server(&found, &wanted.value(node)) => {
            return Ok(document.text().to_owned());
        }
        (_, Some(_)) => return Err(format!("`{SERVERS}.{NAME}` in it runs another program")),
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
