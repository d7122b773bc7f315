//! Failures as clients see them: one class, one line, what to do.

use std::path::Path;

use mirror_engine::{EngineError, FileFault, ProjectFault};
use mirror_proto::v1;
use mirror_storage::FaultClass;
use prost::Message;
use tonic::{Code, Status};

use crate::backends::PRIMARY;
use crate::error::RequestError;
use crate::folders::with_tilde;

/// A gRPC status with the fault, encoded, in its details.
pub(in crate::server) fn status_of(error: &RequestError, home: &Path) -> Status {
    let fault = fault_of(error, home);
    let details = fault.encode_to_vec();
    Status::with_details(code(error.class()), fault.message, details.into())
}

pub(in crate::server) fn fault_of(error: &RequestError, home: &Path) -> v1::Fault {
    v1::Fault {
        class: fault_class(error.class()).into(),
        message: with_tilde(&error.message(), home),
        path: error.path(),
        backend: error.is_about_backend().then(|| PRIMARY.to_owned()),
        hint: error.hint().map(|hint| with_tilde(&hint, home)),
        deletions: deletions_of(error),
    }
}

/// What a person has to agree to first.
fn deletions_of(error: &RequestError) -> Option<v1::Deletions> {
    let Some(EngineError::Consent(asked)) = error.as_raised() else { return None };
    let folder = |(folder, count): &(String, usize)| v1::FolderDeletions {
        folder: folder.clone(),
        count: *count as u64,
    };
    Some(v1::Deletions {
        count: asked.count as u64,
        first_paths: asked.first.iter().map(|path| path.as_str().to_owned()).collect(),
        folders: asked.folders.iter().map(folder).collect(),
    })
}

pub(super) fn failed_file(fault: &FileFault, home: &Path) -> v1::FailedFile {
    v1::FailedFile { path: fault.path.clone(), fault: Some(file_fault(fault, home)) }
}

pub(super) fn file_fault(fault: &FileFault, home: &Path) -> v1::Fault {
    v1::Fault {
        class: fault_class(fault.class).into(),
        message: with_tilde(&fault.message, home),
        path: Some(fault.path.clone()).filter(|path| !path.is_empty()),
        backend: None,
        hint: fault.hint.as_deref().map(|hint| with_tilde(hint, home)),
        deletions: None,
    }
}

/// What is wrong with a project, told beside an answer.
pub(in crate::server) fn project_fault(fault: &ProjectFault, home: &Path) -> v1::Fault {
    v1::Fault {
        class: fault_class(fault.class).into(),
        message: with_tilde(&fault.message, home),
        path: None,
        backend: fault.of_backend.then(|| PRIMARY.to_owned()),
        hint: fault.hint.as_deref().map(|hint| with_tilde(hint, home)),
        deletions: None,
    }
}

pub(in crate::server) fn fault_class(class: FaultClass) -> v1::FaultClass {
    match class {
        FaultClass::Transient => v1::FaultClass::Transient,
        FaultClass::Auth => v1::FaultClass::Auth,
        FaultClass::Quota => v1::FaultClass::Quota,
        FaultClass::Permission => v1::FaultClass::Permission,
        FaultClass::Rejected => v1::FaultClass::Rejected,
        FaultClass::NotFound => v1::FaultClass::NotFound,
        FaultClass::Conflict => v1::FaultClass::Conflict,
        FaultClass::Consent => v1::FaultClass::Consent,
        FaultClass::Stopped => v1::FaultClass::Stopped,
        FaultClass::Usage => v1::FaultClass::Usage,
        FaultClass::Internal => v1::FaultClass::Internal,
    }
}

fn code(class: FaultClass) -> Code {
    match class {
        FaultClass::Transient => Code::Unavailable,
        FaultClass::Auth => Code::Unauthenticated,
        FaultClass::Quota => Code::ResourceExhausted,
        FaultClass::Permission => Code::PermissionDenied,
        FaultClass::NotFound => Code::NotFound,
        FaultClass::Conflict => Code::Aborted,
        FaultClass::Rejected | FaultClass::Consent | FaultClass::Stopped => {
            Code::FailedPrecondition
        }
        FaultClass::Usage => Code::InvalidArgument,
        FaultClass::Internal => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projects::ProjectError;

    #[test]
    fn status_carries_its_fault_without_the_home_folder() {
        let error = RequestError::from(ProjectError::NotInside("/home/ann/work".into()));

        let status = status_of(&error, Path::new("/home/ann"));

        let fault = v1::Fault::decode(status.details()).unwrap();
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(fault.class(), v1::FaultClass::NotFound);
        assert_eq!(fault.message, "~/work is not inside a project");
        assert!(fault.hint.unwrap().contains("mirrorctl init"));
    }
}
