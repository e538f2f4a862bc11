//! Reasons that lie with what is asked.

use baton_proto::v1;

use super::Met;
use crate::harness::{Clients, Disk, Refused, TestServer, create, hand_off, object, start, state};

/// A namespace of its own for each reason, in one server: a task `task` of `a`, and states of `a` and `b` that differ.
async fn world() -> (TestServer, Clients) {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task", "a")).await.unwrap();
    clients.states.update_agent_state(state("", "a", &[("key", "of a")])).await.unwrap();
    clients.states.update_agent_state(state("", "b", &[("key", "of b")])).await.unwrap();
    (server, clients)
}

/// `asked!(rpc of a service, on a fresh world)` gives what it was refused with.
macro_rules! asked {
    ($clients:ident, $service:ident.$rpc:ident($request:expr)) => {
        Refused::of($clients.$service.$rpc($request).await)
    };
}

fn with_task<T>(make: impl FnOnce(String) -> T) -> T {
    make("no-such".to_owned())
}

pub(super) async fn invalid_field() -> Met {
    let (_server, mut clients) = world().await;
    vec![(asked!(clients, tasks.create_task(create("", "", "a"))), &[])]
}

pub(super) async fn task_not_found() -> Met {
    let (_server, mut clients) = world().await;
    let keys: &[&str] = &["task_id"];
    let get = with_task(|task_id| v1::GetTaskRequest { task_id, ..Default::default() });
    let history = with_task(|task_id| v1::GetTaskHistoryRequest { task_id, ..Default::default() });
    let handed = asked!(clients, handoffs.hand_off(hand_off("", "no-such", "a", "b")));
    assert_eq!(handed.rules(), ["unknown_task"]);
    vec![
        (asked!(clients, tasks.get_task(get)), keys),
        (asked!(clients, tasks.get_task_history(history)), keys),
        (asked!(clients, tasks.update_task(start("", "no-such"))), keys),
        (handed, keys),
    ]
}

pub(super) async fn handoff_not_found() -> Met {
    let (_server, mut clients) = world().await;
    let handoff_id = || "h-4711".to_owned();
    let get = v1::GetHandoffRequest { handoff_id: handoff_id(), ..Default::default() };
    let execute = v1::ExecuteHandoffRequest { handoff_id: handoff_id(), ..Default::default() };
    let withdraw = v1::WithdrawHandoffRequest { handoff_id: handoff_id(), ..Default::default() };
    vec![
        (asked!(clients, handoffs.get_handoff(get)), &["handoff_id"]),
        (asked!(clients, handoffs.execute_handoff(execute)), &["handoff_id"]),
        (asked!(clients, handoffs.withdraw_handoff(withdraw)), &["handoff_id"]),
    ]
}

pub(super) async fn agent_not_found() -> Met {
    let (_server, mut clients) = world().await;
    let get = v1::GetAgentStateRequest { agent_id: "nobody".into(), ..Default::default() };
    let then = v1::GetAgentStateRequest { agent_id: "b".into(), at_revision: 1, ..Default::default() };
    let history = v1::GetStateHistoryRequest { agent_id: "nobody".into(), ..Default::default() };
    vec![
        (asked!(clients, states.get_agent_state(get)), &["agent_id"]),
        (asked!(clients, states.get_agent_state(then)), &["agent_id"]),
        (asked!(clients, states.get_state_history(history)), &["agent_id"]),
        (
            asked!(clients, states.transfer_state(transfer("nobody", "b", v1::ConflictPolicy::Keep))),
            &["agent_id"],
        ),
    ]
}

pub(super) async fn rule_not_found() -> Met {
    let (_server, mut clients) = world().await;
    let rule = Some(v1::ValidationRule { name: "no_such".into(), ..Default::default() });
    let add = v1::AddValidationRuleRequest { rule, ..Default::default() };
    let remove = v1::RemoveValidationRuleRequest { name: "no_such".into(), ..Default::default() };
    vec![
        (asked!(clients, rules.add_validation_rule(add)), &["rule"]),
        (asked!(clients, rules.remove_validation_rule(remove)), &["rule"]),
    ]
}

pub(super) async fn task_exists() -> Met {
    let (_server, mut clients) = world().await;
    let again = v1::CreateTaskRequest { request_id: "another".into(), ..create("", "task", "a") };
    vec![(asked!(clients, tasks.create_task(again)), &["task_id"])]
}

pub(super) async fn request_id_reused() -> Met {
    let (_server, mut clients) = world().await;
    let other = create("", "task", "b");
    vec![(asked!(clients, tasks.create_task(other)), &["request_id"])]
}

