//! The body of a record: read as it was written, or refused.

use baton_core::{
    Action, BODY_FORMAT, BodyError, BuiltInRule, Context, ContextParts, End, Entry, Outcome, Progress,
    Proposal, UpdateMode, UpdateTask, decode_body, encode_body,
};
use fastrand::Rng;

use crate::{
    namespace::Namespace,
    words::{
        create_with, end, execute, hand_off, initiate, keys, know, object, proposal, state, switch, touched,
        transfer, withdraw,
    },
};

const JSON: &str =
    r#"{"null":null,"bool":true,"number":-1.5,"text":"ä\u0000","list":[[],{}],"map":{"k":{"k":1}}}"#;

/// An entry of every kind, with everything in it that may be in it.
#[expect(clippy::vec_box, reason = "a batch of entries is one")]
fn entries() -> (Vec<Box<Entry>>, Namespace) {
    let mut ns = Namespace::new();
    let context = ContextParts {
        summary: "s",
        completed: vec!["c"],
        remaining: vec!["r", "r"],
        decisions: vec!["d"],
        pitfalls: vec!["p"],
        references: vec!["f"],
    };
    let update = UpdateTask {
        description: Some("new".into()),
        metadata: Some(object(JSON)),
        progress: Some(Progress { percent: 50, note: "half".into() }),
        start: true,
        ..touched("t")
    };
    let full =
        Proposal { context: Some(Context::from(&context)), owner_epoch: Some(2), ..proposal("t", "b", "c") };
    let mut entries = Vec::new();
    let mut send = |ns: &mut Namespace, action: Action| {
        // Every third has no request id.
        let id = if entries.len() % 3 == 2 { String::new() } else { format!("r-{}", entries.len()) };
        let Outcome::Recorded(entry, _) = ns.send(&id, action).unwrap() else {
            panic!("{id} was sent before")
        };
        entries.push(entry);
        baton_core::HandoffId(ns.state.head())
    };
    send(&mut ns, create_with("t", "a", object(JSON)));
    send(&mut ns, know("a", object(JSON)));
    send(&mut ns, Action::UpdateTask(update));
    for mode in [UpdateMode::Merge, UpdateMode::Replace, UpdateMode::Patch] {
        send(&mut ns, state("b", mode, object(r#"{"k":null,"own":1}"#)));
    }
    send(&mut ns, transfer("a", "b", keys(&["text", "map"], baton_core::ConflictPolicy::Fail)));
    send(&mut ns, hand_off("t", "a", "b"));
    send(&mut ns, hand_off("t", "x", "x"));
    let open = send(&mut ns, Action::InitiateHandoff(full));
    send(&mut ns, withdraw(open));
    let open = send(&mut ns, initiate("t", "b", "c"));
    send(&mut ns, execute(open));
    send(&mut ns, switch(BuiltInRule::PingPong, false));
    send(&mut ns, end("t", End::Cancel));
    (entries, ns)
}

#[test]
fn a_body_is_read_as_it_was_written() {
    let (entries, _) = entries();
    let read = decode_body(BODY_FORMAT, &encode_body(&entries)).unwrap();
    assert_eq!(read, entries.iter().map(|entry| (**entry).clone()).collect::<Vec<_>>());
    assert_eq!(encode_body(&read.into_iter().map(Box::new).collect::<Vec<_>>()), encode_body(&entries));
    assert_eq!(decode_body(BODY_FORMAT, &encode_body(&[])).unwrap(), []);
}

#[test]
fn entries_that_were_read_replay_to_the_same_state() {
    let (entries, live) = entries();
    let mut again = Namespace::new();
    for entry in decode_body(BODY_FORMAT, &encode_body(&entries)).unwrap() {
        again.now_us += crate::namespace::SECOND_US;
        again.replay(&entry);
    }
    assert!(again.state.to_checkpoint() == live.state.to_checkpoint());
}

#[test]
fn a_body_of_another_format_is_refused() {
    let body = encode_body(&entries().0);
    for format in [0, BODY_FORMAT + 1, u16::MAX] {
        let error = decode_body(format, &body).unwrap_err();
        assert!(matches!(error, BodyError::Format(found) if found == format), "{error}");
    }
}

#[test]
fn a_body_that_was_cut_short_is_refused() {
    let body = encode_body(&entries().0);
    for length in 0..body.len() {
        let error = decode_body(BODY_FORMAT, &body[..length]).unwrap_err();
        assert!(matches!(error, BodyError::Malformed(_)), "{length} bytes: {error}");
    }
}

#[test]
fn a_damaged_body_is_never_more_than_refused() {
    let body = encode_body(&entries().0);
    for seed in 0..3_000 {
        let (mut rng, mut damaged) = (Rng::with_seed(seed), body.to_vec());
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(0..damaged.len());
            damaged[at] = rng.u8(..);
        }
        // What it may then say is up to the log's checksums; that it says it is all that is promised.
        if let Err(error) = decode_body(BODY_FORMAT, &damaged) {
            assert!(matches!(error, BodyError::Malformed(_)), "seed {seed}: {error}");
        }
    }
}

#[test]
fn a_body_nested_without_end_is_refused() {
    let mut body = encode_body(&entries().0[1..2]).to_vec();
    // The first list of the update becomes the opening of a hundred thousand lists.
    let at = body.windows(4).position(|bytes| bytes == b"list").unwrap() + 4;
    body.truncate(at);
    body.resize(at + 100_000, 0x81);
    assert!(matches!(decode_body(BODY_FORMAT, &body), Err(BodyError::Malformed(_))));
}

#[test]
fn a_value_that_is_nested_as_deep_as_may_be_is_read() {
    let depth = baton_core::limits::VALUE_DEPTH_MAX;
    let json = format!("{}1{}", r#"{"k":"#.repeat(depth), "}".repeat(depth));
    let Outcome::Recorded(entry, _) = Namespace::new().send("", know("a", object(&json))).unwrap() else {
        panic!()
    };
    let body = encode_body(std::slice::from_ref(&entry));
    assert_eq!(decode_body(BODY_FORMAT, &body).unwrap(), [*entry]);
}
