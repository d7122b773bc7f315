//! What sessions of agents are told of a project, and when their bell rings (S7, S8).
//!
//! Nobody is asked for it: all comes from what this machine has read. What is handed
//! out is stored first, so that nothing is lost with a hook or a daemon that is killed.

mod files;
mod pending;

use mirror_core::readers::{Event, EventKind, Fact, MayWake, Read, Session};
use mirror_core::{RelPath, Timestamp};

use self::pending::Pending;
use super::Project;
use super::worker::Worker;
use crate::api::{EngineResult, FileNews, Heard, Told, ToldFile, Wake};
use crate::data::sessions::Held;

/// A session whose end nobody told of is rung for no longer than this.
const RUNG_MS: i64 = 12 * 3_600_000;

impl Project {
    /// Takes in what happened in a session; gives what it is to be told.
    pub async fn hear(&self, heard: &Heard) -> EngineResult<Told> {
        let mut reader = self.reader()?;
        let mut held = self.sessions.hold().await?;
        let now = reader.now();
        let mut session = match held.get(&heard.session) {
            Some(session) => session.clone(),
            None => begin(&mut reader, &mut held, &heard.session, now).await?,
        };
        session.hears(&heard.event, now);
        if matches!(heard.event.kind, EventKind::Start | EventKind::Compaction | EventKind::Other) {
            held.hang_bell().await?;
        }
        let told = tell(&reader, &mut held, &mut session, heard, now).await?;
        // Of what only moves a turn along, nothing is lost with the daemon.
        let known = held.get(&heard.session);
        let is_stored = known.is_none_or(|known| !known.waits_as(&session));
        held.set(&heard.session, session, is_stored).await?;
        Ok(told)
    }

    /// The hook has printed what it was handed.
    pub async fn printed(&self, session: &str, batch: u64) -> EngineResult<()> {
        let now = self.reader()?.now();
        self.settle(session, |known| known.printed(batch, now)).await
    }

    /// The hook ended without.
    pub async fn give_back(&self, session: &str, batch: u64) -> EngineResult<()> {
        self.settle(session, |known| known.give_back(batch)).await
    }

    async fn settle(&self, session: &str, change: impl FnOnce(&mut Session)) -> EngineResult<()> {
        let mut held = self.sessions.hold().await?;
        let Some(mut known) = held.get(session).cloned() else { return Ok(()) };
        change(&mut known);
        Ok(held.set(session, known, true).await?)
    }

