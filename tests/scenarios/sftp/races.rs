//! Two machines, one file, one server, the same moment.

use super::super::conflicts::edits_at_the_same_moment_all_count;
use super::Site;
use crate::support::servers::sftp::{SftpServer, Variant};

#[test]
fn edits_of_one_file_at_the_same_moment_all_count() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };

    edits_at_the_same_moment_all_count(&Site::on(server).world);
}
