//! `config show`, `config set` and `config check`.

use mirror_proto::v1::{CheckConfigResponse, EffectiveSetting, Finding, FindingLevel};

use super::table;
use crate::output::escape::escape;
use crate::output::paint::Paint;
use crate::output::words;

pub(crate) fn settings(settings: &[EffectiveSetting], paint: Paint) -> String {
    let row = |setting: &EffectiveSetting| {
        let assignment = format!("{} = {}", escape(&setting.key), escape(&setting.value));
        [assignment, format!("# {}", words::origin(setting.origin()))]
    };
    let rows: Vec<_> = settings.iter().map(row).collect();
    let dimmed = |line: String| match line.rsplit_once("# ") {
        Some((assignment, origin)) => {
            format!("{assignment}{}\n", paint.dim(&format!("# {origin}")))
        }
        None => line + "\n",
    };
    table(&rows).into_iter().map(dimmed).collect()
}

pub(crate) fn findings(response: &CheckConfigResponse, paint: Paint) -> String {
    response.findings.iter().map(|found| finding(found, paint)).collect()
}

fn finding(finding: &Finding, paint: Paint) -> String {
    let level = format!("{:<4}", words::level(finding.level()));
    let level = match finding.level() {
        FindingLevel::Ok => paint.green(&level),
        FindingLevel::Warn => paint.yellow(&level),
        FindingLevel::Fail | FindingLevel::Unspecified => paint.red(&level),
    };
    let mut text = format!("{level}  {}: {}\n", escape(&finding.r#where), escape(&finding.what));
    if let Some(fix) = &finding.fix {
        text += &format!("      {} {}\n", paint.cyan("fix:"), escape(fix));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding_says_where_what_and_how_to_fix_it() {
        let response = CheckConfigResponse {
            findings: vec![Finding {
                level: FindingLevel::Warn.into(),
                what: "unknown key `patern`".to_owned(),
                r#where: "notes.toml:3".to_owned(),
                fix: Some("did you mean `patterns`?".to_owned()),
            }],
        };
        assert_eq!(
            findings(&response, Paint::PLAIN),
            "warn  notes.toml:3: unknown key `patern`\n      fix: did you mean `patterns`?\n"
        );
    }
}
