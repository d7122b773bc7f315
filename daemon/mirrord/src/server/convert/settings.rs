//! Settings, and what was found of them and of all else.

use std::path::Path;

use mirror_proto::v1;

use super::fault::fault_class;
use crate::config::{Effective, Origin};
use crate::finding::{Finding, Level};
use crate::folders::with_tilde;

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

pub(in crate::server) fn findings(findings: &[Finding], home: &Path) -> Vec<v1::Finding> {
    findings.iter().map(|one| finding(one, home)).collect()
}

fn finding(finding: &Finding, home: &Path) -> v1::Finding {
    let level = match finding.level {
        Level::Ok => v1::FindingLevel::Ok,
        Level::Warn => v1::FindingLevel::Warn,
        Level::Fail => v1::FindingLevel::Fail,
    };
    v1::Finding {
        level: level.into(),
        what: with_tilde(&finding.what, home),
        r#where: with_tilde(&finding.place, home),
        fix: finding.fix.as_deref().map(|fix| with_tilde(fix, home)),
        class: finding.class.map(|class| fault_class(class).into()),
        about: finding.about.map(str::to_owned),
    }
}
