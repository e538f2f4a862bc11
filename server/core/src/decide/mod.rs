//! Decides what one command does: one event, or a rejection.
//!
//! Pure: time and revision come in as arguments. Changes nothing; what an event changes stands in `apply`.

mod handoff;
mod state;
mod task;

use crate::{Action, Command, Draft, Event, Rejection, Revision, event::RuleSwitched};

/// Where and when the event of a command would be recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) revision: Revision,
    pub(crate) now_us: i64,
    pub(crate) received_us: i64,
}

/// The event that `command` becomes at `revision` and `now_us`.
///
/// # Errors
/// [`Rejection`] if it changes nothing. A hand-off that the rules refuse, or that cannot be executed, is an event too.
pub fn decide(
    draft: &Draft<'_>,
    command: &Command,
    revision: Revision,
    now_us: i64,
) -> Result<Event, Rejection> {
    let at = At { revision, now_us, received_us: command.received_us.min(now_us) };
    match &command.action {
        Action::CreateTask(create) => task::create(draft, create),
        Action::UpdateTask(update) => task::update(draft, update),
        Action::EndTask(end) => task::end(draft, end),
        Action::UpdateState(update) => state::update(draft, update),
        Action::TransferState(transfer) => state::transfer(draft, transfer),
        Action::HandOff(proposal) => handoff::hand_off(draft, proposal, at),
        Action::InitiateHandoff(proposal) => handoff::initiate(draft, proposal, at),
        Action::ExecuteHandoff(execute) => handoff::execute(draft, execute, at),
        Action::WithdrawHandoff(withdraw) => handoff::withdraw(draft, withdraw, at),
        Action::SwitchRule(switch) if !switch.on && !switch.rule.is_switchable() => {
            Err(Rejection::RuleNotSwitchable { rule: switch.rule })
        }
        Action::SwitchRule(switch) => {
            Ok(Event::RuleSwitched(RuleSwitched { rule: switch.rule, on: switch.on }))
        }
    }
}
