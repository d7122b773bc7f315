//! How long a saved file takes to the other machine, where the backend gives no hints.

use std::time::Duration;

use super::auto::saved_to_there;
use super::place::{Place, fill_with};
use super::server::FarServer;
use super::table::Table;

pub(crate) fn from_save_to_save(server: &FarServer, table: &mut Table) {
    eprintln!("measuring: from a save to the other machine");
    let (place, other) = (Place::new(), Place::new());
    fill_with(&place.path("few"), 200, 3 * 1024);
    let url = server.inits(&place, "few");
    place.mirrorctl("few", &["push"]);
    server.clones(&other, &url, "few");
    let took = saved_to_there(&place, &other, "2s");
    let against = [("`auto_quiet` and `poll_interval`", Duration::from_secs(4))];
    table.time("from a save to the other machine", took, &against, "both + 2 s");
}
