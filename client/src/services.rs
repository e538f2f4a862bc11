//! Makes the generated clients, all with the same limits.
//!
//! Knows nothing of retries or of what is asked.

use baton_proto::v1::{
    handoff_service_client::HandoffServiceClient, monitor_service_client::MonitorServiceClient,
    state_service_client::StateServiceClient, task_service_client::TaskServiceClient,
    validation_service_client::ValidationServiceClient,
};
use tonic::transport::Channel;

/// Largest answer that is taken, in bytes: a page of large tasks is far over gRPC's default of 4 MiB.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(crate) fn tasks(channel: Channel) -> TaskServiceClient<Channel> {
    TaskServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX)
}

pub(crate) fn states(channel: Channel) -> StateServiceClient<Channel> {
    StateServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX)
}

pub(crate) fn handoffs(channel: Channel) -> HandoffServiceClient<Channel> {
    HandoffServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX)
}

pub(crate) fn rules(channel: Channel) -> ValidationServiceClient<Channel> {
    ValidationServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX)
}

pub(crate) fn monitor(channel: Channel) -> MonitorServiceClient<Channel> {
    MonitorServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX)
}
