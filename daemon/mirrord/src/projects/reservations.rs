//! What each project takes for itself: worked out when its file is read, kept
//! with it, and compared before another one comes.

use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};

use futures::future::join_all;
use tokio::sync::OwnedMutexGuard;

use super::overlap::{self, Claim, Overlap};
use super::registry::{Condition, Open, Registry, Reserved, Slot, Slots, check_only};
use crate::config::ProjectConfig;
use crate::error::RequestError;
use crate::path_args::without_dots;
use crate::services::Site;

/// Keeps a name, a folder and a backend for a project that is being set up,
/// and nobody else opens or removes what is called so. Ends when it is dropped.
#[derive(Debug)]
pub(super) struct Reservation<'a> {
    registry: &'a Registry,
    number: u64,
    /// Of its name, once it has one.
    turn: Option<OwnedMutexGuard<()>>,
}

impl Registry {
    /// Reserves what a project is to take; one without a name yet gets it by
    /// [`Reservation::change`].
    pub(super) async fn reserve(
        &self,
        config: &ProjectConfig,
    ) -> Result<Reservation<'_>, RequestError> {
        self.look_at_claims().await;
        let claim = self.claim_of(config, None).await;
        let number = {
            let _order = self.changes.lock().await;
            let (slots, mut reserved) = (self.slots(), self.reserved());
            check(&claim, &slots, &reserved, None)?;
            let number = reserved.last_key_value().map_or(0, |(last, _)| last + 1);
            reserved.insert(number, claim);
            number
        };
        let mut reservation = Reservation { registry: self, number, turn: None };
        reservation.await_turn(&config.name).await;
        Ok(reservation)
    }

    /// What a project would take, unless it gets in the way of one that is
    /// here; `except` is the one it replaces.
    pub(super) async fn check_claim(
        &self,
        config: &ProjectConfig,
        except: Option<&str>,
    ) -> Result<Claim, RequestError> {
        let claim = self.claim_of(config, None).await;
        check(&claim, &self.slots(), &self.reserved(), except)?;
        Ok(claim)
    }

    pub(super) fn reserved(&self) -> MutexGuard<'_, Reserved> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_reserved(&self, name: &str) -> bool {
        self.reserved().values().any(|claim| claim.name == name)
    }

    /// What a file claims, its links followed; a disk that doesn't answer leaves
    /// what was known before, or else a path as it is spelled.
    pub(super) async fn claim_of(&self, config: &ProjectConfig, before: Option<&Claim>) -> Claim {
        let folder = async |path: &Path, before: Option<&Path>| {
            let real = self.links.follow(path).await;
            real.unwrap_or_else(|| before.map_or_else(|| without_dots(path), Path::to_owned))
        };
        let backend = async {
            match config.url.site() {
                Site::Here(path) => {
                    let before = before.and_then(|claim| claim.backend.folder());
                    Site::Here(folder(&path, before).await)
                }
                elsewhere @ Site::Account { .. } => elsewhere,
            }
        };
        let root = folder(&config.root, before.map(|claim| claim.root.as_path()));
        let (root, backend) = tokio::join!(root, backend);
        let memories = config.memory.values().map(|mapped| mapped.folder.clone()).collect();
        Claim { name: config.name.clone(), root, backend, memories }
    }

    /// Follows the links of all projects again: what is mounted may have changed.
    pub(super) async fn look_at_claims(&self) {
        let known: Vec<(ProjectConfig, Claim)> = self
            .slots()
            .values()
            .filter_map(|slot| slot.config.clone().zip(slot.claim.clone()))
            .collect();
        let looks = known.iter().map(|(config, claim)| self.claim_of(config, Some(claim)));
        let claims = join_all(looks).await;
        let mut slots = self.slots_mut();
        for ((config, _), claim) in known.iter().zip(claims) {
            let slot = slots.get_mut(&config.name);
            if let Some(slot) = slot.filter(|slot| slot.config.as_ref() == Some(config)) {
                slot.claim = Some(claim);
            }
        }
    }
}

impl Reservation<'_> {
    /// Takes this instead: a clone's name is known once its backend was looked at.
    pub(super) async fn change(&mut self, config: &ProjectConfig) -> Result<(), RequestError> {
        let registry = self.registry;
        let claim = registry.claim_of(config, None).await;
        {
            let _order = registry.changes.lock().await;
            let (slots, mut reserved) = (registry.slots(), registry.reserved());
            let before = reserved.remove(&self.number);
            let checked = check(&claim, &slots, &reserved, None);
            let after = if checked.is_ok() { Some(claim) } else { before };
            reserved.extend(after.map(|claim| (self.number, claim)));
            checked?;
        }
        self.await_turn(&config.name).await;
        Ok(())
    }

    async fn await_turn(&mut self, name: &str) {
        // Never two turns at once: whoever holds one would wait for another's.
        self.turn = None;
        if !name.is_empty() {
            self.turn = Some(self.registry.turn_of(name).await);
        }
    }

    /// Makes it a project that runs, unless its backend turns out to be another's.
    pub(super) fn enter(self, file: PathBuf, open: &Open) -> Result<(), RequestError> {
        let mut slots = self.registry.slots_mut();
        check_only(&slots, open)?;
        let claim = self.registry.reserved().remove(&self.number);
        let config = open.config.as_ref().clone();
        let condition = Condition::Open(open.clone());
        let name = config.name.clone();
        slots.insert(name, Slot { file, config: Some(config), claim, root: None, condition });
        Ok(())
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.registry.reserved().remove(&self.number);
    }
}

/// Compares a claim with all that is taken; `except` is the project it replaces.
pub(super) fn check(
    claim: &Claim,
    slots: &Slots,
    reserved: &Reserved,
    except: Option<&str>,
) -> Result<(), Overlap> {
    let others = slots.iter().filter(|(name, _)| except != Some(name.as_str()));
    let claims = others.filter_map(|(_, slot)| slot.claim.as_ref());
    overlap::check(claim, claims)?;
    overlap::check(claim, reserved.values()).map_err(|_| Overlap::BeingSetUp)
}
