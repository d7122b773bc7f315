//! `config check`, `doctor` and `auth`.

use mirror_proto::v1::Finding;
use serde_json::{Value, json};

use crate::output::words;

pub(crate) fn report(findings: &[Finding]) -> Value {
    json!({"findings": findings.iter().map(finding).collect::<Vec<_>>()})
}

fn finding(finding: &Finding) -> Value {
    json!({
        "level": words::level(finding.level()),
        "what": finding.what,
        "where": finding.r#where,
        "fix": finding.fix,
    })
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::FindingLevel;

    use super::*;

    #[test]
    fn findings_have_the_promised_shape() {
        let found = Finding {
            level: FindingLevel::Fail.into(),
            what: "no such key".to_owned(),
            r#where: "notes.toml:3".to_owned(),
            ..Finding::default()
        };
        assert_eq!(
            report(&[found]),
            json!({"findings": [{
                "level": "fail", "what": "no such key", "where": "notes.toml:3", "fix": null,
            }]})
        );
    }
}
