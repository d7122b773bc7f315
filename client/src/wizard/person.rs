//! One question at a time, asked again until the answer can be used.

use mirror_proto::v1::{Fault, Finding};

use super::given_up;
use crate::failure::Failure;
use crate::output::escape::escape;
use crate::output::paint::Paint;
use crate::output::text;
use crate::terminal::{Answer, Terminal};

/// What is typed to have none of what is in brackets.
const NONE: &str = "-";

pub(super) struct Person<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) paint: Paint,
}

impl Person<'_> {
    /// Text whose names are escaped already.
    pub(super) fn says(&self, text: &str) -> Result<(), Failure> {
        self.terminal.show(&format!("{text}\n"))
    }

    pub(super) fn hears_of(&self, findings: &[Finding]) -> Result<(), Failure> {
        self.terminal.show(&text::findings::report(findings, self.paint))
    }

    pub(super) fn hears_of_fault(&self, fault: &Fault) -> Result<(), Failure> {
        self.terminal.show(&text::fault::report(fault, self.paint))
    }

    /// An empty line takes the usual answer, if there is one.
    pub(super) async fn asks<T>(
        &self,
        words: &str,
        usual: Option<&str>,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let question = match usual {
            Some(usual) => format!("{words} [{}]: ", escape(usual)),
            None => format!("{words}: "),
        };
        self.until_good(&question, |typed| match typed {
            "" => check(usual.unwrap_or_default()),
            typed => check(typed),
        })
        .await
    }

    /// What need not be answered; `unsaid` is what holds then.
    pub(super) async fn may_say<T>(
        &self,
        words: &str,
        unsaid: &str,
        usual: Option<&str>,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Failure> {
        let question = match usual {
            Some(usual) => format!("{words} [{}; {NONE} for {unsaid}]: ", escape(usual)),
            None => format!("{words} [{unsaid}]: "),
        };
        self.until_good(&question, |typed| match (typed, usual) {
            (NONE, _) | ("", None) => Ok(None),
            ("", Some(usual)) => check(usual).map(Some),
            (typed, _) => check(typed).map(Some),
        })
        .await
    }

    async fn until_good<T>(
        &self,
        question: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        loop {
            match self.terminal.ask(question).await? {
                Answer::Line(typed) => match read(typed.trim()) {
                    Ok(answer) => return Ok(answer),
                    Err(why) => self.says(&format!("  {}", self.paint.yellow(&escape(&why))))?,
                },
                Answer::End => {
                    self.terminal.show("\n")?;
                    return Err(given_up());
                }
                Answer::Interrupted => return Err(interrupted()),
            }
        }
    }
}

pub(super) fn interrupted() -> Failure {
    Failure::interrupted("interrupted: nothing was made")
}
