//! `config check`, `doctor` and `auth`: a line for each finding, and one for
//! what puts it right.

use mirror_proto::v1::{Finding, FindingLevel};

use super::table;
use crate::output::escape::escape;
use crate::output::paint::Paint;
use crate::output::words;

pub(crate) fn report(findings: &[Finding], paint: Paint) -> String {
    let row = |found: &Finding| [escape(&found.r#where), escape(&found.what)];
    let rows = table(&findings.iter().map(row).collect::<Vec<_>>());
    findings.iter().zip(rows).map(|(found, row)| line(found, &row, paint)).collect()
}

fn line(finding: &Finding, row: &str, paint: Paint) -> String {
    let level = format!("{:<4}", words::level(finding.level()));
    let level = match finding.level() {
        FindingLevel::Ok => paint.green(&level),
        FindingLevel::Warn => paint.yellow(&level),
        FindingLevel::Fail | FindingLevel::Unspecified => paint.red(&level),
    };
    let mut text = format!("{level}  {row}\n");
    if let Some(fix) = &finding.fix {
        text += &format!("      {} {}\n", paint.cyan("fix:"), escape(fix));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_say_where_and_what_in_columns_and_how_to_fix_it() {
        let found = |level: FindingLevel, place: &str, what: &str| Finding {
            level: level.into(),
            what: what.to_owned(),
            r#where: place.to_owned(),
            ..Finding::default()
        };
        let mut mistyped = found(FindingLevel::Warn, "notes.toml:3", "unknown key `patern`");
        mistyped.fix = Some("did you mean `patterns`?".to_owned());
        let findings = [found(FindingLevel::Ok, "daemon", "answers"), mistyped];
        assert_eq!(
            report(&findings, Paint::PLAIN),
            "ok    daemon        answers\n\
             warn  notes.toml:3  unknown key `patern`\n      fix: did you mean `patterns`?\n"
        );
    }
}
