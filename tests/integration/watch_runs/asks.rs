//! The calls that writers make, asked as often as it takes with the same request id, and what they were answered.
//!
//! Knows nothing of why a call is made.

use baton_proto::v1;
use tonic::{Code, Status};

use super::truth::Answer;
use crate::harness::{Clients, Refused};

/// A call, as it is asked and asked again.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Create(v1::CreateTaskRequest),
    CreateBatch(v1::BatchCreateTasksRequest),
    HandOff(v1::HandOffRequest),
    HandOffBatch(v1::BatchHandOffRequest),
    Initiate(v1::InitiateHandoffRequest),
    Execute(v1::ExecuteHandoffRequest),
    Withdraw(v1::WithdrawHandoffRequest),
    Update(v1::UpdateTaskRequest),
    Complete(v1::CompleteTaskRequest),
    Fail(v1::FailTaskRequest),
    Cancel(v1::CancelTaskRequest),
    State(v1::UpdateAgentStateRequest),
    Transfer(v1::TransferStateRequest),
    RuleOff(v1::RemoveValidationRuleRequest),
    RuleOn(v1::AddValidationRuleRequest),
}

/// There is no answer: the server is stopping or gone, and nobody knows whether it was done.
#[derive(Debug)]
pub(super) struct Gone;

impl Ask {
    /// What was answered, which is nothing to remember for refusals without a trace.
    pub(super) async fn send(self, clients: &mut Clients) -> Result<Vec<Answer>, Gone> {
        match self.call(clients).await {
            Ok(answers) => Ok(answers),
            Err(status) if is_gone(&status) => Err(Gone),
            Err(status) => Ok(refused(status)),
        }
    }

    async fn call(self, clients: &mut Clients) -> Result<Vec<Answer>, Status> {
        let Clients { tasks, states, handoffs, rules, .. } = clients;
        Ok(match self {
            Self::Create(request) => of_task(tasks.create_task(request).await?.into_inner().task),
            Self::Update(request) => of_task(tasks.update_task(request).await?.into_inner().task),
            Self::Complete(request) => of_task(tasks.complete_task(request).await?.into_inner().task),
            Self::Fail(request) => of_task(tasks.fail_task(request).await?.into_inner().task),
            Self::Cancel(request) => of_task(tasks.cancel_task(request).await?.into_inner().task),
            Self::CreateBatch(request) => {
                let results = tasks.batch_create_tasks(request).await?.into_inner().results;
                results
                    .into_iter()
                    .flat_map(|result| result.task)
                    .flat_map(|task| of_task(Some(task)))
                    .collect()
            }
            Self::HandOff(request) => {
                let answer = handoffs.hand_off(request).await?.into_inner();
                of_handoff(answer.handoff, answer.task)
            }
            Self::Initiate(request) => {
                let answer = handoffs.initiate_handoff(request).await?.into_inner();
                of_handoff(answer.handoff, answer.task)
            }
            Self::Execute(request) => {
                let answer = handoffs.execute_handoff(request).await?.into_inner();
                of_handoff(answer.handoff, answer.task)
            }
            Self::Withdraw(request) => {
                let answer = handoffs.withdraw_handoff(request).await?.into_inner();
                of_handoff(answer.handoff, answer.task)
            }
            Self::HandOffBatch(request) => {
                let results = handoffs.batch_hand_off(request).await?.into_inner().results;
                results.into_iter().flat_map(of_result).collect()
            }
            Self::State(request) => {
                of_state(states.update_agent_state(request).await?.into_inner().agent_state)
            }
            Self::Transfer(request) => {
                of_state(states.transfer_state(request).await?.into_inner().agent_state)
            }
            Self::RuleOff(request) => rules.remove_validation_rule(request).await.map(|_| Vec::new())?,
            Self::RuleOn(request) => rules.add_validation_rule(request).await.map(|_| Vec::new())?,
        })
    }
}

fn of_task(task: Option<v1::Task>) -> Vec<Answer> {
    vec![Answer::Task(Box::new(task.expect("the task is given")))]
}

fn of_handoff(handoff: Option<v1::Handoff>, task: Option<v1::Task>) -> Vec<Answer> {
    vec![Answer::Handoff(Box::new(handoff.expect("the hand-off is given")), task.map(Box::new))]
}

fn of_state(state: Option<v1::AgentState>) -> Vec<Answer> {
    let state = state.expect("a receipt is given");
    vec![Answer::State { agent: state.agent_id, revision: state.revision }]
}

fn of_result(result: v1::HandOffResult) -> Vec<Answer> {
    match (result.handoff, result.error) {
        (Some(handoff), None) => of_handoff(Some(handoff), None),
        (None, Some(mut error)) => {
            let handoff_id = error.metadata.remove("handoff_id");
            handoff_id.into_iter().map(|handoff_id| Answer::Refused { handoff_id }).collect()
        }
        both => panic!("a result is a hand-off or an error, not {both:?}"),
    }
}

fn refused(status: Status) -> Vec<Answer> {
    use v1::ErrorReason::{HandoffFailed, HandoffRejected, NotOwner, StaleOwner};
    let recorded = [HandoffRejected, HandoffFailed, NotOwner, StaleOwner];
    let refused = Refused::from(status);
    // Of a hand-off that is not open any more, the id is told too, but nothing was recorded.
    let trace = recorded.contains(&refused.reason()) && refused.values().contains_key("handoff_id");
    if trace {
        vec![Answer::Refused { handoff_id: refused.value("handoff_id").to_owned() }]
    } else {
        Vec::new()
    }
}

/// Whether `status` comes of a server that is stopping, or of a connection that has ended.
pub(super) fn is_gone(status: &Status) -> bool {
    let refusal = Refused::from(status.clone());
    match refused_codes(status.code()) {
        true => false,
        false if refusal.details.error_info().is_some() => {
            assert_eq!(refusal.reason(), v1::ErrorReason::ShuttingDown, "{refusal:?}");
            true
        }
        false => true,
    }
}

/// Codes of refusals that a healthy server gives to these calls.
fn refused_codes(code: Code) -> bool {
    matches!(code, Code::FailedPrecondition | Code::NotFound | Code::AlreadyExists | Code::Aborted)
}
