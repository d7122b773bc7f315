//! Whom what a project makes on its backend is for.

use mirror_core::commit::SharedMode;

use super::plan::SetUp;
use crate::error::RequestError;
use crate::projects::registry::Open;
use crate::services::Account;

/// For a project that is made: what was said, else what its folder is for. Asked
/// before that is made: what it would be like decides.
pub(super) async fn wanted(
    plan: &SetUp,
    account: &dyn Account,
) -> Result<SharedMode, RequestError> {
    Ok(match plan.shared_mode()? {
        Some(said) => said,
        None if account.is_for_group().await => SharedMode::Group,
        None => SharedMode::Private,
    })
}

/// For a project that is there.
pub(super) async fn of(open: &Open) -> SharedMode {
    let settings = open.project.settings().await;
    settings.map_or(SharedMode::Private, |settings| settings.shared_mode)
}
