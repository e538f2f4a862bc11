//! The desk's rules: what an agent does next with a ticket, by its topic and by who had it before.
//!
//! Pure: the same ticket always takes the same way. Knows nothing of calls.

/// Where tickets come in. Never receives any.
pub(super) const INBOX: &str = "inbox";
/// Sorts tickets.
pub(super) const TRIAGE: &str = "triage";
/// Settles money.
pub(super) const BILLING: &str = "billing";
/// Mends what is broken.
pub(super) const ENGINEERING: &str = "engineering";
/// A person, who takes what nobody else can.
pub(super) const HUMAN: &str = "human";
/// Those that receive tickets.
pub(super) const DESK: [&str; 4] = [TRIAGE, BILLING, ENGINEERING, HUMAN];

/// What an agent does with a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Hands it on.
    HandTo {
        /// Who gets it.
        agent: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// Closes it.
    Close {
        /// What came of it.
        outcome: &'static str,
    },
}

/// What `agent` does with a ticket of `topic` that came from `from`.
///
/// Agents look no further back than to whom they have it from: that is how two of them can send one to and fro, until the server refuses it.
pub(super) fn next(topic: &str, agent: &str, from: &str) -> Next {
    let hand = |agent, reason| Next::HandTo { agent, reason };
    let close = |outcome| Next::Close { outcome };
    match (topic, agent, from) {
        ("invoice" | "refund", TRIAGE, _) => hand(BILLING, "it is about money"),
        ("bug" | "outage" | "charge_by_bug", TRIAGE, _) => hand(ENGINEERING, "something is broken"),
        ("disputed", TRIAGE, _) => hand(BILLING, "credits are money"),
        (_, TRIAGE, _) => hand(HUMAN, "no agent knows this topic"),

        ("refund", BILLING, TRIAGE) => hand(HUMAN, "refunds need a signature"),
        ("disputed", BILLING, _) => hand(ENGINEERING, "the books are right, so it is a bug"),
        (_, BILLING, _) => close("settled with the customer"),

        ("charge_by_bug", ENGINEERING, _) => hand(BILLING, "mended, now correct the bill"),
        ("outage", ENGINEERING, _) => hand(HUMAN, "running again, the customer wants a call"),
        ("disputed", ENGINEERING, _) => hand(BILLING, "the code is right, so it is the books"),
        (_, ENGINEERING, _) => close("mended and deployed"),

        ("refund", HUMAN, BILLING) => hand(BILLING, "signed, pay it out"),
        _ => close("answered in person"),
    }
}

/// Whom an agent turns to when its hand-off was refused.
pub(super) fn way_out(agent: &str) -> &'static str {
    if agent == HUMAN { TRIAGE } else { HUMAN }
}

#[cfg(test)]
mod tests {
    use super::{BILLING, DESK, ENGINEERING, HUMAN, INBOX, Next, TRIAGE, next};

    fn path(topic: &str) -> Vec<&'static str> {
        let (mut from, mut agent, mut path) = (INBOX, TRIAGE, vec![TRIAGE]);
        while let Next::HandTo { agent: to, .. } = next(topic, agent, from) {
            (from, agent) = (agent, to);
            path.push(agent);
            assert!(path.len() < 40, "{topic} never ends");
        }
        path
    }

    #[test]
    fn each_topic_takes_its_way_and_ends() {
        assert_eq!(path("invoice"), [TRIAGE, BILLING]);
        assert_eq!(path("refund"), [TRIAGE, BILLING, HUMAN, BILLING]);
        assert_eq!(path("bug"), [TRIAGE, ENGINEERING]);
        assert_eq!(path("charge_by_bug"), [TRIAGE, ENGINEERING, BILLING]);
        assert_eq!(path("outage"), [TRIAGE, ENGINEERING, HUMAN]);
        assert_eq!(path("anything else"), [TRIAGE, HUMAN]);
    }

    #[test]
    fn nobody_hands_to_oneself_and_a_person_can_end_everything() {
        for topic in ["invoice", "refund", "bug", "charge_by_bug", "outage", "disputed", "other"] {
            for agent in DESK {
                for from in DESK.into_iter().chain([INBOX]) {
                    let step = next(topic, agent, from);
                    assert!(
                        !matches!(step, Next::HandTo { agent: to, .. } if to == agent),
                        "{topic} at {agent}"
                    );
                }
            }
            assert!(matches!(next(topic, HUMAN, ENGINEERING), Next::Close { .. }), "{topic}");
        }
    }

    #[test]
    fn a_disputed_ticket_goes_to_and_fro() {
        assert!(matches!(next("disputed", BILLING, ENGINEERING), Next::HandTo { agent: ENGINEERING, .. }));
        assert!(matches!(next("disputed", ENGINEERING, BILLING), Next::HandTo { agent: BILLING, .. }));
    }
}
