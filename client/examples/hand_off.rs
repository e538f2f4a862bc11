//! Creates a task, notes what is known, hands it over, meets a refusal, and prints how it all went.
//!
//! `BATON_ADDR=http://127.0.0.1:7420 cargo run -p baton-client --example hand_off`

#![allow(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use baton_client::{Client, Context, Error, new_request_id};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder().endpoints_from_env().connect().await?;

    let task_id = format!("refund-{}", &new_request_id()[..8]);
    let task = client
        .create_task(&task_id)
        .agent("triage")
        .description("the vase of order 1142 arrived broken")
        .metadata(json!({"order": 1142, "channel": "mail"}))
        .owned()
        .await?;
    task.start().await?;
    task.progress(30, "photo checked").await?;
    client.update_state("triage", json!({"order": 1142, "amount": 40, "currency": "EUR"})).await?;

    // The rules refuse a hand-off to oneself, and say everything that is wrong with it, not just the first thing.
    let task = match task.hand_off("triage").await {
        Ok(handoff) => return Err(format!("hand-off {} should have been refused", handoff.handoff_id).into()),
        Err(refused) => {
            if let Error::Rejected { handoff_id, violations, .. } = refused.error() {
                println!("{handoff_id} was refused:");
                violations.iter().for_each(|violation| println!("  {violation}"));
            }
            // A refusal changes nothing: the task is still ours.
            refused.into_task()
        }
    };

    let epoch_before = task.epoch();
    let handoff = task
        .hand_off("billing")
        .reason("needs a refund")
        .context(Context::new().summary("broken on arrival, photo checked").remaining(["refund 40 EUR"]))
        .await?;
    println!("{} owns {task_id} now, at epoch {}", handoff.to_agent, handoff.owner_epoch);

    // Whoever has not noticed is stopped by the epoch.
    match client.update_task(&task_id).owner_epoch(epoch_before).progress(99, "nearly done").await {
        Err(stale @ Error::StaleOwner { .. }) => println!("too late: {stale}"),
        other => return Err(format!("a stale write should have been refused: {other:?}").into()),
    }

    let state = client.get_state("billing").await?;
    println!("billing knows what triage knew: {}", state.state);
    let task = client.receive(&handoff)?;
    task.start().await?;
    task.complete("refunded 40 EUR").await?;

    for entry in client.task_history(&task_id).stream().into_vec().await? {
        let reason = entry.reason.unwrap_or_default();
        println!("{:>6}  {:<18}  {:<8}  {reason}", entry.revision, entry.kind, entry.assigned_agent);
    }
    Ok(())
}