pub(super) async fn not_owner() -> Met {
    let (_server, mut clients) = world().await;
    let stolen = v1::UpdateTaskRequest { agent_id: "b".into(), ..start("", "task") };
    vec![
        (asked!(clients, tasks.update_task(stolen)), &["task_id", "owner", "owner_epoch", "agent_id"]),
        (
            asked!(clients, handoffs.hand_off(hand_off("", "task", "b", "c"))),
            &["task_id", "owner", "owner_epoch", "agent_id", "handoff_id"],
        ),
    ]
}

pub(super) async fn stale_owner() -> Met {
    let (_server, mut clients) = world().await;
    let stale = v1::UpdateTaskRequest { owner_epoch: Some(2), ..start("", "task") };
    let handed = v1::HandOffRequest { owner_epoch: Some(2), ..hand_off("", "task", "a", "b") };
    let open = v1::InitiateHandoffRequest {
        task_id: "task".into(),
        from_agent: "a".into(),
        to_agent: "b".into(),
        reason: "later".into(),
        ..Default::default()
    };
    let initiated = v1::InitiateHandoffRequest { owner_epoch: Some(3), ..open.clone() };
    let of_update = asked!(clients, tasks.update_task(stale));
    let of_hand_off = asked!(clients, handoffs.hand_off(handed));
    let of_initiation = asked!(clients, handoffs.initiate_handoff(initiated));
    let handoff = clients.handoffs.initiate_handoff(open).await.unwrap().into_inner().handoff.unwrap();
    let handoff_id = handoff.handoff_id;
    let withdraw = v1::WithdrawHandoffRequest { handoff_id, owner_epoch: Some(4), ..Default::default() };
    let of_withdrawal = asked!(clients, handoffs.withdraw_handoff(withdraw));
    let given = [&of_update, &of_hand_off, &of_initiation, &of_withdrawal]
        .map(|refused| refused.value("given_epoch"));
    assert_eq!(given, ["2", "2", "3", "4"]);
    let keys: &[&str] = &["task_id", "owner", "owner_epoch", "given_epoch"];
    let of_handoffs: &[&str] = &["task_id", "owner", "owner_epoch", "given_epoch", "handoff_id"];
    vec![(of_update, keys), (of_hand_off, of_handoffs), (of_initiation, of_handoffs), (of_withdrawal, keys)]
}

pub(super) async fn wrong_task_status() -> Met {
    let (_server, mut clients) = world().await;
    let complete = v1::CompleteTaskRequest { task_id: "task".into(), ..Default::default() };
    let refused = asked!(clients, tasks.complete_task(complete));
    assert_eq!((refused.value("status"), refused.value("wanted")), ("pending", "completed"));
    vec![(refused, &["task_id", "status", "wanted"])]
}

pub(super) async fn wrong_handoff_status() -> Met {
    let (_server, mut clients) = world().await;
    let (handoff, _) = clients.hand_off(hand_off("", "task", "a", "b")).await.unwrap();
    let handoff_id = || handoff.handoff_id.clone();
    let execute = v1::ExecuteHandoffRequest { handoff_id: handoff_id(), ..Default::default() };
    let withdraw = v1::WithdrawHandoffRequest { handoff_id: handoff_id(), ..Default::default() };
    let keys: &[&str] = &["handoff_id", "status", "wanted"];
    vec![
        (asked!(clients, handoffs.execute_handoff(execute)), keys),
        (asked!(clients, handoffs.withdraw_handoff(withdraw)), keys),
    ]
}

pub(super) async fn handoff_rejected() -> Met {
    let (_server, mut clients) = world().await;
    let bad = v1::HandOffRequest { reason: " ".into(), ..hand_off("", "task", "a", "a") };
    let refused = asked!(clients, handoffs.hand_off(bad));
    assert_eq!(refused.rules(), ["empty_reason", "self_handoff"], "all violations, not just the first");
    vec![(refused, &["handoff_id", "task_id", "owner", "owner_epoch"])]
}

pub(super) async fn handoff_failed() -> Met {
    let (_server, mut clients) = world().await;
    let fail = v1::TransferSpec { on_conflict: v1::ConflictPolicy::Fail.into(), ..Default::default() };
    let conflicting = v1::HandOffRequest { transfer: Some(fail), ..hand_off("", "task", "a", "b") };
    vec![(asked!(clients, handoffs.hand_off(conflicting)), &["handoff_id", "task_id"])]
}

fn transfer(from: &str, to: &str, on_conflict: v1::ConflictPolicy) -> v1::TransferStateRequest {
    v1::TransferStateRequest {
        from_agent: from.into(),
        to_agent: to.into(),
        transfer: Some(v1::TransferSpec { on_conflict: on_conflict.into(), ..Default::default() }),
        ..Default::default()
    }
}

