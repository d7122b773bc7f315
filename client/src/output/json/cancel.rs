//! `cancel`.

use mirror_proto::v1::{CancelResponse, CancelledJob};
use serde_json::{Value, json};

use super::job::named;

pub(crate) fn cancelled(response: &CancelResponse) -> Value {
    json!({"cancelled": response.cancelled.iter().map(job).collect::<Vec<_>>()})
}

fn job(job: &CancelledJob) -> Value {
    json!({"project": named(&job.project), "kind": job.kind, "commit": job.commit})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelled_jobs_have_the_promised_shape() {
        let job = |project: &str, commit| CancelledJob {
            project: project.to_owned(),
            kind: "push".to_owned(),
            commit,
        };
        let response = CancelResponse { cancelled: vec![job("notes", Some(43)), job("", None)] };
        assert_eq!(
            cancelled(&response),
            json!({"cancelled": [
                {"project": "notes", "kind": "push", "commit": 43},
                {"project": null, "kind": "push", "commit": null},
            ]})
        );
    }
}
