//! Reads what a store holds of the state.

use mirror_core::RelPath;
use serde::de::DeserializeOwned;

use crate::store::{Store, Table};

pub(super) fn key(path: &RelPath) -> Vec<u8> {
    path.as_str().as_bytes().to_vec()
}

pub(super) fn rows<T: DeserializeOwned, M: FromIterator<(RelPath, T)>>(
    store: &dyn Store,
    table: Table,
) -> Option<M> {
    let rows = store.load(table).ok()?;
    rows.into_iter()
        .map(|(key, value)| {
            let path = RelPath::new(std::str::from_utf8(&key).ok()?).ok()?;
            Some((path, postcard::from_bytes(&value).ok()?))
        })
        .collect()
}
