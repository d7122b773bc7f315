//! `config show`, `config set` and `config check`.

use mirror_proto::v1::{CheckConfigResponse, EffectiveSetting, Finding};
use serde_json::{Value, json};

use crate::output::words;

pub(crate) fn settings(settings: &[EffectiveSetting]) -> Value {
    json!({"settings": settings.iter().map(setting).collect::<Vec<_>>()})
}

pub(crate) fn findings(response: &CheckConfigResponse) -> Value {
    json!({"findings": response.findings.iter().map(finding).collect::<Vec<_>>()})
}

fn setting(setting: &EffectiveSetting) -> Value {
    json!({"key": setting.key, "value": setting.value, "origin": words::origin(setting.origin())})
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
    use mirror_proto::v1::{FindingLevel, SettingOrigin};

    use super::*;

    #[test]
    fn settings_have_the_promised_shape() {
        let found = EffectiveSetting {
            key: "name".to_owned(),
            value: "notes".to_owned(),
            origin: SettingOrigin::Shared.into(),
        };
        assert_eq!(
            settings(&[found]),
            json!({"settings": [{"key": "name", "value": "notes", "origin": "shared"}]})
        );
    }

    #[test]
    fn findings_have_the_promised_shape() {
        let response = CheckConfigResponse {
            findings: vec![Finding {
                level: FindingLevel::Fail.into(),
                what: "no such key".to_owned(),
                r#where: "notes.toml:3".to_owned(),
                fix: None,
            }],
        };
        assert_eq!(
            findings(&response),
            json!({"findings": [{
                "level": "fail", "what": "no such key", "where": "notes.toml:3", "fix": null,
            }]})
        );
    }
}
