//! States from the command line: changes are answered with a receipt, and a history says when it does not begin at its beginning.

use baton_client::{Client, Error};
use serde_json::json;

use crate::server::Server;

#[test]
fn a_change_of_a_state_is_answered_with_a_receipt() {
    let server = Server::start();
    let written = server.json(&["state", "update", "triage", r#"{"order": 1142, "note": "hi"}"#]);
    assert_eq!(
        (&written["agent_id"], &written["revision"], written.get("state")),
        (&json!("triage"), &json!(1), None)
    );

    let transfer = ["state", "transfer", "triage", "billing", "--keys", "order"];
    let moved = server.json(&transfer);
    assert_eq!(
        (&moved["written"]["agent_id"], &moved["written"]["transferred_from"], &moved["written"]["revision"]),
        (&json!("billing"), &json!("triage"), &json!(2))
    );
    assert_eq!(
        (&moved["transfer"]["spec"]["keys"], &moved["transfer"]["from_revision"]),
        (&json!(["order"]), &json!(1))
    );

    let table = server.baton(&transfer).stdout;
    let told = |name: &str| {
        table.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default().to_owned()
    };
    assert_eq!(
        [told("agent"), told("came from"), told("revision"), told("moved"), told("as of")],
        ["billing", "triage", "3", "order (overwrite on conflict)", "revision 1"],
        "{table}"
    );
    assert!(told("updated").starts_with("20") && !table.contains("{}"), "{table}");
}

#[test]
fn a_history_says_what_it_no_longer_shows() {
    let server = Server::start();
    update_often(&server, 103).expect("every update is taken");
    let ended = server.baton(&["state", "history", "triage", "-o", "jsonl"]);
    assert_eq!((ended.code, ended.stdout.lines().count()), (0, 100));
    assert_eq!(
        ended.stderr,
        "3 older entries are not shown: only the log has them (baton watch --from-revision 1 --all)\n"
    );
}

/// Updates the state of triage so many times.
#[tokio::main]
async fn update_often(server: &Server, times: u32) -> Result<(), Error> {
    let client = Client::connect(server.address()).await?;
    for count in 0..times {
        client.update_state("triage", json!({ "count": count })).await?;
    }
    Ok(())
}
