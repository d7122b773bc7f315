//! Names that people give to snapshots (S1).

use super::History;

impl History {
    /// The listed snapshot that a tag belongs to: the lowest that carries it.
    pub fn holder_of_tag(&self, tag: &str) -> Option<u64> {
        let tag = tag.to_ascii_lowercase();
        let holds = |held: &Option<String>| {
            held.as_ref().is_some_and(|held| held.to_ascii_lowercase() == tag)
        };
        self.snapshots.iter().find(|(_, snapshot)| holds(&snapshot.tag)).map(|(seq, _)| *seq)
    }
}

/// Whether a tag could not be taken for another way to name a snapshot.
pub(super) fn is_allowed(tag: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=64).contains(&tag.len())
        && tag.bytes().all(allowed)
        && !tag.bytes().all(|byte| byte == b'.')
        && !tag.eq_ignore_ascii_case("latest")
        && !tag.eq_ignore_ascii_case("yesterday")
        && !is_duration(tag)
        && !is_date(tag)
}

/// `30d`, `2w`, `3m`, `1y`.
fn is_duration(tag: &str) -> bool {
    let (digits, unit) = tag.split_at(tag.len() - 1);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && unit.bytes().all(|byte| matches!(byte.to_ascii_lowercase(), b'd' | b'w' | b'm' | b'y'))
}

/// Starts like `2026-04-15`.
fn is_date(tag: &str) -> bool {
    let shape = tag.bytes().take(10).map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    shape.eq(*b"0000-00-00")
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn tags_cannot_be_taken_for_dates_or_durations() {
        for tag in ["v1.0", "before-merge", "7", "2026", "d", "x30d"] {
            assert!(is_allowed(tag), "{tag}");
        }
        for tag in [
            "",
            "latest",
            "Latest",
            "..",
            "30d",
            "1y",
            "2026-04-15",
            "2026-04-15T10-30-00Z",
            "a b",
            "é",
        ] {
            assert!(!is_allowed(tag), "{tag}");
        }
        assert!(!is_allowed(&"x".repeat(65)));
    }
}
