//! The daemon is killed at any moment of its work on a server: whatever command
//! comes next goes on, and nothing is left to be done by hand.

use super::super::crashes::Story;
use super::Site;
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{rounds, same_trees};

#[test]
fn killed_daemon_loses_nothing_on_a_server() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let Site { world, line: _line, .. } = Site::on(server);
    let mut story = Story::told_in(world);
    let (count, mut round) = (rounds(6, 300), 0);
    while story.goes_on(round, count) {
        story.works();
        story.edits_page();
        let case = format!("round {round}: {}", story.crashes());
        story.settles(&case);
        story.checks(&case);
        let [plain, tree] = [story.world.view(), story.machines[0].tree()];
        same_trees(&tree.without_modes(), &plain.without_modes());
        round += 1;
    }
    story.ends(count);
}
