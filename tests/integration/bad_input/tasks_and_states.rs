//! Bad requests of `TaskService`, `StateService` and `ValidationService`.

use baton_proto::v1;

use super::{Case, bad_ids, bad_optional_ids, bad_structs, case, long};
use crate::harness::{create, object, state};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = creations();
    cases.extend(updates());
    cases.extend(endings());
    cases.extend(questions());
    cases.extend(states());
    cases.extend(rules());
    cases
}

fn creations() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, id) in bad_ids() {
        let request = v1::CreateTaskRequest { task_id: id.clone(), ..create("", "t", "a") };
        cases.push(case!(format!("task_id: {what}"), tasks.create_task(request) => ["task_id"]));
        let request = v1::CreateTaskRequest { assigned_agent: id, ..create("", "t", "a") };
        cases.push(case!(format!("agent: {what}"), tasks.create_task(request) => ["assigned_agent"]));
    }
    for (what, id) in bad_optional_ids() {
        let request = v1::CreateTaskRequest { namespace: id.clone(), ..create("", "t", "a") };
        cases.push(case!(format!("namespace: {what}"), tasks.create_task(request) => ["namespace"]));
        let request = v1::CreateTaskRequest { request_id: id, ..create("", "t", "a") };
        cases.push(case!(format!("request_id: {what}"), tasks.create_task(request) => ["request_id"]));
    }
    for (what, metadata) in bad_structs() {
        let request = v1::CreateTaskRequest { metadata: Some(metadata), ..create("", "t", "a") };
        cases.push(case!(what, tasks.create_task(request) => ["metadata"]));
    }
    let metadata = Some(object([("key", long(256 * 1024))]));
    let request = v1::CreateTaskRequest { metadata, ..create("", "t", "a") };
    cases.push(case!("metadata too large", tasks.create_task(request) => ["metadata"]));
    let everything = v1::CreateTaskRequest {
        namespace: long(257),
        request_id: "\u{7}".into(),
        task_id: String::new(),
        description: long(16 * 1024 + 1),
        assigned_agent: " a".into(),
        metadata: Some(super::nested(33)),
    };
    let fields = ["namespace", "request_id", "task_id", "assigned_agent", "description", "metadata"];
    let [namespace, request_id, task_id, agent, description, metadata] = fields;
    cases.push(case!("everything", tasks.create_task(everything) =>
        [namespace, request_id, task_id, agent, description, metadata]));
    let request = v1::CreateTaskRequest { description: "a\u{1b}[0m".into(), ..create("", "t", "a") };
    cases.push(case!("an escape in the description", tasks.create_task(request) => ["description"]));

    cases.push(
        case!("nothing", tasks.batch_create_tasks(v1::BatchCreateTasksRequest::default()) => ["items"]),
    );
    let items: Vec<_> = (0..1_001).map(|index| create("", &format!("t{index}"), "a")).collect();
    let request = v1::BatchCreateTasksRequest { items, namespace: String::new() };
    cases.push(case!("1,001 items", tasks.batch_create_tasks(request) => ["items"]));
    let items = vec![create("north", "t", "a"), create("south", "t", "a"), create("", "t", "a")];
    let request = v1::BatchCreateTasksRequest { items, namespace: "north".into() };
    cases.push(case!("another namespace", tasks.batch_create_tasks(request) => ["items[1].namespace"]));
    cases
}

fn updates() -> Vec<Case> {
    let update = || v1::UpdateTaskRequest { task_id: "task".into(), start: true, ..Default::default() };
    let progress = |percent, note| Some(v1::TaskProgress { percent, note });
    vec![
        case!("nothing to change", tasks.update_task(v1::UpdateTaskRequest { start: false, ..update() }) => ["request"]),
        case!("progress 101", tasks.update_task(v1::UpdateTaskRequest { progress: progress(101, String::new()), ..update() })
            => ["progress.percent"]),
        case!("a long note", tasks.update_task(v1::UpdateTaskRequest { progress: progress(u32::MAX, long(4_097)), ..update() })
            => ["progress.percent", "progress.note"]),
        case!("everything", tasks.update_task(v1::UpdateTaskRequest {
            namespace: " n".into(),
            request_id: "r ".into(),
            task_id: "\0".into(),
            agent_id: "\t".into(),
            owner_epoch: Some(0),
            description: Some(long(16 * 1024 + 1)),
            metadata: Some(super::nested(33)),
            progress: progress(101, "\u{1}".into()),
            ..update()
        }) => ["namespace", "request_id", "task_id", "agent_id", "owner_epoch", "description", "metadata",
            "progress.percent", "progress.note"]),
    ]
}

