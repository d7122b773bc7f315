//! One question at a time, asked again until the answer can be used.

use mirror_proto::v1::{Fault, FaultClass, Finding, Question};

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

    pub(super) fn hears_why_not(&self, why: &str) -> Result<(), Failure> {
        self.says(&format!("  {}", self.paint.yellow(&escape(why))))
    }

    /// Asks a question of the daemon's; gives nothing where it is left open.
    pub(super) async fn answers(&self, question: &Question) -> Result<Option<String>, Failure> {
        let usual = question.usual.as_deref();
        let typed = self.line(&words_of(question)).await?;
        Ok(match (typed.as_str(), usual) {
            (NONE, _) if question.unsaid.is_some() => None,
            ("", usual) => usual.map(str::to_owned),
            (_, _) => Some(typed),
        })
    }

    /// An empty line takes the usual answer.
    pub(super) async fn asks<T>(
        &self,
        words: &str,
        usual: &str,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let question = format!("{words} [{}]: ", escape(usual));
        self.until_good(&question, |typed| match typed {
            "" => check(usual),
            typed => check(typed),
        })
        .await
    }

    /// What need not be answered; `unsaid` is what holds then.
    pub(super) async fn may_say<T>(
        &self,
        words: &str,
        unsaid: &str,
        usual: &str,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Failure> {
        let question = format!("{words} [{}; {NONE} for {unsaid}]: ", escape(usual));
        self.until_good(&question, |typed| match typed {
            NONE => Ok(None),
            "" => check(usual).map(Some),
            typed => check(typed).map(Some),
        })
        .await
    }

    async fn until_good<T>(
        &self,
        question: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        loop {
            match read(&self.line(question).await?) {
                Ok(answer) => return Ok(answer),
                Err(why) => self.hears_why_not(&why)?,
            }
        }
    }

    async fn line(&self, question: &str) -> Result<String, Failure> {
        match self.terminal.ask(question).await? {
            Answer::Line(typed) => Ok(typed.trim().to_owned()),
            Answer::End => {
                self.terminal.show("\n")?;
                Err(given_up())
            }
            Answer::Interrupted => Err(interrupted()),
        }
    }
}

fn words_of(question: &Question) -> String {
    let words = escape(&question.words);
    let usual = question.usual.as_deref().map(escape);
    match (usual, question.unsaid.as_deref().map(escape)) {
        (Some(usual), Some(unsaid)) => format!("{words} [{usual}; {NONE} for {unsaid}]: "),
        (Some(usual), None) => format!("{words} [{usual}]: "),
        (None, Some(unsaid)) => format!("{words} [{unsaid}]: "),
        (None, None) => format!("{words}: "),
    }
}

pub(super) fn interrupted() -> Failure {
    Failure::interrupted("interrupted: nothing was made")
}

pub(super) fn given_up() -> Failure {
    Failure::new(FaultClass::Consent, "given up: nothing was made")
}