    /// Rings open sessions if there is anything that one of them has not been told.
    pub async fn ring_if_news(&self) -> EngineResult<bool> {
        let reader = self.reader()?;
        let held = self.sessions.hold().await?;
        let now = reader.now().milliseconds();
        let is_open = |session: &&Session| {
            !session.has_ended() && now - session.heard().milliseconds() <= RUNG_MS
        };
        for session in held.all().filter(is_open) {
            if !Pending::of(&reader, session).await?.is_empty() {
                held.ring().await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Rings open sessions, whatever there is.
    pub async fn ring(&self) -> EngineResult<()> {
        Ok(self.sessions.hold().await?.ring().await?)
    }
}

/// A session that is seen first.
async fn begin(
    reader: &mut Worker,
    held: &mut Held<'_>,
    id: &str,
    now: Timestamp,
) -> EngineResult<Session> {
    held.forget_old(now).await?;
    let newest = held.all().max_by_key(|session| session.seen().commits.whole_until());
    let since = newest.map(|session| session.seen().clone()).unwrap_or_default();
    let facts = reader.all_facts();
    let read = reader.first_read(&since, &reader.not_here(&facts)).await?;
    let session = Session::new(read, now);
    held.set(id, session.clone(), true).await?;
    Ok(session)
}

/// What an event lets a session be told.
async fn tell(
    reader: &Worker,
    held: &mut Held<'_>,
    session: &mut Session,
    heard: &Heard,
    now: Timestamp,
) -> EngineResult<Told> {
    let files = reader.news_of_files(session, heard).await?;
    let pending = match heard.is_here && is_looked_at(heard) {
        true => Pending::of(reader, session).await?,
        false => Pending::default(),
    };
    let is_new = !pending.is_empty();
    if !is_new {
        session.pass_over(&pending.read);
    }
    let is_wake = heard.event.kind == EventKind::Other && is_new && {
        match wake(session, heard, &pending, now) {
            Ok(()) => true,
            Err(ring_at) => {
                let says = heard.shows_hints && !session.is_in_turn(now);
                let waiting = hint(held, heard, &pending, says);
                return Ok(Told { waiting, ring_at, ..Told::default() });
            }
        }
    };
    if heard.event.kind == EventKind::Stop {
        return Ok(Told { ring_at: ring_after(session, heard, &pending, now), ..Told::default() });
    }
    if !is_new && files.is_empty() {
        return Ok(Told::default());
    }
    Ok(hand_out(reader, session, &heard.event, pending, files, is_wake, now))
}

/// Whether the host would show what is new, or could be rung for it.
fn is_looked_at(heard: &Heard) -> bool {
    match heard.event.kind {
        EventKind::Start
        | EventKind::Compaction
        | EventKind::Prompt
        | EventKind::AfterTools
        | EventKind::Stop => true,
        EventKind::AfterTool => !heard.event.has_steps,
        EventKind::Other => heard.is_bell,
        EventKind::BeforeTool | EventKind::End => false,
    }
}

/// Whether the session is to be woken; if not, when the bell should ring again for it.
fn wake(
    session: &Session,
    heard: &Heard,
    pending: &Pending,
    now: Timestamp,
) -> Result<(), Option<Timestamp>> {
    if !wants_wake(heard.wake, pending) {
        return Err(None);
    }
    match session.may_wake(now) {
        MayWake::Now => Ok(()),
        MayWake::At(at) => Err(Some(at)),
        MayWake::AfterTurn => Err(None),
    }
}

fn wants_wake(wake: Wake, pending: &Pending) -> bool {
    match wake {
        Wake::Off => false,
        Wake::Conflict => !pending.conflicts.is_empty(),
        Wake::All => pending.is_of_others || !pending.conflicts.is_empty(),
    }
}

/// A turn has ended, and heard nothing of what came at its end.
fn ring_after(
    session: &Session,
    heard: &Heard,
    pending: &Pending,
    now: Timestamp,
) -> Option<Timestamp> {
    let is_due = !pending.is_empty() && wants_wake(heard.wake, pending);
    match session.may_wake(now) {
        MayWake::Now => Some(now),
        MayWake::At(at) => Some(at),
        MayWake::AfterTurn => None,
    }
    .filter(|_| is_due)
}

/// How much waits, for a session that is not woken: said once, as long as nothing
/// comes to it.
fn hint(held: &mut Held<'_>, heard: &Heard, pending: &Pending, says: bool) -> usize {
    let newest = pending.newest();
    let hinted = &mut held.known().hinted;
    if !says || hinted.get(&heard.session) == Some(&newest) {
        return 0;
    }
    hinted.insert(heard.session.clone(), newest);
    pending.count()
}

fn hand_out(
    reader: &Worker,
    session: &mut Session,
    event: &Event,
    pending: Pending,
    files: Vec<(Fact, ToldFile)>,
    is_wake: bool,
    now: Timestamp,
) -> Told {
    let (mut facts, files): (Vec<Fact>, Vec<ToldFile>) = files.into_iter().unzip();
    let said: Vec<&RelPath> = files
        .iter()
        .filter(|file| file.what == FileNews::Conflict)
        .map(|file| &file.path)
        .collect();
    let conflicts =
        pending.conflicts.iter().map(|(path, _)| path).filter(|path| !said.contains(path));
    let conflicts: Vec<RelPath> = conflicts.cloned().collect();
    facts.extend(
        pending
            .conflicts
            .iter()
            .map(|(path, since)| Fact::Conflict { path: path.clone(), since: *since }),
    );
    let Pending { read, commits, earlier, notices, .. } = pending;
    let read = if commits.is_empty() && notices.is_empty() && earlier.is_none() {
        Read::default()
    } else {
        read
    };
    let batch = session.hand_out(read, facts, event, is_wake, now);
    Told {
        batch: Some(batch),
        commits: commits.into_iter().map(|commit| reader.told_commit(commit)).collect(),
        earlier,
        notices,
        conflicts,
        files,
        is_wake,
        ..Told::default()
    }
}