fn endings() -> Vec<Case> {
    let mut cases = Vec::new();
    macro_rules! ending {
        ($rpc:ident, $request:ident) => {
            let request = v1::$request {
                namespace: long(257),
                request_id: long(257),
                task_id: long(257),
                agent_id: long(257),
                owner_epoch: Some(0),
                outcome: long(4_097),
            };
            cases.push(case!("everything", tasks.$rpc(request) =>
                ["namespace", "request_id", "task_id", "agent_id", "owner_epoch", "outcome"]));
        };
    }
    ending!(complete_task, CompleteTaskRequest);
    ending!(fail_task, FailTaskRequest);
    ending!(cancel_task, CancelTaskRequest);
    cases
}

fn questions() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, id) in bad_ids() {
        let namespace = String::new;
        let request = v1::GetTaskRequest { namespace: namespace(), task_id: id.clone() };
        cases.push(case!(what, tasks.get_task(request) => ["task_id"]));
        let request =
            v1::GetTaskHistoryRequest { task_id: id.clone(), page_size: 1_001, ..Default::default() };
        cases.push(case!(what, tasks.get_task_history(request) => ["task_id", "page_size"]));
        let request = v1::GetAgentStateRequest { agent_id: id.clone(), ..Default::default() };
        cases.push(case!(what, states.get_agent_state(request) => ["agent_id"]));
        let request = v1::GetStateHistoryRequest { agent_id: id, page_size: 1_001, ..Default::default() };
        cases.push(case!(what, states.get_state_history(request) => ["agent_id", "page_size"]));
    }
    let request = v1::ListTasksRequest {
        namespace: "\n".into(),
        assigned_agent: long(257),
        status: 99,
        page_size: u32::MAX,
        page_token: String::new(),
    };
    cases.push(case!("everything", tasks.list_tasks(request) =>
        ["namespace", "assigned_agent", "status", "page_size"]));
    cases
}

fn states() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, bad) in bad_structs() {
        let request = v1::UpdateAgentStateRequest { state: Some(bad), ..state("", "a", &[]) };
        cases.push(case!(what, states.update_agent_state(request) => ["state"]));
    }
    let too_large = Some(object([("key", long(1024 * 1024))]));
    let request = v1::UpdateAgentStateRequest { state: too_large, ..state("", "a", &[]) };
    cases.push(case!("too large", states.update_agent_state(request) => ["state"]));
    let request = v1::UpdateAgentStateRequest { mode: 9, state: None, ..state(" ", "", &[]) };
    cases.push(case!("everything", states.update_agent_state(request) =>
        ["namespace", "agent_id", "state", "mode"]));

    let transfer = |from: &str, to: &str, spec| v1::TransferStateRequest {
        from_agent: from.into(),
        to_agent: to.into(),
        transfer: Some(spec),
        ..Default::default()
    };
    let spec = v1::TransferSpec::default;
    let none = v1::TransferSpec { scope: v1::TransferScope::None.into(), ..spec() };
    cases.push(case!("scope NONE", states.transfer_state(transfer("a", "b", none)) => ["transfer.scope"]));
    cases.push(case!("to oneself", states.transfer_state(transfer("a", "a", spec())) => ["to_agent"]));
    let bad = v1::TransferSpec { scope: 9, on_conflict: -1, keys: vec!["key".into()] };
    cases.push(case!("everything", states.transfer_state(transfer("", "\n", bad)) =>
        ["from_agent", "to_agent", "transfer.scope", "transfer.on_conflict"]));
    cases
}

fn rules() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, id) in bad_ids() {
        let request = v1::RemoveValidationRuleRequest { name: id.clone(), ..Default::default() };
        cases.push(case!(what, rules.remove_validation_rule(request) => ["name"]));
        let rule = Some(v1::ValidationRule { name: id, ..Default::default() });
        let request = v1::AddValidationRuleRequest { rule, request_id: " ".into(), ..Default::default() };
        cases.push(case!(what, rules.add_validation_rule(request) => ["request_id", "rule.name"]));
    }
    let request = v1::AddValidationRuleRequest::default();
    cases.push(case!("no rule", rules.add_validation_rule(request) => ["rule.name"]));
    let request = v1::ListValidationRulesRequest { namespace: long(257) };
    cases.push(case!("namespace", rules.list_validation_rules(request) => ["namespace"]));
    cases
}
