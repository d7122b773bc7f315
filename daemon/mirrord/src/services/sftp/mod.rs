//! A folder on a server that is reached by ssh.

mod account;
mod keys;
mod parts;
mod program;
mod questions;
mod url;

use std::sync::Arc;

use async_trait::async_trait;

use super::key::Key;
use super::kind::{Kind, Location, WrongUrl};
use super::question::{Answers, Question};
use crate::finding::Finding;

#[derive(Debug)]
pub(crate) struct Sftp;

#[async_trait]
impl Kind for Sftp {
    fn schemes(&self) -> &'static [&'static str] {
        &["sftp"]
    }

    fn about(&self) -> &'static str {
        "a server that you reach by ssh"
    }

    fn example(&self) -> &'static str {
        "sftp://host/folder"
    }

    fn parse(&self, rest: &str) -> Result<Arc<dyn Location>, WrongUrl> {
        Ok(Arc::new(url::SftpUrl::parse(rest)?))
    }

    fn keys(&self) -> &'static [Key] {
        &keys::KEYS
    }

    fn questions(&self) -> &'static [Question] {
        &questions::QUESTIONS
    }

    fn proposed(&self, rest: &str) -> Answers {
        parts::proposed(rest).unwrap_or_default()
    }

    fn url(&self, answers: &Answers) -> String {
        parts::url(answers).to_string()
    }

    async fn needs(&self, is_used: bool) -> Vec<Finding> {
        program::ssh(is_used).await.into_iter().collect()
    }
}
