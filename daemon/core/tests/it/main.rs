//! Promises of the core that take more than one module, or git, to test.

mod convergence;
mod exhaustive;
mod gitignore;
mod model;
