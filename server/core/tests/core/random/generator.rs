//! Draws operations: few ids, so that they meet; mostly sensible, so that they get somewhere; often not, so that they are refused.

use std::{collections::VecDeque, rc::Rc};

use fastrand::Rng;

use crate::plain::{
    op::{Ask, Close, Ending, Keys, Mode, Moving, OnConflict, Op, Update, What, Who},
    rules::RULES,
    value::{Plain, PlainMap},
    world::{Task, World},
};

const AGENTS: [&str; 5] = ["triage", "billing", "refunds", "legal", "night"];
/// Requests that may be sent again: more than are remembered.
const SENT_MAX: usize = 60;

pub(crate) struct Generator {
    pub(crate) rng: Rng,
    step: usize,
    sent: VecDeque<Op>,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), step: 0, sent: VecDeque::new() }
    }

    pub(crate) fn op(&mut self, world: &World, now_us: i64) -> Op {
        self.step += 1;
        let received_us = now_us + self.rng.i64(-900_000..100_000);
        if !self.sent.is_empty() && self.chance(6) {
            return self.sent_again(world, received_us);
        }
        let request = self.chance(35).then(|| format!("r-{}", self.step));
        let op = Op { request, received_us, what: self.what(world) };
        if op.request.is_some() {
            self.sent.push_back(op.clone());
            if self.sent.len() > SENT_MAX {
                self.sent.pop_front();
            }
        }
        op
    }

    fn sent_again(&mut self, world: &World, received_us: i64) -> Op {
        let index = self.rng.usize(0..self.sent.len());
        let mut op = Op { received_us, ..self.sent[index].clone() };
        if self.chance(25) {
            op.what = self.what(world);
        }
        op
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    fn what(&mut self, world: &World) -> What {
        match self.rng.u32(0..100) {
            0..12 => self.create(),
            12..28 => What::Update(self.update(world)),
            28..34 => self.end(world),
            34..48 => self.update_state(world),
            48..56 => self.transfer(world),
            56..82 => What::HandOff(self.ask(world)),
            82..89 => What::Initiate(self.ask(world)),
            89..95 => What::Execute(self.close(world)),
            95..98 => What::Withdraw(self.close(world)),
            _ => What::Switch { rule: RULES[self.rng.usize(0..RULES.len())], on: self.chance(80) },
        }
    }

    /// Most are young, so that not all are finished; the few that are called `v` are met often and seldom ended.
    fn task(&mut self) -> String {
        let newest = self.step / 64;
        match self.rng.u32(0..100) {
            0..14 => format!("v-{}", self.step / 1_500),
            14..92 => format!("t-{}", newest + self.rng.usize(0..8)),
            92..98 => format!("t-{}", self.rng.usize(0..newest + 8)),
            _ => "nowhere".to_owned(),
        }
    }

    fn agent(&mut self) -> String {
        AGENTS[self.rng.usize(0..AGENTS.len())].to_owned()
    }

    /// A word of few, so that equal values meet.
    fn word(&mut self, stem: &str) -> String {
        format!("{stem}-{}", self.rng.u8(0..4))
    }

    fn create(&mut self) -> What {
        let (task, description) = (self.task(), self.word("do"));
        What::Create { task, description, owner: self.agent(), metadata: self.metadata() }
    }

    /// Seldom just at the bound that the rule `metadata_size` sets, or just over it.
    fn metadata(&mut self) -> Rc<PlainMap> {
        if !self.chance(1) {
            return Rc::new(self.map(3));
        }
        let over = self.rng.usize(0..2);
        Rc::new(PlainMap::from([("key".to_owned(), Plain::Text("m".repeat(65_536 - 3 + over)))]))
    }

    fn update(&mut self, world: &World) -> Update {
        let task = self.task();
        let present = world.tasks.get(&task).map(|record| &record.task);
        Update {
            who: self.who(present),
            expected: self.expected(present.map_or(0, |task| task.revision)),
            description: self.chance(20).then(|| self.word("do")),
            metadata: self.chance(10).then(|| self.metadata()),
            progress: self.chance(30).then(|| (self.rng.u32(0..=100), self.word("note"))),
            start: self.chance(60),
            task,
        }
    }

    fn end(&mut self, world: &World) -> What {
        let mut task = self.task();
        if task.starts_with('v') && !self.chance(5) {
            task = self.task();
        }
        let who = self.who(world.tasks.get(&task).map(|record| &record.task));
        let how = [Ending::Complete, Ending::Fail, Ending::Cancel][self.rng.usize(0..3)];
        What::End { task, who, how, outcome: self.word("because") }
    }

    fn who(&mut self, task: Option<&Task>) -> Who {
        let owner = task.filter(|_| self.chance(85)).map(|task| task.owner.clone());
        let agent = owner.unwrap_or_else(|| self.agent());
        Who { agent: self.chance(70).then_some(agent), epoch: self.epoch(task) }
    }

    fn epoch(&mut self, task: Option<&Task>) -> Option<u64> {
        let present = task.map_or(1, |task| task.epoch);
        match self.rng.u32(0..100) {
            0..50 => None,
            50..90 => Some(present),
            90..96 => Some(present - 1),
            _ => Some(present + 1),
        }
    }

    fn expected(&mut self, present: u64) -> Option<u64> {
        match self.rng.u32(0..100) {
            0..75 => None,
            75..92 => Some(present),
            _ => Some(self.rng.u64(0..=present + 1)),
        }
    }

    fn update_state(&mut self, world: &World) -> What {
        let agent = self.agent();
        let present = world.agents.get(&agent).map_or(0, |agent| agent.revision);
        let mode = match self.rng.u32(0..10) {
            0..5 => Mode::Merge,
            5..6 => Mode::Replace,
            _ => Mode::Patch,
        };
        What::UpdateState { agent, mode, update: self.map(4), expected: self.expected(present) }
    }

    fn transfer(&mut self, world: &World) -> What {
        let (from, to) = (self.agent(), self.agent());
        let mut moving = self.moving(world, &from);
        if moving.keys == Keys::None {
            moving.keys = Keys::All;
        }
        What::Transfer { from, to, moving }
    }

    fn moving(&mut self, world: &World, from: &str) -> Moving {
        let keys = match self.rng.u32(0..100) {
            0..55 => Keys::All,
            55..85 => Keys::Some(self.keys(world, from)),
            _ => Keys::None,
        };
        let on_conflict = match self.rng.u32(0..100) {
            0..50 => OnConflict::Overwrite,
            50..75 => OnConflict::Keep,
            _ => OnConflict::Fail,
        };
        Moving { keys, on_conflict }
    }

    /// Some of the sender's keys, in any order, and now and then one that may be missing.
    fn keys(&mut self, world: &World, from: &str) -> Vec<String> {
        let known = world.agents.get(from).map(|agent| Rc::clone(&agent.state)).unwrap_or_default();
        let mut keys: Vec<String> = known.keys().filter(|_| self.chance(40)).cloned().collect();
        if keys.is_empty() || self.chance(15) {
            let more = self.key();
            keys.retain(|key| *key != more);
            keys.push(more);
        }
        self.rng.shuffle(&mut keys);
        keys
    }

    fn ask(&mut self, world: &World) -> Ask {
        let task = self.task();
        let record = world.tasks.get(&task);
        let owner = record.filter(|_| self.chance(90)).map(|record| record.task.owner.clone());
        let from = owner.unwrap_or_else(|| self.agent());
        let back = record.and_then(|record| record.pairs.last()).filter(|_| self.chance(45));
        let to = back.map(|(sender, _)| sender.clone()).unwrap_or_else(|| self.agent());
        let reason = if self.chance(96) { self.word("because") } else { " ".repeat(self.rng.usize(0..3)) };
        Ask {
            moving: self.moving(world, &from),
            epoch: self.epoch(record.map(|record| &record.task)),
            context_bytes: self.context_bytes(),
            task,
            from,
            to,
            reason,
        }
    }

    fn context_bytes(&mut self) -> usize {
        match self.rng.u32(0..400) {
            0 => 65_536,
            1 => 65_537,
            2..100 => 12,
            _ => 0,
        }
    }

    fn close(&mut self, world: &World) -> Close {
        let open: Vec<&Task> =
            world.tasks.values().map(|record| &record.task).filter(|task| task.open.is_some()).collect();
        let task = (!open.is_empty() && self.chance(80)).then(|| open[self.rng.usize(0..open.len())]);
        let handoff = task.and_then(|task| task.open).unwrap_or_else(|| self.any_handoff(world));
        let of = task.or_else(|| Some(&world.tasks.get(&world.handoffs.get(&handoff)?.task)?.task));
        Close { handoff, epoch: self.epoch(of), reason: self.word("because") }
    }

    /// Mostly one that is or was; now and then a revision that is something else.
    fn any_handoff(&mut self, world: &World) -> u64 {
        let any = self.rng.u64(0..=world.revision + 1);
        let near = world.handoffs.range(any..).next().map(|(id, _)| *id);
        near.filter(|_| self.chance(80)).unwrap_or(any)
    }

    fn key(&mut self) -> String {
        format!("k{}", self.rng.u8(0..9))
    }

    fn map(&mut self, count_max: usize) -> PlainMap {
        let count = self.rng.usize(0..=count_max);
        (0..count).map(|_| (self.key(), self.value(2))).collect()
    }

    fn value(&mut self, depth: usize) -> Plain {
        match self.rng.u32(0..10) {
            0..2 => Plain::Null,
            2 => Plain::Bool(self.rng.bool()),
            3..5 => Plain::Number(f64::from(self.rng.u8(0..3))),
            5 if self.chance(20) => Plain::Text("long ".repeat(20)),
            5 => Plain::Text(self.word("text")),
            6 if depth > 0 => Plain::List((0..self.rng.usize(0..3)).map(|_| self.value(depth - 1)).collect()),
            _ if depth > 0 => {
                let count = self.rng.usize(0..4);
                Plain::Map((0..count).map(|_| (self.key(), self.value(depth - 1))).collect())
            }
            _ => Plain::Null,
        }
    }
}
