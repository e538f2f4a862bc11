//! Listings, a page at a time: each item that matches once, in order, whatever the size of the pages.

use std::collections::BTreeSet;

use baton_proto::v1::{self, HandoffStatus, TaskStatus};

use crate::harness::{Clients, Disk, TestServer, create, hand_off, start, state};

/// Tasks; every third is handed to `b`, of these every second to `c`, and every fifth is refused once.
const TASKS: usize = 230;

/// `pages!(service.rpc(request), field)`: all items over all pages.
macro_rules! pages {
    ($clients:ident, $service:ident.$rpc:ident($request:expr), $items:ident) => {{
        let mut request = $request;
        let mut all = Vec::new();
        loop {
            let page = $clients.$service.$rpc(request.clone()).await.unwrap().into_inner();
            assert!(request.page_size == 0 || page.$items.len() <= request.page_size as usize);
            assert!(request.page_size != 0 || page.$items.len() <= 100, "the default is 100");
            all.extend(page.$items);
            if page.next_page_token.is_empty() {
                break all;
            }
            request.page_token = page.next_page_token;
        }
    }};
}

async fn filled() -> (TestServer, Clients) {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let items: Vec<_> = (0..TASKS).map(|index| create("", &format!("task-{index:03}"), "a")).collect();
    let batch = v1::BatchCreateTasksRequest { items, namespace: String::new() };
    clients.tasks.batch_create_tasks(batch).await.unwrap();
    let mut items = Vec::new();
    for index in 0..TASKS {
        let task = format!("task-{index:03}");
        if index % 5 == 0 {
            items.push(hand_off("", &task, "a", "a"));
        }
        if index % 3 == 0 {
            items.push(hand_off("", &task, "a", "b"));
        }
        if index % 6 == 0 {
            items.push(hand_off("", &task, "b", "c"));
        }
    }
    let batch = v1::BatchHandOffRequest { items, namespace: String::new() };
    clients.handoffs.batch_hand_off(batch).await.unwrap();
    (server, clients)
}

fn ids<'a>(tasks: impl IntoIterator<Item = &'a v1::Task>) -> Vec<String> {
    tasks.into_iter().map(|task| task.task_id.clone()).collect()
}

fn expected(wanted: impl Fn(usize) -> bool) -> Vec<String> {
    (0..TASKS).filter(|index| wanted(*index)).map(|index| format!("task-{index:03}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_come_once_each_by_owner_and_status() {
    let (server, mut clients) = filled().await;
    for page_size in [1, 7, 100, 1_000, 0] {
        let list = v1::ListTasksRequest { page_size, ..Default::default() };
        assert_eq!(ids(&pages!(clients, tasks.list_tasks(list.clone()), tasks)), expected(|_| true));
        let of_b = v1::ListTasksRequest { assigned_agent: "b".into(), ..list.clone() };
        assert_eq!(ids(&pages!(clients, tasks.list_tasks(of_b), tasks)), expected(|index| index % 6 == 3));
        let pending = v1::ListTasksRequest { status: TaskStatus::Pending.into(), ..list.clone() };
        assert_eq!(ids(&pages!(clients, tasks.list_tasks(pending), tasks)), expected(|index| index % 3 != 0));
        let both = v1::ListTasksRequest {
            assigned_agent: "c".into(),
            status: TaskStatus::HandedOff.into(),
            ..list.clone()
        };
        assert_eq!(ids(&pages!(clients, tasks.list_tasks(both), tasks)), expected(|index| index % 6 == 0));
        let none = v1::ListTasksRequest { status: TaskStatus::Failed.into(), ..list };
        assert_eq!(pages!(clients, tasks.list_tasks(none), tasks), []);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hand_offs_come_once_each_in_order_of_creation_by_task_agent_and_status() {
    let (server, mut clients) = filled().await;
    let list = v1::ListHandoffsRequest { page_size: 1_000, ..Default::default() };
    let all = pages!(clients, handoffs.list_handoffs(list), handoffs);
    assert_eq!(all.len(), TASKS.div_ceil(5) + TASKS.div_ceil(3) + TASKS.div_ceil(6));
    assert!(all.is_sorted_by_key(|handoff| handoff.revision));
    for page_size in [1, 9, 0] {
        let list = v1::ListHandoffsRequest { page_size, ..Default::default() };
        assert_eq!(pages!(clients, handoffs.list_handoffs(list.clone()), handoffs), all);
        let of = |wanted: &dyn Fn(&v1::Handoff) -> bool| -> Vec<v1::Handoff> {
            all.iter().filter(|handoff| wanted(handoff)).cloned().collect()
        };
        let of_task = v1::ListHandoffsRequest { task_id: "task-030".into(), ..list.clone() };
        let expected = of(&|handoff| handoff.task_id == "task-030");
        assert_eq!(expected.len(), 3);
        assert_eq!(pages!(clients, handoffs.list_handoffs(of_task), handoffs), expected);
        let of_c = v1::ListHandoffsRequest { agent_id: "c".into(), ..list.clone() };
        assert_eq!(
            pages!(clients, handoffs.list_handoffs(of_c), handoffs),
            of(&|handoff| handoff.to_agent == "c")
        );
        let refused = v1::ListHandoffsRequest { status: HandoffStatus::Rejected.into(), ..list };
        let expected = of(&|handoff| handoff.status() == HandoffStatus::Rejected);
        assert_eq!(expected.len(), TASKS.div_ceil(5));
        assert_eq!(pages!(clients, handoffs.list_handoffs(refused), handoffs), expected);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_come_once_each_also_while_they_grow() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task", "a")).await.unwrap();
    for count in 0..40 {
        let note = v1::TaskProgress { percent: count, note: String::new() };
        let update = v1::UpdateTaskRequest { progress: Some(note), ..start("", "task") };
        clients.tasks.update_task(v1::UpdateTaskRequest { start: count == 0, ..update }).await.unwrap();
        clients.states.update_agent_state(state("", "a", &[("count", &count.to_string())])).await.unwrap();
    }
    let of_task =
        v1::GetTaskHistoryRequest { task_id: "task".into(), page_size: 1_000, ..Default::default() };
    let of_state =
        v1::GetStateHistoryRequest { agent_id: "a".into(), page_size: 1_000, ..Default::default() };
    let entries = pages!(clients, tasks.get_task_history(of_task.clone()), entries);
    let changes = pages!(clients, states.get_state_history(of_state.clone()), entries);
    assert_eq!((entries.len(), changes.len()), (41, 40));
    for page_size in [1, 6] {
        let of_task = v1::GetTaskHistoryRequest { page_size, ..of_task.clone() };
        assert_eq!(pages!(clients, tasks.get_task_history(of_task), entries), entries);
        let of_state = v1::GetStateHistoryRequest { page_size, ..of_state.clone() };
        assert_eq!(pages!(clients, states.get_state_history(of_state), entries), changes);
    }

    let mut list = v1::ListTasksRequest { page_size: 1, ..Default::default() };
    let mut seen = BTreeSet::new();
    for index in 0..50 {
        // What is new may come or not; what was there comes once.
        clients.create(create("", &format!("new-{index}"), "a")).await.unwrap();
        let page = clients.tasks.list_tasks(list.clone()).await.unwrap().into_inner();
        for task in page.tasks {
            assert!(seen.insert(task.task_id), "a task came twice");
        }
        list.page_token = page.next_page_token;
        if list.page_token.is_empty() {
            break;
        }
    }
    assert!(seen.contains("task"));
    server.stop().await;
}
