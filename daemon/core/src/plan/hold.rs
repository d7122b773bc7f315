//! What a version of the head would bring that nobody here has seen (B16).

use crate::State;
use crate::reconcile::{Facts, Sighted, Verdict, decide};

/// The head's version of a path, where it would come here and is neither what stands
/// here nor what both sides agreed on. A deletion brings nothing.
#[must_use]
pub fn news(facts: &Facts) -> Option<Sighted> {
    let would_come = matches!(decide(facts), Verdict::Fetch | Verdict::Diverged);
    let remote = facts.remote.filter(|_| would_come)?;
    let content = |state: State| (state.kind, state.digest);
    let known = [facts.base.state(), facts.local];
    let is_known = known.into_iter().flatten().any(|one| content(one) == content(remote.state));
    (!is_known).then_some(remote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::{BaseFact, Past, Privacy};
    use crate::{Digest, Kind};

    /// Reads a case as `base local remote`, one letter per content, `-` for none and
    /// `?` for a base that nobody knows; what comes here is at commit 2.
    #[track_caller]
    fn check(case: &str, expected: bool) {
        let state = |letter: &str| State {
            kind: Kind::File,
            digest: Digest::of(letter.as_bytes()),
            exec: false,
        };
        let side = |letter: &str| (letter != "-").then(|| state(letter));
        let [base, local, remote] = case.split(' ').collect::<Vec<_>>()[..] else {
            panic!("three sides in {case:?}")
        };
        let base = match base {
            "?" => BaseFact::Unknown(Past::Other),
            base => side(base).map_or(BaseFact::Absent, |state| BaseFact::Known { state, seq: 1 }),
        };
        let remote = side(remote).map(|state| Sighted { state, seq: 2 });
        let facts = Facts { base, local: side(local), remote, privacy: Privacy::default() };
        assert_eq!(news(&facts).is_some(), expected, "case {case:?}");
    }

    #[test]
    fn version_that_comes_is_news() {
        check("a a b", true);
        check("- - b", true);
        check("a - b", true);
        check("? - b", true);
    }

    #[test]
    fn version_that_changed_on_both_sides_is_news() {
        check("a b c", true);
        check("- b c", true);
        check("? b c", true);
    }

    #[test]
    fn what_is_known_here_is_no_news() {
        check("a a a", false);
        check("- b b", false);
        check("? b b", false);
        check("a b a", false);
    }

    #[test]
    fn deletion_and_what_is_only_here_are_no_news() {
        check("a a -", false);
        check("a b -", false);
        check("- b -", false);
    }
}
