//! What waits until somebody on this machine agrees to it.

use std::path::Path;

use mirror_engine::{HeldDetail, HeldFile};
use mirror_proto::v1;

use super::status::file_diff;

pub(in crate::server) fn held_file(file: &HeldFile) -> v1::HeldFile {
    v1::HeldFile {
        path: file.path.as_str().to_owned(),
        seq: file.seq,
        user: file.user.clone(),
        machine: file.machine.clone(),
        sha256: file.sha256.to_string(),
        why: v1::HeldReason::RunsCode.into(),
        is_link: file.is_link,
        refused: file.refused,
    }
}

pub(in crate::server) fn held_detail(detail: &HeldDetail, home: &Path) -> v1::HeldDetail {
    v1::HeldDetail {
        held: Some(held_file(&detail.file)),
        diff: Some(file_diff(&detail.diff, home)),
        fault: None,
    }
}
