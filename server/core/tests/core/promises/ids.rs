//! The ids of hand-offs: one way to write each.

use baton_core::{HandoffId, NotAHandoffId, Revision};

#[test]
fn an_id_is_read_as_it_is_written() {
    for (text, revision) in [("h-1", 1), ("h-17", 17), ("h-100", 100), ("h-18446744073709551615", u64::MAX)] {
        let id = HandoffId(Revision(revision));
        assert_eq!((text.parse(), id.to_string().as_str()), (Ok(id), text));
    }
}

#[test]
fn anything_else_is_not_an_id() {
    let others = [
        "",
        "h",
        "h-",
        "h-0",
        "h-01",
        "h--1",
        "h-+1",
        "h- 1",
        "h-1 ",
        " h-1",
        "H-1",
        "17",
        "-17",
        "h17",
        "h-1.0",
        "h-1e3",
        "h-0x1",
        "h-١",
        "h-18446744073709551616",
        "h-99999999999999999999",
        "h-1-2",
        "handoff-1",
        "h-1\n",
    ];
    for text in others {
        assert_eq!(text.parse::<HandoffId>(), Err(NotAHandoffId), "{text:?}");
    }
}
