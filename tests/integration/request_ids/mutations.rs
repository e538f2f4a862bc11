//! The table: every mutation once, hand-offs also as they are refused and fail.
//!
//! Knows how each is asked and what another body is; knows nothing of restarts.

use std::{fmt::Debug, future::Future, pin::Pin};

use baton_proto::v1::{self, ConflictPolicy};
use tonic::{Response, Status};

use crate::harness::{Clients, Refused, create, hand_off, start, state};

type Asking = Pin<Box<dyn Future<Output = String> + Send>>;

/// One mutation with a request id.
pub(super) struct Mutation {
    pub(super) rpc: &'static str,
    /// Asks, and gives all that was answered.
    pub(super) ask: Box<dyn Fn(Clients) -> Asking>,
    /// Asks for something else with the same request id.
    pub(super) ask_other: Box<dyn Fn(Clients) -> Asking>,
}

/// All that a caller sees of an answer.
fn seen<T: Debug>(answer: Result<Response<T>, Status>) -> String {
    match answer.map(Response::into_inner).map_err(Refused::from) {
        Ok(message) => format!("{message:?}"),
        Err(refused) => {
            let Refused { code, message, .. } = &refused;
            format!(
                "{code:?} {message} {} {:?} {:?}",
                refused.reason().as_str_name(),
                refused.values(),
                refused.rules()
            )
        }
    }
}

/// `mutation!("Rpc", service.rpc(request), |request| make it another)`
macro_rules! mutation {
    ($rpc:literal, $service:ident.$method:ident($request:expr), |$other:ident| $change:expr) => {{
        let request = $request;
        let mut $other = request.clone();
        $change;
        let ask_for = |request: _| -> Box<dyn Fn(Clients) -> Asking> {
            Box::new(move |mut clients: Clients| {
                let request = Clone::clone(&request);
                Box::pin(async move { seen(clients.$service.$method(request).await) })
            })
        };
        Mutation { rpc: $rpc, ask: ask_for(request), ask_other: ask_for($other) }
    }};
}

fn named<T>(request_id: &str, make: impl FnOnce(String) -> T) -> T {
    make(request_id.to_owned())
}

/// Makes what they need, and gives them.
pub(super) async fn all(clients: &mut Clients) -> Vec<Mutation> {
    for task in [
        "update", "complete", "fail", "cancel", "hand-off", "refused", "failed", "batch", "initiate",
        "execute", "withdraw",
    ] {
        clients.create(create("", task, "a")).await.unwrap();
    }
    for task in ["complete", "fail"] {
        clients.tasks.update_task(start("", task)).await.unwrap();
    }
    clients.states.update_agent_state(state("", "a", &[("key", "of a")])).await.unwrap();
    clients.states.update_agent_state(state("", "c", &[("key", "of c")])).await.unwrap();
    let execute = initiate(clients, "execute").await;
    let withdraw = initiate(clients, "withdraw").await;
    let mut all = of_tasks();
    all.extend(of_states_and_rules());
    all.extend(of_handoffs());
    all.extend(of_open_handoffs(execute, withdraw));
    all
}

fn initiation(task_id: &str) -> v1::InitiateHandoffRequest {
    v1::InitiateHandoffRequest {
        task_id: task_id.into(),
        from_agent: "a".into(),
        to_agent: "b".into(),
        reason: "later".into(),
        ..Default::default()
    }
}

async fn initiate(clients: &mut Clients, task_id: &str) -> String {
    let answer = clients.handoffs.initiate_handoff(initiation(task_id)).await.unwrap().into_inner();
    answer.handoff.unwrap().handoff_id
}

