//! The journal of notices: what was told to people, or is still to be told.
//!
//! One file a notice, `notices/<number>.json`, numbered from 1 on, of which the
//! newest thousand stay. `notices/told` has the number up to which reports have
//! said them. A notice that can't be kept is said by the log of the daemon alone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mirror_core::readers::Spans;

use crate::api::{Notice, Parts};
use crate::outside::{Disk, Outside};

const FOLDER: &str = "notices";
const TOLD: &str = "notices/told";

/// So many stay.
const KEPT: u64 = 1_000;

pub(crate) struct Journal {
    data: Arc<dyn Disk>,
    outside: Outside,
    /// The newest number, for whoever reads the files.
    newest: Arc<AtomicU64>,
    /// Those that no report has said yet, oldest first.
    untold: Vec<Notice>,
}

impl Journal {
    /// Fails where it can't be read: numbers that are given twice are heard of once.
    pub(crate) async fn load(parts: &Parts) -> io::Result<Self> {
        let (data, outside) = (parts.data.clone(), parts.outside.clone());
        let disk = data.clone();
        let (newest, untold) = outside.offload(move || read(disk.as_ref())).await?;
        Ok(Self { data, outside, newest: Arc::new(AtomicU64::new(newest)), untold })
    }

    /// For a reader, which has nothing to tell.
    pub(crate) fn for_reader(parts: &Parts, newest: Arc<AtomicU64>) -> Self {
        let (data, outside) = (parts.data.clone(), parts.outside.clone());
        Self { data, outside, newest, untold: Vec::new() }
    }

    /// The newest number, now and later.
    pub(crate) fn newest(&self) -> &Arc<AtomicU64> {
        &self.newest
    }

    /// Those of these numbers that are kept still, oldest first.
    pub(crate) async fn of(&self, numbers: Spans) -> io::Result<Vec<(u64, Notice)>> {
        let (data, newest) = (self.data.clone(), self.newest.load(Ordering::Relaxed));
        let kept = move || {
            let oldest = newest.saturating_sub(KEPT) + 1;
            let mut kept = Vec::new();
            for number in numbers.numbers().skip_while(|number| *number < oldest) {
                kept.extend(notice(data.as_ref(), number)?.map(|notice| (number, notice)));
            }
            Ok(kept)
        };
        self.outside.offload(kept).await
    }

    pub(crate) fn untold(&self) -> &[Notice] {
        &self.untold
    }

    /// Keeps a notice; gives its number. `told`: a report says it. One that can't be kept
    /// leaves its number to the next.
    pub(crate) async fn add(&mut self, notice: &Notice, told: bool) -> u64 {
        let (number, data) = (self.newest.load(Ordering::Relaxed) + 1, self.data.clone());
        if !told {
            self.untold.push(notice.clone());
            // Those whose files go are not said any more, either.
            let most = usize::try_from(KEPT).unwrap_or(usize::MAX);
            self.untold.drain(..self.untold.len().saturating_sub(most));
        }
        let text = serde_json::to_vec(notice).expect("a notice is plain text");
        let keep = move || -> io::Result<()> {
            data.write(&file_name(number), &mut text.as_slice(), true)?;
            if let Some(old) = number.checked_sub(KEPT).filter(|old| *old > 0) {
                warn_unless(data.remove(&file_name(old)));
            }
            Ok(())
        };
        match self.outside.offload(keep).await {
            // Only now: whoever reads up to it finds it.
            Ok(()) => self.newest.store(number, Ordering::Relaxed),
            Err(error) => warn_unless(Err(error)),
        }
        number
    }

    /// A report has said them all.
    pub(crate) async fn set_told(&mut self) {
        self.untold.clear();
        let (newest, data) = (self.newest.load(Ordering::Relaxed), self.data.clone());
        let keep = move || data.write(TOLD, &mut newest.to_string().as_bytes(), false);
        warn_unless(self.outside.offload(keep).await);
    }
}

fn warn_unless(kept: io::Result<()>) {
    if let Err(error) = kept {
        tracing::warn!(%error, "a notice could not be kept");
    }
}

fn file_name(number: u64) -> String {
    format!("{FOLDER}/{number:010}.json")
}

/// The newest number, and what no report has said.
fn read(data: &dyn Disk) -> io::Result<(u64, Vec<Notice>)> {
    let told = data.read(TOLD)?.unwrap_or_default();
    let told: u64 = std::str::from_utf8(&told).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let files = data.list(FOLDER)?;
    let number = |name: &str| name.strip_suffix(".json").and_then(|name| name.parse().ok());
    let numbers: Vec<u64> = files.iter().filter_map(|file| number(&file.name)).collect();
    let newest = numbers.last().copied().unwrap_or(0).max(told);
    let mut untold = Vec::new();
    for number in numbers.into_iter().filter(|number| *number > told) {
        untold.extend(notice(data, number)?);
    }
    Ok((newest, untold))
}

/// `None` for one that is gone, or is none any more.
fn notice(data: &dyn Disk, number: u64) -> io::Result<Option<Notice>> {
    let Some(bytes) = data.read(&file_name(number))? else { return Ok(None) };
    let notice = serde_json::from_slice(&bytes);
    let notice =
        notice.inspect_err(|error| tracing::warn!(number, %error, "a notice can't be read"));
    Ok(notice.ok())
}
