//! Settings, and what is wrong with them.

use mirror_proto::v1;

use crate::config::{Effective, Origin};
use crate::projects::Checked;

pub(in crate::server) fn effective(setting: &Effective) -> v1::EffectiveSetting {
    v1::EffectiveSetting {
        key: setting.key.clone(),
        value: setting.value.clone(),
        origin: origin(setting.origin).into(),
    }
}

fn origin(origin: Origin) -> v1::SettingOrigin {
    match origin {
        Origin::Environment => v1::SettingOrigin::Env,
        Origin::Project => v1::SettingOrigin::Project,
        Origin::Daemon => v1::SettingOrigin::Daemon,
        Origin::Shared => v1::SettingOrigin::Shared,
        Origin::Default => v1::SettingOrigin::Default,
    }
}

pub(in crate::server) fn finding(checked: &Checked) -> v1::Finding {
    let level = match (&checked.problem, checked.harmless) {
        (None, _) => v1::FindingLevel::Ok,
        (Some(_), true) => v1::FindingLevel::Warn,
        (Some(_), false) => v1::FindingLevel::Fail,
    };
    let problem = checked.problem.as_ref();
    v1::Finding {
        level: level.into(),
        what: problem.map_or_else(|| "understood".to_owned(), |problem| problem.what.clone()),
        r#where: checked.place.to_string(),
        fix: problem.and_then(|problem| problem.fix.clone()),
    }
}
