//! An agent's state now and as it was, through updates of every kind and transfers.

use baton_proto::v1::{self, ErrorReason, StateChangeType, UpdateMode};
use prost_types::{Struct, Value, value::Kind};
use tonic::Code;

use crate::harness::{Disk, Refused, TestServer, create, hand_off, object, state};

/// A JSON null as the only value.
fn null(key: &str) -> Struct {
    Struct { fields: [(key.to_owned(), Value { kind: Some(Kind::NullValue(0)) })].into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_can_be_had_as_it_was_at_each_revision_also_after_a_restart() {
    let disk = Disk::folder();
    let mut server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    let replace =
        |entries| v1::UpdateAgentStateRequest { mode: UpdateMode::Replace.into(), ..state("", "b", entries) };
    let patch = v1::UpdateAgentStateRequest {
        mode: UpdateMode::Patch.into(),
        state: Some(null("own")),
        ..state("", "b", &[])
    };
    clients.states.update_agent_state(state("", "a", &[("order", "1142")])).await.unwrap();
    clients.states.update_agent_state(state("", "b", &[("own", "1"), ("desk", "3")])).await.unwrap();
    clients.states.update_agent_state(state("", "b", &[("own", "2")])).await.unwrap();
    clients.states.update_agent_state(patch).await.unwrap();
    clients.create(create("", "task", "a")).await.unwrap();
    clients.hand_off(hand_off("", "task", "a", "b")).await.unwrap();
    clients.states.update_agent_state(replace(&[("fresh", "start")])).await.unwrap();

    let as_it_was = [
        (2, object([("own", "1"), ("desk", "3")]), ""),
        (3, object([("own", "2"), ("desk", "3")]), ""),
        (4, object([("desk", "3")]), ""),
        // Nothing of the agent happened there.
        (5, object([("desk", "3")]), ""),
        (6, object([("desk", "3"), ("order", "1142")]), "a"),
        (7, object([("fresh", "start")]), ""),
    ];
    for _ in 0..2 {
        for (at, expected, from) in &as_it_was {
            let found = clients.state_at("", "b", *at).await.unwrap();
            assert_eq!(
                (found.state.as_ref(), found.transferred_from.as_str()),
                (Some(expected), *from),
                "at {at}"
            );
        }
        assert_eq!(clients.state("", "b").await.unwrap(), clients.state_at("", "b", 7).await.unwrap());
        let none_yet = Refused::of(clients.state_at("", "b", 1).await);
        assert_eq!((none_yet.code, none_yet.reason()), (Code::NotFound, ErrorReason::AgentNotFound));
        let future = Refused::of(clients.state_at("", "b", 8).await);
        assert_eq!((future.code, future.reason()), (Code::OutOfRange, ErrorReason::RevisionInFuture));

        let request = v1::GetStateHistoryRequest { agent_id: "b".into(), ..Default::default() };
        let history = clients.states.get_state_history(request).await.unwrap().into_inner().entries;
        let kinds: Vec<_> = history.iter().map(|entry| (entry.revision, entry.r#type())).collect();
        use StateChangeType::{Merged, Patched, Replaced, Transferred};
        assert_eq!(kinds, [(2, Merged), (3, Merged), (4, Patched), (6, Transferred), (7, Replaced)]);
        assert_eq!((history[3].transferred_from.as_str(), history[3].handoff_id.as_str()), ("a", "h-6"));
        server.stop().await;
        server = TestServer::start(&disk).await;
        clients = server.clients().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expected_revisions_let_one_of_two_writers_win() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let expecting = |revision| v1::UpdateAgentStateRequest {
        expected_revision: Some(revision),
        ..state("", "a", &[("key", "value")])
    };
    clients.states.update_agent_state(expecting(0)).await.expect("there is none yet");
    clients.states.update_agent_state(expecting(1)).await.expect("as the writer saw it");
    let refused = Refused::of(clients.states.update_agent_state(expecting(1)).await);
    assert_eq!((refused.code, refused.reason()), (Code::Aborted, ErrorReason::RevisionMismatch));
    assert_eq!(refused.value("revision"), "2");
    server.stop().await;
}
