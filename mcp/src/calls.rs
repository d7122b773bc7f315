//! Calls of `mirrorctl`, one process each.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What is asked of the client: its words, and what it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) words: Vec<String>,
    pub(crate) stdin: Option<String>,
}

impl Call {
    pub(crate) fn of(words: &[&str]) -> Self {
        Self { words: words.iter().map(|word| (*word).to_owned()).collect(), stdin: None }
    }

    /// An option with its value, which may look like anything.
    pub(crate) fn option(mut self, name: &str, value: Option<impl ToString>) -> Self {
        self.words.extend(value.map(|value| format!("--{name}={}", value.to_string())));
        self
    }

    pub(crate) fn flag(mut self, name: &str, is_on: bool) -> Self {
        self.words.extend(is_on.then(|| format!("--{name}")));
        self
    }

    /// Names, whatever they begin with; always the last words.
    pub(crate) fn names(mut self, names: Vec<String>) -> Self {
        if !names.is_empty() {
            self.words.push("--".to_owned());
            self.words.extend(names);
        }
        self
    }
}

#[derive(Debug)]
pub(crate) struct Client {
    program: PathBuf,
    /// Words of `mirrorctl mcp` that hold for every call, as `--project`.
    general: Vec<String>,
    /// Where an agent's host says that its project is.
    folder: Option<PathBuf>,
}

impl Client {
    /// The client that was installed with this program, else the one on the PATH.
    pub(crate) fn beside_this(general: Vec<String>) -> Self {
        let beside = std::env::current_exe().ok().map(|own| own.with_file_name("mirrorctl"));
        let program = beside.filter(|program| program.is_file());
        let folder = std::env::var_os("CLAUDE_PROJECT_DIR").map(PathBuf::from);
        Self {
            program: program.unwrap_or_else(|| "mirrorctl".into()),
            general,
            folder: folder.filter(|folder| Path::new(folder).is_dir()),
        }
    }

    /// The result of a call, else what a person would read.
    pub(crate) async fn runs(&self, call: &Call) -> Result<Value, String> {
        let mut command = Command::new(&self.program);
        command.arg("--json").args(&self.general).args(&call.words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let unusable = |error| format!("mirrorctl could not be run: {error}");
        let mut child = command.spawn().map_err(unusable)?;
        let mut stdin = child.stdin.take();
        let writes = async {
            if let Some(mut stdin) = stdin.take() {
                // A client that has read enough says itself what is wrong.
                let _ = stdin.write_all(call.stdin.as_deref().unwrap_or_default().as_bytes()).await;
            }
        };
        let ((), output) = tokio::join!(writes, child.wait_with_output());
        let output = output.map_err(unusable)?;
        let document: Option<Value> = serde_json::from_slice(&output.stdout).ok();
        match document.map(|mut document| document["result"].take()) {
            Some(result) => Ok(result),
            None => Err(complaint(&output.stderr)),
        }
    }
}

/// The error as one text: what happened, to what, and what to do.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let document: Option<Value> = text.lines().rev().find_map(|line| {
        let document: Value = serde_json::from_str(line).ok()?;
        document.get("error").is_some().then_some(document)
    });
    let Some(document) = document else { return format!("mirrorctl failed: {}", text.trim()) };
    let said = |key: &str| document["error"][key].as_str();
    let hint = said("hint").map(|hint| format!("\nhint: {hint}"));
    let class = said("class").unwrap_or("internal");
    let message = said("message").unwrap_or("mirrorctl failed");
    format!("{message} ({class}){}", hint.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_never_taken_for_options() {
        let call = Call::of(&["diff"])
            .option("from", Some("--to"))
            .flag("peek", false)
            .names(vec!["--all".to_owned()]);
        assert_eq!(call.words, ["diff", "--from=--to", "--", "--all"]);
    }

    #[test]
    fn error_is_told_with_what_to_do() {
        let stderr = br#"{"version":1,"command":"pull","error":{"class":"consent","message":"too many","hint":"ask"}}"#;
        assert_eq!(complaint(stderr), "too many (consent)\nhint: ask");
        assert_eq!(complaint(b"oops\n"), "mirrorctl failed: oops");
    }

    #[tokio::test]
    async fn program_that_is_not_there_is_told_of() {
        let client =
            Client { program: "/nowhere/mirrorctl".into(), general: Vec::new(), folder: None };
        let why = client.runs(&Call::of(&["status"])).await.expect_err("not there");
        assert!(why.starts_with("mirrorctl could not be run"), "{why}");
    }
}
