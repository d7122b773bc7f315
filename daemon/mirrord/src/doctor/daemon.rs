//! The daemon itself: how it came to run, and whether its clients fit.

use crate::facts::{Facts, VERSION};
use crate::finding::Finding;

const PLACE: &str = "daemon";

pub(super) fn version(facts: &Facts, client: Option<&str>) -> Vec<Finding> {
    let started = if facts.on_demand { "by a client" } else { "by hand or as a service" };
    let what = format!("mirrord {VERSION} runs since {}, started {started}", facts.started_at);
    let mut findings = vec![Finding::ok(PLACE, what)];
    if let Some(client) = client.filter(|client| *client != VERSION) {
        findings.push(Finding::warn(
            PLACE,
            format!("the client is version {client}, the daemon {VERSION}"),
            "end the daemon with `mirrorctl daemon stop` and start the installed one",
        ));
    }
    findings
}
