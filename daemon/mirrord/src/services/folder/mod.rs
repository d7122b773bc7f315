//! A folder of this machine: a disk, or a mounted share.

mod account;
mod questions;
mod url;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::key::Key;
use super::kind::{Kind, Location, WrongUrl};
use super::question::{Answers, Question};
use questions::PATH;
use url::FolderUrl;

#[derive(Debug)]
pub(crate) struct Folder;

#[async_trait]
impl Kind for Folder {
    fn schemes(&self) -> &'static [&'static str] {
        &["folder"]
    }

    fn about(&self) -> &'static str {
        "a disk or a NAS mount"
    }

    fn example(&self) -> &'static str {
        "folder:/mnt/nas/notes"
    }

    fn parse(&self, rest: &str) -> Result<Arc<dyn Location>, WrongUrl> {
        Ok(Arc::new(FolderUrl::parse(rest)?))
    }

    fn resolve(&self, rest: &str, here: &Path) -> Result<String, WrongUrl> {
        url::resolve(rest, here)
    }

    fn keys(&self) -> &'static [Key] {
        &[]
    }

    fn questions(&self) -> &'static [Question] {
        &questions::QUESTIONS
    }

    fn proposed(&self, rest: &str) -> Answers {
        Answers::from([(PATH.to_owned(), rest.to_owned())])
    }

    fn url(&self, answers: &Answers) -> String {
        let path = answers.get(PATH).map(String::as_str).unwrap_or_default();
        format!("folder:{path}")
    }
}
