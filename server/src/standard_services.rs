//! Adds the services that every gRPC server should have: health and reflection.
//!
//! Knows readiness and descriptors. Knows nothing of the services that they speak of.

use baton_proto::FILE_DESCRIPTOR_SET;
use tonic_health::{
    ServingStatus,
    pb::health_server::HealthServer,
    server::{HealthReporter, HealthService},
};
use tonic_reflection::server::Builder as ReflectionBuilder;

use crate::{readiness::Readiness, routes::Routes};

/// Reports readiness through `grpc.health.v1`: for the server, whose name is empty, and for each service.
#[derive(Debug)]
pub(crate) struct Health {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

impl Health {
    /// Reports what `readiness` says now.
    pub(crate) async fn report(&self, readiness: &Readiness) {
        let status =
            if readiness.check().is_ok() { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in &self.services {
            self.reporter.set_service_status(service, status).await;
        }
    }
}

/// Adds health and reflection, v1 and v1alpha, to `routes`.
pub(crate) fn add_to(routes: Routes) -> (Routes, Health) {
    let reporter = HealthReporter::new();
    let services = std::iter::once("").chain(routes.names()).collect();
    let health = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
    let reflection = || {
        ReflectionBuilder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = routes
        .with(health)
        .with(reflection().build_v1().expect("the build wrote the descriptors"))
        .with(reflection().build_v1alpha().expect("the build wrote the descriptors"));
    (routes, Health { reporter, services })
}