pub(super) async fn state_conflict() -> Met {
    let (_server, mut clients) = world().await;
    let mut missing = transfer("a", "b", v1::ConflictPolicy::Overwrite);
    let (scope, keys) = (v1::TransferScope::Some.into(), vec!["no-such".to_owned()]);
    missing.transfer = Some(v1::TransferSpec { scope, keys, ..Default::default() });
    let keys: &[&str] = &["from_agent", "to_agent"];
    vec![
        (asked!(clients, states.transfer_state(transfer("a", "b", v1::ConflictPolicy::Fail))), keys),
        (asked!(clients, states.transfer_state(missing)), keys),
    ]
}

pub(super) async fn state_too_large() -> Met {
    let (_server, mut clients) = world().await;
    let mebibyte = "x".repeat(1024 * 1024 - 100);
    for (agent, key) in [("a", "one"), ("b", "two"), ("b", "three")] {
        clients.states.update_agent_state(state("", agent, &[(key, &mebibyte)])).await.unwrap();
    }
    let keys: Vec<String> = (0..1_025).map(|index| format!("key-{index}")).collect();
    let many = keys.iter().map(|key| (key.as_str(), ""));
    let many = v1::UpdateAgentStateRequest { state: Some(object(many)), ..state("", "c", &[]) };
    let keys: &[&str] = &["agent_id", "limit"];
    let of_update = asked!(clients, states.update_agent_state(state("", "b", &[("four", &mebibyte)])));
    let of_transfer =
        asked!(clients, states.transfer_state(transfer("a", "b", v1::ConflictPolicy::Overwrite)));
    assert_eq!((of_update.value("agent_id"), of_transfer.value("agent_id")), ("b", "b"));
    vec![(of_update, keys), (of_transfer, keys), (asked!(clients, states.update_agent_state(many)), keys)]
}

pub(super) async fn rule_not_switchable() -> Met {
    let (_server, mut clients) = world().await;
    let remove = v1::RemoveValidationRuleRequest { name: "stale_owner".into(), ..Default::default() };
    vec![(asked!(clients, rules.remove_validation_rule(remove)), &["rule"])]
}

pub(super) async fn revision_mismatch() -> Met {
    let (_server, mut clients) = world().await;
    let task = v1::UpdateTaskRequest { expected_revision: Some(7), ..start("", "task") };
    let changed = v1::UpdateAgentStateRequest { expected_revision: Some(0), ..state("", "a", &[]) };
    let keys: &[&str] = &["expected_revision", "revision"];
    let of_task = asked!(clients, tasks.update_task(task));
    assert_eq!((of_task.value("expected_revision"), of_task.value("revision")), ("7", "1"));
    vec![(of_task, keys), (asked!(clients, states.update_agent_state(changed)), keys)]
}

pub(super) async fn revision_compacted() -> Met {
    let (_server, mut clients) = world().await;
    for count in 0..100 {
        clients.states.update_agent_state(state("", "a", &[("key", &count.to_string())])).await.unwrap();
    }
    let then = v1::GetAgentStateRequest { agent_id: "a".into(), at_revision: 2, ..Default::default() };
    let refused = asked!(clients, states.get_agent_state(then));
    assert_eq!((refused.value("oldest_revision"), refused.value("newest_revision")), ("4", "103"));
    vec![(refused, &["oldest_revision", "newest_revision"])]
}

pub(super) async fn revision_in_future() -> Met {
    let (_server, mut clients) = world().await;
    let then = v1::GetAgentStateRequest { agent_id: "a".into(), at_revision: 4, ..Default::default() };
    let watch = v1::WatchHandoffsRequest { start_revision: 5, ..Default::default() };
    let of_watch = asked!(clients, handoffs.watch_handoffs(watch));
    assert_eq!((of_watch.value("oldest_revision"), of_watch.value("newest_revision")), ("1", "3"));
    let keys: &[&str] = &["oldest_revision", "newest_revision"];
    vec![(asked!(clients, states.get_agent_state(then)), keys), (of_watch, keys)]
}

pub(super) async fn log_mismatch() -> Met {
    let (_server, mut clients) = world().await;
    let log_id = "of another log".to_owned();
    let watch = v1::WatchHandoffsRequest { start_revision: 1, log_id, ..Default::default() };
    let refused = asked!(clients, handoffs.watch_handoffs(watch));
    let info = clients.monitor.get_server_info(v1::GetServerInfoRequest {}).await.unwrap().into_inner();
    assert_eq!(refused.value("log_id"), info.log_id);
    vec![(refused, &["log_id"])]
}
