//! When the daemon looks at a project without being asked.

mod auto;
mod bell;
mod feed;
mod pace;
mod scheduler;
#[cfg(test)]
mod tests;
mod turn;
