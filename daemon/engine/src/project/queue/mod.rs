//! Pushes that wait for their backend (B8): how they come into the queue, what they
//! mean at a newer head, how they are sent
//! or given up. The records are [`crate::data::queue`].

pub(crate) mod discard;
pub(crate) mod enqueue;
pub(crate) mod replan;
pub(crate) mod send;
