//! Whom what we make on a backend is for: the settings in the log say it.

use mirror_core::commit::{Settings, SharedMode};
use mirror_storage::{Access, Backend};

/// Has the backend make files for those whom the settings name. Where a project
/// has none yet, what is made is for its owner alone.
pub(crate) fn share_as_settings_say(backend: &dyn Backend, settings: Option<&Settings>) {
    let Some(keeper) = backend.keep_attributes() else { return };
    keeper.set_access(access_of(settings.map_or(SharedMode::Private, |it| it.shared_mode)));
}

/// Who may use what is made in a project that is shared like this.
pub fn access_of(shared: SharedMode) -> Access {
    match shared {
        SharedMode::Private => Access::Owner,
        SharedMode::Group => Access::Group,
        SharedMode::World => Access::World,
    }
}
