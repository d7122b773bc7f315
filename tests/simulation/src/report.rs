//! What happened in a schedule, in words, and the digest of all of it.

use std::fmt::{self, Write};

/// Takes in every decision and every effect, in order. The digest is always
/// there; the words only when somebody will read them.
#[derive(Debug)]
pub struct Trace {
    digest: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub fn new(with_words: bool) -> Self {
        Self { digest: 0xCBF2_9CE4_8422_2325, lines: with_words.then(Vec::new) }
    }

    pub fn note(&mut self, words: fmt::Arguments<'_>) {
        let _ = self.write_fmt(words);
        let _ = self.write_char('\n');
        if let Some(lines) = &mut self.lines {
            lines.push(words.to_string());
        }
    }

    pub fn digest(&self) -> u64 {
        self.digest
    }

    pub fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

/// FNV-1a over the words.
impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        Ok(())
    }
}

/// How one schedule ended.
#[derive(Debug)]
pub struct Outcome {
    pub seed: u64,
    pub digest: u64,
    /// Broken promises; none when all is well.
    pub findings: Vec<String>,
    /// What happened, when words were asked for.
    pub lines: Vec<String>,
}

impl Outcome {
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}
