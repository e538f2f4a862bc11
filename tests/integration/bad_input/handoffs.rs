//! Bad requests of `HandoffService`, but for watching.

use baton_proto::v1;

use super::{Case, bad_ids, case, long};
use crate::harness::hand_off;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = proposals();
    cases.extend(transfers());
    cases.extend(contexts());
    cases.extend(closings());
    let request = v1::ListHandoffsRequest {
        namespace: " ".into(),
        task_id: "\n".into(),
        agent_id: long(257),
        status: 8,
        page_size: 1_001,
        page_token: String::new(),
    };
    cases.push(case!("everything", handoffs.list_handoffs(request) =>
        ["namespace", "task_id", "agent_id", "status", "page_size"]));
    cases
}

fn good() -> v1::HandOffRequest {
    hand_off("", "task", "a", "b")
}

fn proposals() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, id) in bad_ids() {
        let request = v1::HandOffRequest { task_id: id.clone(), ..good() };
        cases.push(case!(what, handoffs.hand_off(request) => ["task_id"]));
        let request = v1::HandOffRequest { from_agent: id.clone(), to_agent: id, ..good() };
        cases.push(case!(what, handoffs.hand_off(request) => ["from_agent", "to_agent"]));
    }
    let request = v1::HandOffRequest { owner_epoch: Some(0), ..good() };
    cases.push(case!("epoch 0", handoffs.hand_off(request) => ["owner_epoch"]));
    let transfer = Some(v1::TransferSpec { scope: 4, on_conflict: 4, keys: Vec::new() });
    let context = Some(v1::HandoffContext { summary: "\u{2}".into(), ..Default::default() });
    let everything = v1::HandOffRequest {
        namespace: long(257),
        request_id: " ".into(),
        task_id: String::new(),
        from_agent: "\r".into(),
        to_agent: long(300),
        reason: long(4_097),
        owner_epoch: Some(0),
        transfer: transfer.clone(),
        context: context.clone(),
    };
    cases.push(case!("everything", handoffs.hand_off(everything) =>
        ["namespace", "request_id", "task_id", "from_agent", "to_agent", "reason", "owner_epoch", "transfer.scope",
            "transfer.on_conflict", "context.summary"]));
    let everything = v1::InitiateHandoffRequest {
        namespace: long(257),
        reason: "\u{7f}".into(),
        owner_epoch: Some(0),
        transfer: transfer.clone(),
        context: context.clone(),
        ..Default::default()
    };
    cases.push(case!("everything", handoffs.initiate_handoff(everything) =>
        ["namespace", "task_id", "from_agent", "to_agent", "reason", "owner_epoch", "transfer.scope",
            "transfer.on_conflict", "context.summary"]));
    let everything =
        v1::ValidateHandoffRequest { owner_epoch: Some(0), transfer, context, ..Default::default() };
    cases.push(case!("everything", rules.validate_handoff(everything) =>
        ["task_id", "from_agent", "to_agent", "owner_epoch", "transfer.scope", "transfer.on_conflict",
            "context.summary"]));

    cases.push(case!("nothing", handoffs.batch_hand_off(v1::BatchHandOffRequest::default()) => ["items"]));
    let request = v1::BatchHandOffRequest { items: vec![good(); 1_001], namespace: " ".into() };
    cases.push(case!("1,001 items", handoffs.batch_hand_off(request) => ["items", "namespace"]));
    let items = vec![good(), hand_off("north", "task", "a", "b")];
    let request = v1::BatchHandOffRequest { items, namespace: "south".into() };
    cases.push(case!("another namespace", handoffs.batch_hand_off(request) => ["items[1].namespace"]));
    cases
}

fn transfers() -> Vec<Case> {
    let moving = |scope: v1::TransferScope, keys: Vec<String>| v1::HandOffRequest {
        transfer: Some(v1::TransferSpec { scope: scope.into(), keys, ..Default::default() }),
        ..good()
    };
    let some = v1::TransferScope::Some;
    let mut cases = Vec::new();
    for scope in [v1::TransferScope::Unspecified, v1::TransferScope::All, v1::TransferScope::None] {
        let request = moving(scope, vec!["key".into()]);
        cases.push(case!(format!("keys with {scope:?}"), handoffs.hand_off(request) => ["transfer.keys"]));
    }
    cases.push(case!("no keys", handoffs.hand_off(moving(some, Vec::new())) => ["transfer.keys"]));
    let keys = (0..1_025).map(|index| index.to_string()).collect();
    cases.push(case!("1,025 keys", handoffs.hand_off(moving(some, keys)) => ["transfer.keys"]));
    let keys = vec!["good".into(), String::new(), long(257)];
    cases.push(case!("bad keys", handoffs.hand_off(moving(some, keys)) =>
        ["transfer.keys[1]", "transfer.keys[2]"]));
    cases
}

fn contexts() -> Vec<Case> {
    let with = |context| v1::HandOffRequest { context: Some(context), ..good() };
    let context = v1::HandoffContext::default;
    let quarter = || long(128 * 1024);
    vec![
        case!("a long context", handoffs.hand_off(with(v1::HandoffContext {
            summary: quarter(),
            completed: vec![quarter(), quarter()],
            ..context()
        })) => ["context"]),
        case!("many items", handoffs.hand_off(with(v1::HandoffContext {
            references: vec![String::new(); 1_001],
            ..context()
        })) => ["context.references"]),
        case!("control characters", handoffs.hand_off(with(v1::HandoffContext {
            completed: vec!["\0".into()],
            remaining: vec!["fine".into(), "\u{1}".into()],
            decisions: vec!["\u{2}".into()],
            pitfalls: vec!["\u{3}".into()],
            references: vec!["\u{4}".into()],
            ..context()
        })) => ["context.completed", "context.remaining", "context.decisions", "context.pitfalls",
            "context.references"]),
    ]
}

fn closings() -> Vec<Case> {
    let mut cases = Vec::new();
    let long_id = format!("h-{}", "1".repeat(300));
    let bad = [
        "",
        "1",
        "h-",
        "h-0",
        "h-01",
        "h-+1",
        "h--1",
        "H-1",
        " h-1",
        "h-1 ",
        "h-18446744073709551616",
        &long_id,
    ];
    for handoff_id in bad {
        let handoff_id = || handoff_id.to_owned();
        let request = v1::GetHandoffRequest { handoff_id: handoff_id(), ..Default::default() };
        cases.push(case!(handoff_id(), handoffs.get_handoff(request) => ["handoff_id"]));
        let request = v1::ExecuteHandoffRequest { handoff_id: handoff_id(), ..Default::default() };
        cases.push(case!(handoff_id(), handoffs.execute_handoff(request) => ["handoff_id"]));
        let request = v1::WithdrawHandoffRequest { handoff_id: handoff_id(), ..Default::default() };
        cases.push(case!(handoff_id(), handoffs.withdraw_handoff(request) => ["handoff_id"]));
    }
    let everything = v1::WithdrawHandoffRequest {
        namespace: " ".into(),
        request_id: " ".into(),
        handoff_id: "x".into(),
        owner_epoch: Some(0),
        reason: long(4_097),
    };
    cases.push(case!("everything", handoffs.withdraw_handoff(everything) =>
        ["namespace", "request_id", "handoff_id", "owner_epoch", "reason"]));
    cases
}
