//! Who is asked, and who looks at the answers.

use super::prompt::Person;
use crate::connect::Daemon;

pub(super) struct Asking<'a> {
    pub(super) person: Person<'a>,
    pub(super) daemon: &'a Daemon,
}
