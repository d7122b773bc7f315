//! What sessions of agents are told.

mod hook;
