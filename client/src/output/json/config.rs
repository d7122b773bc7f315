//! `config show` and `config set`.

use mirror_proto::v1::EffectiveSetting;
use serde_json::{Value, json};

use crate::output::words;

pub(crate) fn settings(settings: &[EffectiveSetting]) -> Value {
    json!({"settings": settings.iter().map(setting).collect::<Vec<_>>()})
}

fn setting(setting: &EffectiveSetting) -> Value {
    json!({"key": setting.key, "value": setting.value, "origin": words::origin(setting.origin())})
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::SettingOrigin;

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
}
