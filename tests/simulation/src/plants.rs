//! The rules that can be taken away, one at a time, to see that it is found.
//!
//! Most live in the engine (`mirror_engine::planted`). Those that a service or
//! a disk keeps are taken away here, in their fakes.

use mirror_engine::planted::Rule as Engine;

/// A rule that one of the fakes keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fake {
    /// An entry is created only where none stands.
    L1,
    /// A log name is never removed.
    L2,
    /// The size of what the folder trick brought is read back.
    L9,
    /// What came out of the working tree is looked at before it is dropped.
    B9,
    /// A pulled deletion removes only what was expected.
    B9Take,
    /// What was done to names in the working tree survives a loss of power.
    B9Flush,
    /// What is stored durably survives a loss of power.
    B3Flush,
}

/// A rule of the protocol that a schedule can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Engine(Engine),
    Fake(Fake),
}

/// Every rule by the name that it is asked for.
pub const RULES: &[(&str, Rule)] = &[
    ("L1", Rule::Fake(Fake::L1)),
    ("L2", Rule::Fake(Fake::L2)),
    ("L3", Rule::Engine(Engine::L3)),
    ("L5", Rule::Engine(Engine::L5)),
    ("L9", Rule::Fake(Fake::L9)),
    ("P1", Rule::Engine(Engine::P1)),
    ("P7", Rule::Engine(Engine::P7)),
    ("B1", Rule::Engine(Engine::B1)),
    ("B2", Rule::Engine(Engine::B2)),
    ("B3", Rule::Engine(Engine::B3)),
    ("B3-target", Rule::Engine(Engine::B3Target)),
    ("B3-flush", Rule::Fake(Fake::B3Flush)),
    ("B4", Rule::Engine(Engine::B4)),
    ("B5", Rule::Engine(Engine::B5)),
    ("B9", Rule::Fake(Fake::B9)),
    ("B9-take", Rule::Fake(Fake::B9Take)),
    ("B9-flush", Rule::Fake(Fake::B9Flush)),
    ("B10", Rule::Engine(Engine::B10)),
    ("M2", Rule::Engine(Engine::M2)),
    ("V2", Rule::Engine(Engine::V2)),
    ("V3", Rule::Engine(Engine::V3)),
    ("V4", Rule::Engine(Engine::V4)),
    ("V5", Rule::Engine(Engine::V5)),
    ("S6", Rule::Engine(Engine::S6)),
];

/// The rule of this name.
pub fn named(name: &str) -> Option<Rule> {
    RULES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, rule)| *rule)
}

/// Whether this build can do without a rule: the engine's need a feature.
pub fn can_plant(rule: Rule) -> bool {
    cfg!(feature = "plant") || matches!(rule, Rule::Fake(_))
}

/// Takes the rule away from the engine on this thread, if it is the engine's.
pub fn plant(rule: Option<Rule>) {
    #[cfg(feature = "plant")]
    mirror_engine::planted::remove(match rule {
        Some(Rule::Engine(rule)) => Some(rule),
        Some(Rule::Fake(_)) | None => None,
    });
    #[cfg(not(feature = "plant"))]
    assert!(rule.is_none_or(can_plant), "the engine was built without planted faults");
}
