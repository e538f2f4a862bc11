//! A byte that changes on the disk is found, and named by its revision.

use baton_log::{AppendFault, Plan};
use baton_proto::v1::ErrorReason;
use tonic::Code;

use crate::harness::{Disk, Refused, TestServer, config, create, seed};

/// Tasks that are created, one record each: enough that a start reads ahead while it replays.
const RECORDS: u64 = 300;

/// A disk on which the record of `revision` was altered while a server ran, and was answered long before.
async fn altered(disk: &Disk, revision: u64, byte_index: usize) {
    let fault = AppendFault::AlteredByte { back: RECORDS - revision, byte_index };
    let server = TestServer::start_faulty(disk, Plan::list(vec![(RECORDS, fault)])).await;
    let mut clients = server.clients().await;
    for index in 1..=RECORDS {
        clients.create(create("", &format!("task-{index}"), "a")).await.unwrap();
    }
    let refused = Refused::of(clients.verify("").await);
    assert_eq!((refused.code, refused.reason()), (Code::DataLoss, ErrorReason::LogDamaged));
    assert_eq!((refused.value("namespace"), refused.value("revision")), ("default", &*revision.to_string()));
    assert_eq!(clients.head("").await, RECORDS, "what is in memory is still served");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_byte_anywhere_stops_the_next_start_with_its_revision() {
    let mut random = fastrand::Rng::with_seed(seed());
    for revision in [1, 2, 15, RECORDS - 8, RECORDS - 1, RECORDS] {
        for disk in [Disk::memory(), Disk::folder()] {
            let byte_index = random.usize(0..200);
            altered(&disk, revision, byte_index).await;
            let error = disk.open(config()).map(drop).expect_err("a damaged log must not be served");
            let message = error.to_string();
            let named = message.split(|c: char| !c.is_ascii_digit()).any(|word| word == revision.to_string());
            assert!(named, "revision {revision}, byte {byte_index}: {message}");
            let again = disk.open(config()).map(drop).expect_err("it is still damaged").to_string();
            assert_eq!(again, message, "the first start changed something");
        }
    }
}
