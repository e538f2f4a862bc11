//! Promises of a watch that cannot go on: it says which revisions are gone, ends, and leaves its user a way to go on.
//!
//! Knows nothing of why a server no longer keeps something.

use baton_client::{Code, Cursor, Error};
use tonic::Status;

use crate::watch::{client_of, message, refusal, revisions, stream, watched};

/// Whether an error is the one that is expected, with its values.
type Expected = fn(&Error) -> bool;

/// What connecting again does not help against, and what is made of it.
fn ends() -> [(Status, Expected); 6] {
    let reason = |code, reason| refusal(code, reason);
    [
        (reason(Code::OutOfRange, "REVISION_COMPACTED"), |error| {
            matches!(error, Error::Compacted { oldest: 100, newest: 200, .. })
        }),
        (reason(Code::OutOfRange, "REVISION_IN_FUTURE"), |error| {
            matches!(error, Error::RevisionInFuture { oldest: 100, newest: 200, .. })
        }),
        (
            reason(Code::FailedPrecondition, "LOG_MISMATCH"),
            |error| matches!(error, Error::LogMismatch { log_id, .. } if log_id == "log-2"),
        ),
        (reason(Code::DataLoss, "LOG_DAMAGED"), |error| matches!(error, Error::LogDamaged { .. })),
        (Status::permission_denied("not yours"), |error| error.code() == Code::PermissionDenied),
        (Status::internal("a defect"), |error| error.code() == Code::Internal),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_connecting_again_does_not_help_against_is_told_once_and_ends_the_watch() {
    for (status, expected) in ends() {
        let handoffs = watched([
            stream([message(&[5, 6], 6), Err(Status::unavailable("stopping"))]),
            Err(status.clone()),
            stream([message(&[7], 7)]),
        ]);
        let mut watch = client_of(&handoffs).watch().from_revision(5).await.unwrap();
        assert_eq!(revisions(&mut watch).await, [5, 6]);

        let error = watch.next().await.unwrap().unwrap_err();
        assert!(expected(&error), "{status:?} became {error:?}");
        assert!(watch.next().await.is_none() && watch.next().await.is_none(), "{status:?}");
        assert_eq!(handoffs.watch_handoffs.asked().len(), 2, "nobody is asked any more after {status:?}");
        let left_at = Cursor { revision: 6, log_id: "log-1".to_owned() };
        assert_eq!(*watch.cursor(), left_at, "the end moves nobody on: {status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_in_the_middle_of_a_stream_comes_after_the_events_before_it() {
    for (status, expected) in ends() {
        let handoffs = watched([stream([message(&[5, 6], 6), Err(status.clone())])]);
        let mut watch = client_of(&handoffs).watch().from_revision(5).await.unwrap();
        assert_eq!(revisions(&mut watch).await, [5, 6]);
        let error = watch.next().await.unwrap().unwrap_err();
        assert!(expected(&error), "{status:?} became {error:?}");
        assert!(watch.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_gap_one_goes_on_with_what_is_kept_or_with_what_is_open_now() {
    let handoffs = watched([
        stream([message(&[5], 5), Err(Status::unavailable("stopping"))]),
        Err(refusal(Code::OutOfRange, "REVISION_COMPACTED")),
        stream([message(&[100], 100)]),
        stream([message(&[], 200), message(&[201], 201)]),
    ]);
    let client = client_of(&handoffs);
    let mut watch = client.watch().from_revision(5).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [5]);
    let Error::Compacted { oldest, .. } = watch.next().await.unwrap().unwrap_err() else {
        panic!("the gap has its own error");
    };
    assert_eq!(watch.revision() + 1..oldest, 6..100, "these are gone");

    let mut kept = client.watch().from_revision(oldest).log_id(watch.log_id()).await.unwrap();
    assert_eq!(revisions(&mut kept).await, [100]);
    let mut open = client.watch().snapshot().await.unwrap();
    assert_eq!(open.revision(), 200);
    assert_eq!(revisions(&mut open).await, [201]);

    let asked = handoffs.watch_handoffs.asked();
    let starts: Vec<(u64, &str)> =
        asked.iter().map(|asked| (asked.message.start_revision, asked.message.log_id.as_str())).collect();
    assert_eq!(starts, [(5, ""), (6, "log-1"), (100, "log-1"), (0, "")]);
}

#[tokio::test(start_paused = true)]
async fn events_of_another_log_are_not_taken_for_the_next_ones() {
    let other = message(&[6], 6)
        .map(|message| baton_proto::v1::WatchHandoffsResponse { log_id: "log-2".to_owned(), ..message });
    let handoffs =
        watched([stream([message(&[5], 5), Err(Status::unavailable("stopping"))]), stream([other])]);
    let mut watch = client_of(&handoffs).watch().from_revision(5).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [5]);
    let error = watch.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::LogMismatch { log_id, .. } if log_id == "log-2"), "{error:?}");
    assert!(watch.next().await.is_none());
    assert_eq!((watch.revision(), watch.log_id()), (5, "log-1"));
}