fn of_tasks() -> Vec<Mutation> {
    let update = named("r-update", |request_id| v1::UpdateTaskRequest {
        request_id,
        description: Some("another".into()),
        ..start("", "update")
    });
    let complete = named("r-complete", |request_id| v1::CompleteTaskRequest {
        request_id,
        task_id: "complete".into(),
        ..Default::default()
    });
    let fail = named("r-fail", |request_id| v1::FailTaskRequest {
        request_id,
        task_id: "fail".into(),
        ..Default::default()
    });
    let cancel = named("r-cancel", |request_id| v1::CancelTaskRequest {
        request_id,
        task_id: "cancel".into(),
        ..Default::default()
    });
    let batch = v1::BatchCreateTasksRequest {
        items: vec![create("", "created-in-batch", "a")],
        ..Default::default()
    };
    vec![
        mutation!("CreateTask", tasks.create_task(create("", "created", "a")), |other| other
            .assigned_agent =
            "b".into()),
        mutation!("BatchCreateTasks", tasks.batch_create_tasks(batch), |other| {
            other.items[0].description = "another".into();
        }),
        mutation!("UpdateTask", tasks.update_task(update), |other| other.description = None),
        mutation!("CompleteTask", tasks.complete_task(complete), |other| other.outcome = "another".into()),
        mutation!("FailTask", tasks.fail_task(fail), |other| other.task_id = "update".into()),
        mutation!("CancelTask", tasks.cancel_task(cancel), |other| other.agent_id = "a".into()),
    ]
}

fn of_states_and_rules() -> Vec<Mutation> {
    let update = named("r-state", |request_id| v1::UpdateAgentStateRequest {
        request_id,
        ..state("", "b", &[("k", "v")])
    });
    let transfer = named("r-transfer", |request_id| v1::TransferStateRequest {
        request_id,
        from_agent: "a".into(),
        to_agent: "d".into(),
        ..Default::default()
    });
    let remove = named("r-remove", |request_id| v1::RemoveValidationRuleRequest {
        request_id,
        name: "ping_pong".into(),
        ..Default::default()
    });
    let add = named("r-add", |request_id| v1::AddValidationRuleRequest {
        request_id,
        rule: Some(v1::ValidationRule { name: "ping_pong".into(), ..Default::default() }),
        ..Default::default()
    });
    vec![
        mutation!("UpdateAgentState", states.update_agent_state(update), |other| {
            other.mode = v1::UpdateMode::Replace.into();
        }),
        mutation!("TransferState", states.transfer_state(transfer), |other| {
            other.transfer =
                Some(v1::TransferSpec { on_conflict: ConflictPolicy::Keep.into(), ..Default::default() });
        }),
        mutation!("RemoveValidationRule", rules.remove_validation_rule(remove), |other| {
            other.name = "state_size".into();
        }),
        mutation!("AddValidationRule", rules.add_validation_rule(add), |other| {
            other.rule = Some(v1::ValidationRule { name: "state_size".into(), ..Default::default() });
        }),
    ]
}

fn of_handoffs() -> Vec<Mutation> {
    let of = |request_id: &str, task: &str, to: &str| v1::HandOffRequest {
        request_id: request_id.into(),
        ..hand_off("", task, "a", to)
    };
    let fail = Some(v1::TransferSpec { on_conflict: ConflictPolicy::Fail.into(), ..Default::default() });
    let failed = v1::HandOffRequest { transfer: fail, ..of("r-failed", "failed", "c") };
    let batch = v1::BatchHandOffRequest { items: vec![of("r-batch", "batch", "b")], ..Default::default() };
    let initiate = v1::InitiateHandoffRequest { request_id: "r-initiate".into(), ..initiation("initiate") };
    vec![
        mutation!("HandOff", handoffs.hand_off(of("r-hand-off", "hand-off", "b")), |other| other
            .owner_epoch =
            Some(1)),
        mutation!("HandOff", handoffs.hand_off(of("r-refused", "refused", "a")), |other| other.to_agent =
            "b".into()),
        mutation!("HandOff", handoffs.hand_off(failed), |other| other.transfer = None),
        mutation!("BatchHandOff", handoffs.batch_hand_off(batch), |other| other.items[0].reason =
            "another".into()),
        mutation!("InitiateHandoff", handoffs.initiate_handoff(initiate), |other| {
            other.context = Some(crate::harness::context());
        }),
    ]
}

fn of_open_handoffs(execute: String, withdraw: String) -> Vec<Mutation> {
    let execute = v1::ExecuteHandoffRequest {
        request_id: "r-execute".into(),
        handoff_id: execute,
        ..Default::default()
    };
    let withdraw = v1::WithdrawHandoffRequest {
        request_id: "r-withdraw".into(),
        handoff_id: withdraw,
        ..Default::default()
    };
    vec![
        mutation!("ExecuteHandoff", handoffs.execute_handoff(execute), |other| other.owner_epoch = Some(1)),
        mutation!("WithdrawHandoff", handoffs.withdraw_handoff(withdraw), |other| other.reason =
            "another".into()),
    ]
}
