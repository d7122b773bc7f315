//! A span of time as people write it: `30`, `"30s"`, `"5m"`, `"1h"`.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A whole number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seconds(pub(crate) u64);

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Self {
        Self::from_secs(seconds.0)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}s", self.0)
    }
}

impl std::str::FromStr for Seconds {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let factor = match text[digits.len()..].trim() {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(()),
        };
        let count: u64 = digits.parse().map_err(drop)?;
        count.checked_mul(factor).map(Self).ok_or(())
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecondsVisitor)
    }
}

struct SecondsVisitor;

impl Visitor<'_> for SecondsVisitor {
    type Value = Seconds;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a time like 30, \"30s\", \"5m\" or \"1h\"")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Seconds, E> {
        Ok(Seconds(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Seconds, E> {
        let value = u64::try_from(value);
        value.map(Seconds).map_err(|_| E::custom("a time can't be negative"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
        text.parse().map_err(|()| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_a_unit() {
        assert_eq!("30".parse(), Ok(Seconds(30)));
        assert_eq!(" 30s ".parse(), Ok(Seconds(30)));
        assert_eq!("5m".parse(), Ok(Seconds(300)));
        assert_eq!("1h".parse(), Ok(Seconds(3600)));
        assert_eq!("soon".parse::<Seconds>(), Err(()));
        assert_eq!("-3s".parse::<Seconds>(), Err(()));
    }
}
