//! Whom what a project makes on its backend is for.

use mirror_core::commit::SharedMode;

use super::plan::{SetUp, SetUpKind};
use crate::error::RequestError;
use crate::projects::registry::Open;
use crate::services::Account;

/// For a project that is made: what was said, else what its folder is for. Asked
/// before that is made: what it would be like decides.
pub(super) async fn wanted(
    plan: &SetUp,
    account: &dyn Account,
) -> Result<SharedMode, RequestError> {
    Ok(match (plan.shared_mode()?, plan.kind) {
        (Some(said), _) => said,
        // It says so itself.
        (None, SetUpKind::Clone { .. }) => SharedMode::Private,
        (None, SetUpKind::Init { .. }) => {
            match account.is_for_group().await.map_err(|error| error.at(&plan.url))? {
                true => SharedMode::Group,
                false => SharedMode::Private,
            }
        }
    })
}

/// Refuses what was said of a project that was there before, where that is for
/// others: it is not one machine's to change by the way.
pub(super) fn check_joined(plan: &SetUp, there: &SharedMode) -> Result<(), RequestError> {
    match plan.shared_mode()? {
        Some(said) if said != *there => Err(RequestError::usage_with_hint(
            format!(
                "the project is there, with shared_mode {:?}: that belongs to all machines",
                there.word()
            ),
            "join it without; `mirrorctl config set --shared shared_mode …` changes it for all",
        )),
        Some(_) | None => Ok(()),
    }
}

/// For a project that is there.
pub(super) async fn of(open: &Open) -> SharedMode {
    let settings = open.project.settings().await;
    settings.map_or(SharedMode::Private, |settings| settings.shared_mode)
}
