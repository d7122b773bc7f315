//! Reads the dates that people type, on the calendar of this machine.
//!
//! `2026-04-15` is the whole local day, so `--until` includes it; `30d 2w 3m
//! 1y` count back from now; `yesterday`; and RFC 3339 for an exact moment.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp, Zoned};

use crate::failure::Failure;

/// Which end of a range a date stands for.
#[derive(Clone, Copy, Debug)]
enum Edge {
    Since,
    Until,
}

/// The moment, as RFC 3339 in UTC, that a typed date means at this edge.
fn bound(typed: &str, edge: Edge, now: &Zoned) -> Result<String, Failure> {
    moment(typed, edge, now).map(|moment| moment.to_string()).ok_or_else(|| {
        Failure::usage(format!("`{typed}` is no date")).with_hint(
            "dates read like 2026-04-15, 2026-04-15T10:30:00Z, 30d, 2w, 3m, 1y or yesterday",
        )
    })
}

/// Both bounds of a range, where they were typed.
pub(crate) fn bounds(
    since: Option<&str>,
    until: Option<&str>,
) -> Result<(Option<String>, Option<String>), Failure> {
    let read = |typed: Option<&str>, edge| {
        typed.map(|typed| bound(typed, edge, &Zoned::now())).transpose()
    };
    Ok((read(since, Edge::Since)?, read(until, Edge::Until)?))
}

/// A moment from the daemon, shown on the local clock; as it came otherwise.
pub(crate) fn local(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(moment) => {
            moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        Err(_) => time.to_owned(),
    }
}

fn moment(typed: &str, edge: Edge, now: &Zoned) -> Option<Timestamp> {
    if typed == "yesterday" {
        return day(now.date().yesterday().ok()?, edge, now);
    }
    if let Some(span) = back(typed) {
        return Some(now.checked_sub(span).ok()?.timestamp());
    }
    match typed.parse::<Timestamp>() {
        Ok(moment) => Some(moment),
        Err(_) => day(Date::strptime("%Y-%m-%d", typed).ok()?, edge, now),
    }
}

fn back(typed: &str) -> Option<Span> {
    let unit = typed.chars().last()?;
    let count: i32 = typed.strip_suffix(unit)?.parse().ok()?;
    let span = Span::new();
    match unit {
        _ if count < 0 => None,
        'd' => span.try_days(count).ok(),
        'w' => span.try_weeks(count).ok(),
        'm' => span.try_months(count).ok(),
        'y' => span.try_years(count).ok(),
        _ => None,
    }
}

fn day(date: Date, edge: Edge, now: &Zoned) -> Option<Timestamp> {
    let start = |date: Date| Some(date.to_zoned(now.time_zone().clone()).ok()?.timestamp());
    match edge {
        Edge::Since => start(date),
        // From the next day's start: the day may have 23 or 25 hours.
        Edge::Until => {
            start(date.tomorrow().ok()?)?.checked_sub(SignedDuration::from_nanos(1)).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::{Offset, TimeZone};

    use super::*;

    /// Noon on the 20th of April, two hours east of Greenwich.
    fn now() -> Zoned {
        jiff::civil::date(2026, 4, 20)
            .at(12, 0, 0, 0)
            .to_zoned(TimeZone::fixed(Offset::constant(2)))
            .expect("a moment")
    }

    #[track_caller]
    fn check(typed: &str, since: &str, until: &str) {
        assert_eq!(bound(typed, Edge::Since, &now()).expect("read"), since);
        assert_eq!(bound(typed, Edge::Until, &now()).expect("read"), until);
    }

    #[test]
    fn day_is_the_whole_local_day() {
        check("2026-04-15", "2026-04-14T22:00:00Z", "2026-04-15T21:59:59.999999999Z");
        check("yesterday", "2026-04-18T22:00:00Z", "2026-04-19T21:59:59.999999999Z");
    }

    #[test]
    fn count_goes_back_from_now() {
        check("30d", "2026-03-21T10:00:00Z", "2026-03-21T10:00:00Z");
        check("2w", "2026-04-06T10:00:00Z", "2026-04-06T10:00:00Z");
        check("3m", "2026-01-20T10:00:00Z", "2026-01-20T10:00:00Z");
        check("1y", "2025-04-20T10:00:00Z", "2025-04-20T10:00:00Z");
    }

    #[test]
    fn exact_moment_is_taken_as_it_is() {
        check("2026-04-15T10:30:00+02:00", "2026-04-15T08:30:00Z", "2026-04-15T08:30:00Z");
    }

    #[test]
    fn anything_else_is_refused() {
        for typed in ["", "d", "-3d", "5h", "2026-13-01", "tomorrow", "99999999999d"] {
            assert!(bound(typed, Edge::Since, &now()).is_err(), "{typed:?}");
        }
    }
}
