//! Sizes, counts and times in words.

use jiff::Timestamp;

const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];

/// A size in decimal units, with one digit after the point below 10.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown, more than enough are kept")]
pub(crate) fn bytes(count: u64) -> String {
    let mut size = count as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1_000.0;
        unit += 1;
    }
    if unit == 0 || size >= 9.95 {
        format!("{size:.0} {}", UNITS[unit])
    } else {
        format!("{size:.1} {}", UNITS[unit])
    }
}

/// How long ago a moment of the daemon's was; as it came when it isn't one.
pub(crate) fn ago(time: &str, now: Timestamp) -> String {
    match time.parse::<Timestamp>() {
        Ok(moment) => match (now.as_second() - moment.as_second()).max(0) {
            0..2 => "just now".to_owned(),
            seconds => format!("{} ago", duration(seconds.unsigned_abs())),
        },
        Err(_) => time.to_owned(),
    }
}

/// How soon a moment of the daemon's comes; as it came when it isn't one.
pub(crate) fn until(time: &str, now: Timestamp) -> String {
    match time.parse::<Timestamp>() {
        Ok(moment) => match moment.as_second() - now.as_second() {
            ..1 => "now".to_owned(),
            seconds => format!("in {}", duration(seconds.unsigned_abs())),
        },
        Err(_) => time.to_owned(),
    }
}

/// A length of time in its largest whole unit.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_short_and_rounded() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_000), "1.0 kB");
        assert_eq!(bytes(12_345), "12 kB");
        assert_eq!(bytes(999_900), "1.0 MB");
        assert_eq!(bytes(u64::MAX), "18446744 TB");
    }

    #[test]
    fn time_to_come_is_told_from_now() {
        let now: Timestamp = "2026-04-15T10:00:00Z".parse().expect("a moment");
        assert_eq!(until("2026-04-15T09:00:00Z", now), "now");
        assert_eq!(until("2026-04-15T10:00:30Z", now), "in 30 s");
        assert_eq!(until("2026-04-15T10:05:00Z", now), "in 5 min");
        assert_eq!(until("soon", now), "soon");
    }

    #[test]
    fn time_is_told_from_now() {
        let now: Timestamp = "2026-04-15T10:00:00Z".parse().expect("a moment");
        assert_eq!(ago("2026-04-15T10:00:05Z", now), "just now");
        assert_eq!(ago("2026-04-15T09:59:20Z", now), "40 s ago");
        assert_eq!(ago("2026-04-15T09:30:00Z", now), "30 min ago");
        assert_eq!(ago("2026-04-10T10:00:00Z", now), "5 days ago");
        assert_eq!(ago("never", now), "never");
    }
}
