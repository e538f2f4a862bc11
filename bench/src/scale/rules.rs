//! Switches off the rule that bounds the hand-offs of one task, where a benchmark is about more of them.

use baton_proto::v1::{RemoveValidationRuleRequest, validation_service_client::ValidationServiceClient};
use tonic::transport::Channel;

use crate::failure::{Failure, While as _};

/// Lets tasks of a namespace be handed on without end.
///
/// # Errors
/// The call fails.
pub(super) async fn allow_many_handoffs(channel: &Channel, namespace: &str) -> Result<(), Failure> {
    let request = RemoveValidationRuleRequest {
        namespace: namespace.to_owned(),
        name: "too_many_handoffs".into(),
        ..Default::default()
    };
    let mut client = ValidationServiceClient::new(channel.clone());
    client.remove_validation_rule(request).await.during("switching a rule off")?;
    Ok(())
}
