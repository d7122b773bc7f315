//! What the fake daemon finds where it is told to look.

use std::collections::VecDeque;
use std::sync::Mutex;

use mirror_proto::v1::doctor_service_server::DoctorService;
use mirror_proto::v1::{
    CheckAuthRequest, CheckAuthResponse, ExamineRequest, ExamineResponse, Finding,
    TryBackendRequest, TryBackendResponse,
};
use tonic::{Request, Response, async_trait};

use super::{Answer, FakeDaemon, RunningDaemon, Service};

#[derive(Debug, Default)]
pub(super) struct Doctor {
    /// What each try gives; the last one stays.
    tries: Mutex<VecDeque<TryBackendResponse>>,
    tried: Mutex<Vec<TryBackendRequest>>,
    findings: Vec<Finding>,
    examined: Mutex<Vec<ExamineRequest>>,
    checked: Mutex<Vec<CheckAuthRequest>>,
}

impl FakeDaemon {
    /// The next try of a backend goes like this, and all after the last.
    pub(crate) fn trying(self, response: TryBackendResponse) -> Self {
        self.0.doctor.tries.lock().expect("not poisoned").push_back(response);
        self
    }

    /// Every examination comes to this.
    pub(crate) fn finding(mut self, findings: Vec<Finding>) -> Self {
        self.0.doctor.findings = findings;
        self
    }
}

impl RunningDaemon {
    pub(crate) fn tried(&self) -> Vec<TryBackendRequest> {
        self.service.0.doctor.tried.lock().expect("not poisoned").clone()
    }

    pub(crate) fn examined(&self) -> Vec<ExamineRequest> {
        self.service.0.doctor.examined.lock().expect("not poisoned").clone()
    }

    pub(crate) fn checked(&self) -> Vec<CheckAuthRequest> {
        self.service.0.doctor.checked.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl DoctorService for Service {
    async fn try_backend(&self, request: Request<TryBackendRequest>) -> Answer<TryBackendResponse> {
        self.0.doctor.tried.lock().expect("not poisoned").push(request.into_inner());
        let mut tries = self.0.doctor.tries.lock().expect("not poisoned");
        let next = if tries.len() > 1 { tries.pop_front() } else { tries.front().cloned() };
        Ok(Response::new(next.unwrap_or_default()))
    }

    async fn check_auth(&self, request: Request<CheckAuthRequest>) -> Answer<CheckAuthResponse> {
        self.0.doctor.checked.lock().expect("not poisoned").push(request.into_inner());
        Ok(Response::new(CheckAuthResponse { findings: self.0.doctor.findings.clone() }))
    }

    async fn examine(&self, request: Request<ExamineRequest>) -> Answer<ExamineResponse> {
        self.0.doctor.examined.lock().expect("not poisoned").push(request.into_inner());
        Ok(Response::new(ExamineResponse { findings: self.0.doctor.findings.clone() }))
    }
}
