//! Hand-offs through the core alone, to be counted or profiled: `valgrind --tool=callgrind --toggle-collect='*hand_on*'`.
//!
//! Takes the size of a batch, how many tasks and how many teams there are. Each task goes the round of four agents, those of its team.
#![allow(clippy::print_stdout, reason = "it is a program")]

use baton_core::{
    Action, AgentId, Command, Context, ContextParts, CreateTask, Draft, Entry, Object, Outcome, Proposal,
    State, TaskId, Text, TransferSpec, UpdateMode, UpdateState, Value, execute,
};

const NOW_US: i64 = 1_790_000_000_000_000;
const ROLES: [&str; 4] = ["triage", "billing", "refunds", "legal"];

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let mut number = |default| numbers.next().unwrap_or(default);
    let (batch, tasks, teams) = (number(256), number(10_000), number(1));
    let mut state = State::default();
    for team in 0..teams {
        hand_in(&mut state, (0..ROLES.len()).map(|role| know(&agent(team, role))).collect());
    }
    let tasks: Vec<usize> = (0..tasks).collect();
    for some in tasks.chunks(batch) {
        hand_in(&mut state, some.iter().map(|task| create(*task, task % teams)).collect());
    }
    let (mut bytes, mut handoffs) = (0, 0);
    for round in 0..ROLES.len() {
        for some in tasks.chunks(batch) {
            let commands: Vec<Command> =
                some.iter().map(|task| hand_off(*task, task % teams, round)).collect();
            bytes += hand_on(&mut state, &commands);
            handoffs += commands.len();
        }
    }
    println!("{handoffs} hand-offs in batches of {batch}: {} bytes of records each", bytes / handoffs);
}

/// Decides, encodes and puts in place one batch: all that is counted. Gives the size of its record.
#[inline(never)]
fn hand_on(state: &mut State, commands: &[Command]) -> usize {
    let mut draft = Draft::of_batch(state, commands.len());
    let mut answers = Vec::with_capacity(commands.len());
    let mut entries: Vec<Box<Entry>> = Vec::with_capacity(commands.len());
    for command in commands {
        match execute(&mut draft, command, NOW_US) {
            Ok(Outcome::Recorded(entry, answer)) => {
                entries.push(entry);
                answers.push(answer);
            }
            other => panic!("{other:?}"),
        }
    }
    let changes = draft.into_changes();
    let body = changes.body();
    state.absorb(changes);
    body.len()
}

fn hand_in(state: &mut State, commands: Vec<Command>) {
    let mut draft = Draft::new(state);
    for command in &commands {
        execute(&mut draft, command, NOW_US).expect("it is granted");
    }
    let changes = draft.into_changes();
    state.absorb(changes);
}

/// The agent of that role. In the first team it goes by the role alone.
fn agent(team: usize, role: usize) -> String {
    let role = ROLES[role % ROLES.len()];
    if team == 0 { role.to_owned() } else { format!("support-team-{team:04}-{role}") }
}

fn know(agent: &str) -> Command {
    let known = [(Text::from("order"), Value::String(Text::from("4711")))];
    let update = UpdateState {
        agent_id: AgentId::from(agent),
        mode: UpdateMode::Merge,
        update: Object::new(known.into_iter().collect()),
        expected_revision: None,
    };
    Command::new(agent, NOW_US, Action::UpdateState(update))
}

fn create(task: usize, team: usize) -> Command {
    let create = CreateTask {
        task_id: id(task),
        description: Text::from("Refund order 4711"),
        owner: AgentId::from(agent(team, 0)),
        metadata: Object::default(),
    };
    Command::new(&format!("create-{task:08}"), NOW_US, Action::CreateTask(create))
}

fn hand_off(task: usize, team: usize, round: usize) -> Command {
    let proposal = Proposal {
        task_id: id(task),
        from: AgentId::from(agent(team, round)),
        to: AgentId::from(agent(team, round + 1)),
        reason: Text::from("needs access to payments"),
        owner_epoch: Some(round as u64 + 1),
        transfer: TransferSpec::default(),
        context: Some(context()),
    };
    Command::new(&format!("hand-off-{round}-{task:08}"), NOW_US, Action::HandOff(proposal))
}

fn context() -> Context {
    Context::from(&ContextParts {
        summary: "the customer was charged twice and wants the second charge back",
        completed: vec!["both charges found"],
        remaining: vec!["refund the second charge"],
        ..ContextParts::default()
    })
}

fn id(task: usize) -> TaskId {
    TaskId::from(format!("task-{task:08}"))
}
