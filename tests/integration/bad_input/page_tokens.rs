//! A page token is good for the listing that gave it, and for no other.

use baton_proto::v1::{self, ErrorReason, HandoffStatus, TaskStatus};
use tonic::{Code, Status};

use crate::harness::{Clients, Disk, Refused, TestServer, create, hand_off, state};

fn tasks(page_token: &str) -> v1::ListTasksRequest {
    v1::ListTasksRequest { page_size: 1, page_token: page_token.into(), ..Default::default() }
}

fn handoffs(page_token: &str) -> v1::ListHandoffsRequest {
    v1::ListHandoffsRequest { page_size: 1, page_token: page_token.into(), ..Default::default() }
}

fn history(task_id: &str, page_token: &str) -> v1::GetTaskHistoryRequest {
    let (task_id, page_token) = (task_id.into(), page_token.into());
    v1::GetTaskHistoryRequest { task_id, page_size: 1, page_token, ..Default::default() }
}

fn states(agent_id: &str, page_token: &str) -> v1::GetStateHistoryRequest {
    let (agent_id, page_token) = (agent_id.into(), page_token.into());
    v1::GetStateHistoryRequest { agent_id, page_size: 1, page_token, ..Default::default() }
}

/// A server in which every listing has several pages, in two namespaces.
async fn filled() -> (TestServer, Clients) {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    for namespace in ["", "north"] {
        for task in ["one", "two", "three"] {
            clients.create(create(namespace, task, "a")).await.unwrap();
            clients.hand_off(hand_off(namespace, task, "a", "b")).await.unwrap();
        }
        for agent in ["a", "b", "a", "b"] {
            clients.states.update_agent_state(state(namespace, agent, &[("k", "v")])).await.unwrap();
        }
    }
    (server, clients)
}

/// The second page's token of tasks, hand-offs, a task's history and a state's history.
async fn tokens(clients: &mut Clients) -> [String; 4] {
    let tokens = [
        clients.tasks.list_tasks(tasks("")).await.unwrap().into_inner().next_page_token,
        clients.handoffs.list_handoffs(handoffs("")).await.unwrap().into_inner().next_page_token,
        clients.tasks.get_task_history(history("one", "")).await.unwrap().into_inner().next_page_token,
        clients.states.get_state_history(states("a", "")).await.unwrap().into_inner().next_page_token,
    ];
    assert!(tokens.iter().all(|token| !token.is_empty()));
    tokens
}

fn refused<T: std::fmt::Debug>(what: &str, answer: Result<T, Status>) {
    let Err(status) = answer else { panic!("{what}: the token was taken") };
    let refused = Refused::from(status);
    let found = (refused.code, refused.reason(), refused.fields());
    assert_eq!(found, (Code::InvalidArgument, ErrorReason::InvalidField, vec!["page_token"]), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_elsewhere_is_refused() {
    let (server, mut clients) = filled().await;
    let [task, handoff, entry, change] = tokens(&mut clients).await;
    let (other_server, mut others) = filled().await;

    for token in [&handoff, &entry, &change] {
        refused("another rpc's", clients.tasks.list_tasks(tasks(token)).await);
    }
    for token in [&task, &entry, &change] {
        refused("another rpc's", clients.handoffs.list_handoffs(handoffs(token)).await);
    }
    for token in [&task, &handoff, &change] {
        refused("another rpc's", clients.tasks.get_task_history(history("one", token)).await);
    }
    for token in [&task, &handoff, &entry] {
        refused("another rpc's", clients.states.get_state_history(states("a", token)).await);
    }
    refused("another task's", clients.tasks.get_task_history(history("two", &entry)).await);
    refused("another agent's", clients.states.get_state_history(states("b", &change)).await);
    let north = v1::ListTasksRequest { namespace: "north".into(), ..tasks(&task) };
    refused("another namespace's", clients.tasks.list_tasks(north).await);
    let north = v1::ListHandoffsRequest { namespace: "north".into(), ..handoffs(&handoff) };
    refused("another namespace's", clients.handoffs.list_handoffs(north).await);
    let owned = v1::ListTasksRequest { assigned_agent: "b".into(), ..tasks(&task) };
    refused("without the filter", clients.tasks.list_tasks(owned).await);
    let in_status = v1::ListTasksRequest { status: TaskStatus::HandedOff.into(), ..tasks(&task) };
    refused("without the filter", clients.tasks.list_tasks(in_status).await);
    let in_status = v1::ListHandoffsRequest { status: HandoffStatus::Completed.into(), ..handoffs(&handoff) };
    refused("without the filter", clients.handoffs.list_handoffs(in_status).await);
    refused("another log's", others.tasks.list_tasks(tasks(&task)).await);
    refused("another log's", others.handoffs.list_handoffs(handoffs(&handoff)).await);

    for garbage in ["x", "%%%", "AAAA", "ü", &task[1..], &format!("{task}="), &task.to_lowercase()] {
        refused("garbage", clients.tasks.list_tasks(tasks(garbage)).await);
        refused("garbage", clients.handoffs.list_handoffs(handoffs(garbage)).await);
    }
    let explicit = v1::ListTasksRequest { namespace: "default".into(), ..tasks(&task) };
    clients.tasks.list_tasks(explicit).await.expect("the default namespace by its name is the same listing");
    server.stop().await;
    other_server.stop().await;
}
