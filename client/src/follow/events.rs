//! What streams of the daemon's say, whatever they are about.

use mirror_proto::v1::{
    Committed, Covered, JobBegun, JobEvent, JobFinished, Progress, SetUpEvent, SetUpFinished,
    job_event, set_up_event,
};

/// What a stream of the daemon's says next.
#[derive(Debug)]
pub(crate) enum Step<F> {
    Begun(JobBegun),
    Progress(Progress),
    Committed(Committed),
    Covered(Covered),
    Finished(F),
}

/// An event of a stream that ends with exactly one `finished`.
pub(crate) trait Event {
    type Finished;

    /// `None` for what a newer daemon says and we don't know.
    fn step(self) -> Option<Step<Self::Finished>>;

    /// What is known of a job that nobody waits for any more.
    fn cut_off(committed: Option<Committed>) -> Self::Finished;
}

impl Event for JobEvent {
    type Finished = JobFinished;

    fn step(self) -> Option<Step<JobFinished>> {
        Some(match self.event? {
            job_event::Event::Begun(begun) => Step::Begun(begun),
            job_event::Event::Progress(progress) => Step::Progress(progress),
            job_event::Event::Committed(committed) => Step::Committed(committed),
            job_event::Event::Finished(finished) => Step::Finished(finished),
        })
    }

    fn cut_off(commit: Option<Committed>) -> JobFinished {
        JobFinished { commit, cancelled: true, ..JobFinished::default() }
    }
}

impl Event for SetUpEvent {
    type Finished = SetUpFinished;

    fn step(self) -> Option<Step<SetUpFinished>> {
        Some(match self.event? {
            set_up_event::Event::Begun(begun) => Step::Begun(begun),
            set_up_event::Event::Progress(progress) => Step::Progress(progress),
            set_up_event::Event::Covered(covered) => Step::Covered(covered),
            set_up_event::Event::Finished(finished) => Step::Finished(finished),
        })
    }

    fn cut_off(_committed: Option<Committed>) -> SetUpFinished {
        SetUpFinished { cancelled: true, ..SetUpFinished::default() }
    }
}
