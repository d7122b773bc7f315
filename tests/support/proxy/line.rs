//! What all connections through a proxy share, and what is wrong with it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// One direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the server.
    Up,
    Down,
}

/// How a connection ends that is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As if the other side had closed it.
    Close,
    /// As if the other side had never heard of it.
    Reset,
    /// Nobody is told, and nothing comes through any more.
    Silence,
}

impl Ending {
    /// What new connections meet where it lasts.
    pub(super) fn weather(self) -> Weather {
        match self {
            Self::Close | Self::Reset => Weather::Down,
            Self::Silence => Weather::Silent,
        }
    }
}

/// A cut that comes after so many bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) after: u64,
    /// Which bytes count; `None` for both ways.
    pub(crate) way: Option<Way>,
    pub(crate) ending: Ending,
    /// Whether new connections fare no better until the line is plugged in.
    pub(crate) lasts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    Fair,
    Silent,
    Down,
}

#[derive(Debug)]
pub(super) struct Line {
    delays: Mutex<[Duration; 2]>,
    cut: Mutex<Option<Cut>>,
    weather: watch::Sender<Weather>,
    cuts: watch::Sender<Ending>,
    carried: [AtomicU64; 2],
    connections: AtomicUsize,
}

impl Line {
    pub(super) fn new() -> Self {
        Self {
            delays: Mutex::default(),
            cut: Mutex::default(),
            weather: watch::Sender::new(Weather::Fair),
            cuts: watch::Sender::new(Ending::Close),
            carried: Default::default(),
            connections: AtomicUsize::default(),
        }
    }

    pub(super) fn set_delays(&self, up: Duration, down: Duration) {
        *self.delays.lock().expect("nobody panics with it") = [up, down];
    }

    pub(super) fn delays(&self) -> [Duration; 2] {
        *self.delays.lock().expect("nobody panics with it")
    }

    pub(super) fn delay(&self, way: Way) -> Duration {
        self.delays()[way as usize]
    }

    /// Plans a cut instead of the one that was planned, if any.
    pub(super) fn set_cut(&self, cut: Option<Cut>) -> Option<Cut> {
        std::mem::replace(&mut *self.cut.lock().expect("nobody panics with it"), cut)
    }

    /// How many of these bytes still arrive, and the cut that comes after them.
    pub(super) fn spend(&self, way: Way, count: usize) -> (usize, Option<Cut>) {
        let mut planned = self.cut.lock().expect("nobody panics with it");
        let Some(cut) = planned.as_mut().filter(|cut| cut.way.is_none_or(|one| one == way)) else {
            return (count, None);
        };
        if cut.after > count as u64 {
            cut.after -= count as u64;
            return (count, None);
        }
        let arrive = usize::try_from(cut.after).expect("it is at most the count");
        (arrive, planned.take())
    }

    pub(super) fn set_weather(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    pub(super) fn is_down(&self) -> bool {
        *self.weather.borrow() == Weather::Down
    }

    /// Waits until bytes may arrive.
    pub(super) async fn is_passable(&self) {
        let mut weather = self.weather.subscribe();
        // The sender lives as long as this line.
        let _ = weather.wait_for(|weather| *weather != Weather::Silent).await;
    }

    /// Ends every connection that there is now, or leaves it for dead.
    pub(super) fn cut(&self, ending: Ending) {
        self.cuts.send_replace(ending);
    }

    /// The cuts from now on.
    pub(super) fn cuts(&self) -> Cuts {
        Cuts(self.cuts.subscribe())
    }

    pub(super) fn count(&self, way: Way, bytes: usize) {
        self.carried[way as usize].fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn carried(&self, way: Way) -> u64 {
        self.carried[way as usize].load(Ordering::Relaxed)
    }

    pub(super) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_count(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

pub(super) struct Cuts(watch::Receiver<Ending>);

impl Cuts {
    /// Waits for the next cut.
    pub(super) async fn next(&mut self) -> Ending {
        // The sender lives as long as the line that its connections hold.
        let _ = self.0.changed().await;
        *self.0.borrow()
    }
}
