//! Whom what we make on a backend is for: the settings in the log say it.

use mirror_core::commit::{Settings, SharedMode};
use mirror_storage::{Access, Backend};

/// Has the backend make files for those whom the settings name. Where a project
/// has none yet, what is made is for its owner alone.
pub(crate) fn share_as_settings_say(backend: &dyn Backend, settings: Option<&Settings>) {
    let Some(keeper) = backend.keep_attributes() else { return };
    let shared = settings.map(|settings| &settings.shared_mode);
    keeper.set_access(access_of(shared.unwrap_or(&SharedMode::Private)));
}

/// Who may use what is made in a project that is shared like this.
pub fn access_of(shared: &SharedMode) -> Access {
    match shared {
        SharedMode::Private | SharedMode::Later(_) => Access::Owner,
        SharedMode::Group => Access::Group,
        SharedMode::World => Access::World,
    }
}
