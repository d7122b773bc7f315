//! Login shells and limits that stand between a client and the files.

use std::sync::Arc;

use futures::future::join_all;
use mirror_storage::adapter::sftp::SftpConnection;

use super::{Place, all_of, in_time};
use crate::support::servers::sftp::{SftpServer, Variant};

#[tokio::test]
async fn slow_shell_is_waited_for_once() {
    let Some(server) = SftpServer::start(Variant::SlowShell) else { return };
    let place = Place::on(&server, &server.new_root());

    let stores = (0..20).map(|number| {
        let place = place.clone();
        async move { place.store(&format!("notes/{number}"), "text").await }
    });
    in_time(join_all(stores)).await;

    assert_eq!(place.names("").await.len(), 20);
    assert_eq!(server.session_count(), 1);
}

#[tokio::test]
async fn greeting_where_errors_go_disturbs_nobody() {
    let Some(server) = SftpServer::start(Variant::ChattyShell) else { return };
    let place = Place::on(&server, &server.new_root());

    in_time(place.store("a", "one")).await;

    assert_eq!(place.content("a").await, "one");
}

/// It won't pass by itself: somebody has to mend what runs at login.
#[tokio::test]
async fn greeting_in_the_protocol_ends_in_an_error() {
    let Some(server) = SftpServer::start(Variant::NoisyShell) else { return };
    let connection = SftpConnection::new(server.account());

    let error = in_time(connection.greet()).await.expect_err("no protocol");

    assert!(all_of(&error).contains("login"), "{error:?}");
}

#[tokio::test]
async fn projects_of_one_account_share_one_session() {
    let Some(server) = SftpServer::start(Variant::OneSession) else { return };
    let connection = Arc::new(SftpConnection::new(server.account()));
    let places: Vec<Place> =
        (0..3).map(|_| Place::over(connection.clone(), &server.new_root())).collect();

    let stores = places.iter().flat_map(|place| (0..20).map(move |number| (place, number)));
    let stores = stores.map(async |(place, number)| {
        place.store(&format!("notes/{number}"), number.to_string()).await;
    });
    in_time(join_all(stores)).await;

    for place in &places {
        assert_eq!(place.names("").await.len(), 20);
    }
    assert_eq!(server.session_count(), 1);
}
