//! A disk that hangs holds up who changes something, and nobody who reads.

use baton_log::Plan;
use baton_proto::v1;

use crate::harness::{Clients, Disk, Gate, TestServer, create, hand_off, in_time, show, state};

/// The answers to everything that can be asked without changing anything.
async fn read_everything(clients: &mut Clients, handoff_id: &str) -> Vec<String> {
    let of_state = v1::GetStateHistoryRequest { agent_id: "billing".into(), ..Default::default() };
    let whether = v1::ValidateHandoffRequest {
        task_id: "open".into(),
        from_agent: "triage".into(),
        to_agent: "billing".into(),
        reason: "would it be granted?".into(),
        ..Default::default()
    };
    vec![
        format!("{:?}", show(clients).await),
        format!("{:?}", clients.task("", "open").await.unwrap()),
        format!("{:?}", clients.handoff("", handoff_id).await.unwrap()),
        format!("{:?}", clients.states.get_state_history(of_state).await.unwrap().get_ref()),
        format!(
            "{:?}",
            clients
                .rules
                .list_validation_rules(v1::ListValidationRulesRequest::default())
                .await
                .unwrap()
                .get_ref()
        ),
        format!("{:?}", clients.rules.validate_handoff(whether).await.unwrap().get_ref()),
        format!(
            "{:?}",
            clients.monitor.get_server_info(v1::GetServerInfoRequest {}).await.unwrap().get_ref()
        ),
    ]
}

async fn read_everything_while_the_disk_hangs() {
    for disk in [Disk::memory(), Disk::folder()] {
        let gate = Gate::default();
        let passing = gate.clone();
        let plan = Plan::appends(move |_| {
            passing.pass();
            None
        });
        let server = TestServer::start_faulty(&disk, plan).await;
        let mut clients = server.clients().await;
        clients.create(create("", "task", "triage")).await.unwrap();
        clients.create(create("", "open", "triage")).await.unwrap();
        clients.states.update_agent_state(state("", "billing", &[("order", "4711")])).await.unwrap();
        let (handoff, _) = clients.hand_off(hand_off("", "task", "triage", "billing")).await.unwrap();
        let before = read_everything(&mut clients, &handoff.handoff_id).await;
        gate.close();
        let mut caller = clients.clone();
        let asked =
            tokio::spawn(async move { caller.hand_off(hand_off("", "open", "triage", "billing")).await });
        gate.held().await;
        let meanwhile = in_time(read_everything(&mut clients, &handoff.handoff_id)).await;
        assert!(!asked.is_finished(), "the disk did not hang");
        assert_eq!(meanwhile, before);
        gate.open();
        in_time(asked).await.unwrap().unwrap();
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_reads_are_answered_while_the_disk_hangs() {
    read_everything_while_the_disk_hangs().await;
}

/// The engine works in the thread that serves the reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_thread_answers_all_reads_while_the_disk_hangs() {
    read_everything_while_the_disk_hangs().await;
}
