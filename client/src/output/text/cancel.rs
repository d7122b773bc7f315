//! `cancel`: what was ended, and what of it stands.

use mirror_proto::v1::{CancelResponse, CancelledJob};

use crate::output::escape::escape;
use crate::output::paint::Paint;

pub(crate) fn cancelled(response: &CancelResponse, paint: Paint) -> String {
    if response.cancelled.is_empty() {
        return "nothing was running\n".to_owned();
    }
    response.cancelled.iter().map(|job| line(job, paint)).collect()
}

fn line(job: &CancelledJob, paint: Paint) -> String {
    let stands = match job.commit {
        Some(seq) => format!("commit #{seq} stands"),
        None => "nothing was committed".to_owned(),
    };
    let of = match job.project.as_str() {
        "" => String::new(),
        project => format!(" of {}", escape(project)),
    };
    format!("{} {}{of}: {stands}\n", paint.yellow("cancelled"), escape(&job.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_says_what_of_it_stands() {
        let job = |project: &str, commit| CancelledJob {
            project: project.to_owned(),
            kind: "push".to_owned(),
            commit,
        };
        let response = CancelResponse { cancelled: vec![job("notes", Some(43)), job("", None)] };
        assert_eq!(
            cancelled(&response, Paint::PLAIN),
            "cancelled push of notes: commit #43 stands\n\
             cancelled push: nothing was committed\n"
        );
        assert_eq!(cancelled(&CancelResponse::default(), Paint::PLAIN), "nothing was running\n");
    }
}
