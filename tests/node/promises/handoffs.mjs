// Promises about hand-offs: what moves, what is refused, what is taken back.

import grpc from '@grpc/grpc-js';
import { equal, holds, promise, refused } from '../promise.mjs';
import { PATCHED, content, update } from './states.mjs';

const CONTEXT = {
  summary: 'Two charges, one order',
  completed: ['found the order'],
  remaining: ['refund the second charge'],
  decisions: ['no voucher: Ada asked for money'],
  pitfalls: ['the order is in two currencies'],
  references: ['orders/1017'],
};

/** Hands a task from one agent to another. */
function handOff(run, task_id, from_agent, to_agent, fields = {}) {
  const request = run.request({ task_id, from_agent, to_agent, reason: 'a refund is needed', ...fields });
  return run.baton.handoffs.HandOff(request);
}

/** Hands ticket-1 from triage to billing, with one of triage's two keys. */
export function firstHandOff(run) {
  return handOff(run, 'ticket-1', 'triage', 'billing', {
    request_id: 'hand off ticket-1',
    owner_epoch: 1,
    transfer: { scope: 'TRANSFER_SCOPE_SOME', keys: ['customer'] },
    context: CONTEXT,
  });
}

/** The names of the rules that a verdict's errors are of, in order. */
function rulesOf(verdict) {
  return verdict.errors.map((violation) => violation.rule).sort();
}

/** Owner, epoch and open hand-off of a task. */
function ownerOf(task) {
  return [task.assigned_agent, task.owner_epoch, task.open_handoff_id];
}

const dryRun = promise('a dry run judges and changes nothing', async (run) => {
  const judge = (from_agent, to_agent, reason) =>
    run.baton.rules.ValidateHandoff(run.request({ task_id: 'ticket-1', from_agent, to_agent, reason }));

  const head = await run.head();
  const good = await judge('triage', 'billing', 'a refund is needed');
  const bad = await judge('billing', 'billing', '');
  equal("the good one's verdict", [good.verdict.valid, good.verdict.errors.length], [true, 0]);
  equal('the bad one is valid', bad.verdict.valid, false);
  equal('rules against the bad one', rulesOf(bad.verdict), ['empty_reason', 'not_owner', 'self_handoff']);
  equal('revisions judged, newest revision', [good.revision, bad.revision, await run.head()], [head, head, head]);
  equal('hand-offs', await run.handoffs(), []);
});

const handedOff = promise('a hand-off moves the task, the chosen keys and the context', async (run) => {
  await update(run, 'billing', { queue: 'invoices' }, { request_id: 'billing 1' });
  const sent = await run.state('triage');
  const { task, handoff } = await firstHandOff(run);
  equal('owner and epoch', ownerOf(task), ['billing', 2, '']);
  equal('task status and count', [task.status, task.handoff_count], ['TASK_STATUS_HANDED_OFF', 1]);
  const status = [handoff.status, handoff.owner_epoch];
  equal('hand-off status and epoch', status, ['HANDOFF_STATUS_COMPLETED', 2]);
  const steps = handoff.steps.map((step) => [step.step, step.status]);
  const names = ['validation', 'state_transfer', 'task_transfer'];
  const expected = names.map((name) => [name, 'STEP_STATUS_COMPLETED']);
  equal('steps', steps, expected);
  equal('context', handoff.context, CONTEXT);
  const { from_agent, from_revision } = handoff.transfer;
  equal('what moved', [from_agent, from_revision], ['triage', sent.revision]);
  equal('the task as read', (await run.task('ticket-1')).owner_epoch, 2);
  const read = await run.baton.handoffs.GetHandoff(run.request({ handoff_id: handoff.handoff_id }));
  equal('the hand-off as read', read.handoff, handoff);
});

const repeated = promise('a repeated hand-off happens once', async (run) => {
  const head = await run.head();
  const again = await firstHandOff(run);
  equal('epoch and revision', [again.task.owner_epoch, again.handoff.revision], [2, head]);
  equal('newest revision', await run.head(), head);
});

const statesAfter = promise('the receiver keeps its own keys and the sender keeps its state', async (run) => {
  const received = await run.state('billing');
  equal('billing', content(received), { queue: 'invoices', customer: PATCHED.customer });
  equal('transferred from', received.transferred_from, 'triage');
  equal('triage', content(await run.state('triage')), PATCHED);
});

const staleOwner = promise('a stale owner epoch is refused with the owner and its epoch', async (run) => {
  const expected = { task_id: 'ticket-1', owner: 'billing', owner_epoch: '2', given_epoch: '1' };
  const late = run.request({ task_id: 'ticket-1', owner_epoch: 1, start: true });
  const update = await refused('FAILED_PRECONDITION', 'STALE_OWNER', run.baton.tasks.UpdateTask(late));
  equal('metadata', update.metadata, expected);

  const call = handOff(run, 'ticket-1', 'billing', 'person', { owner_epoch: 1 });
  const refusal = await refused('FAILED_PRECONDITION', 'STALE_OWNER', call);
  const { handoff_id, ...metadata } = refusal.metadata;
  equal('metadata of the hand-off', metadata, expected);
  equal('violations', Object.keys(refusal.violations), ['stale_owner']);
  const kept = await run.handoffs({ status: 'HANDOFF_STATUS_REJECTED' });
  const ids = kept.map((handoff) => handoff.handoff_id);
  equal('rejected hand-offs', ids, [handoff_id]);
});

const rejected = promise('a refused hand-off tells all that is wrong with it', async (run) => {
  const byOwner = handOff(run, 'ticket-1', 'billing', 'billing', { reason: '' });
  const own = await refused('FAILED_PRECONDITION', 'HANDOFF_REJECTED', byOwner);
  equal('rules', Object.keys(own.violations).sort(), ['empty_reason', 'self_handoff']);
  equal('owner and epoch', [own.metadata.owner, own.metadata.owner_epoch], ['billing', '2']);

  const byStranger = handOff(run, 'ticket-1', 'person', 'person', { reason: '' });
  const { metadata, violations } = await refused('FAILED_PRECONDITION', 'NOT_OWNER', byStranger);
  const rules = ['empty_reason', 'not_owner', 'self_handoff'];
  equal('rules', Object.keys(violations).sort(), rules);
  holds('each says what is wrong', Object.values(violations).every(Boolean), violations);
  const read = await run.baton.handoffs.GetHandoff(run.request({ handoff_id: metadata.handoff_id }));
  const kept = [read.handoff.status, rulesOf(read.handoff.validation)];
  equal('rules in the record', kept, ['HANDOFF_STATUS_REJECTED', rules]);
});

const unknownTask = promise('a hand-off of an unknown task is not found', async (run) => {
  const head = await run.head();
  await refused('NOT_FOUND', 'TASK_NOT_FOUND', handOff(run, 'ticket-0', 'triage', 'billing'));
  equal('newest revision', await run.head(), head);
});

/** Initiates a hand-off and returns hand-off and task. */
export function initiate(run, task_id, from_agent, to_agent) {
  const fields = { request_id: `initiate ${task_id}`, reason: 'the ledger is wrong' };
  return run.baton.handoffs.InitiateHandoff(run.request({ task_id, from_agent, to_agent, ...fields }));
}

const twoSteps = promise('an initiated hand-off moves nothing until it is executed', async (run) => {
  const opened = await initiate(run, 'ticket-1', 'billing', 'engineering');
  const { handoff_id, status } = opened.handoff;
  equal('status', status, 'HANDOFF_STATUS_INITIATED');
  equal('owner, epoch and open hand-off', ownerOf(opened.task), ['billing', 2, handoff_id]);

  const request = run.request({ request_id: 'execute ticket-1', handoff_id, owner_epoch: 2 });
  const done = await run.baton.handoffs.ExecuteHandoff(request);
  const executed = [done.handoff.handoff_id, done.handoff.status];
  equal('status', executed, [handoff_id, 'HANDOFF_STATUS_COMPLETED']);
  equal('owner, epoch and open hand-off', ownerOf(done.task), ['engineering', 3, '']);
  equal('engineering', content(await run.state('engineering')), content(await run.state('billing')));
});

const closed = promise('a closed hand-off cannot be executed again', async (run) => {
  const completed = await run.handoffs({ status: 'HANDOFF_STATUS_COMPLETED' });
  const { handoff_id } = completed.at(-1);
  const call = run.baton.handoffs.ExecuteHandoff(run.request({ handoff_id }));
  const refusal = await refused('FAILED_PRECONDITION', 'WRONG_HANDOFF_STATUS', call);
  equal('hand-off', refusal.metadata.handoff_id, handoff_id);
});

const withdrawn = promise('a withdrawn hand-off leaves the owner alone', async (run) => {
  const { handoff_id } = (await initiate(run, 'ticket-2', 'triage', 'billing')).handoff;
  const request = run.request({ request_id: 'withdraw ticket-2', handoff_id, reason: 'found the answer' });
  const after = await run.baton.handoffs.WithdrawHandoff(request);
  equal('status', after.handoff.status, 'HANDOFF_STATUS_WITHDRAWN');
  equal('owner, epoch and open hand-off', ownerOf(after.task), ['triage', 1, '']);
});

const conflict = promise('a hand-off that meets a conflict fails and moves nothing', async (run) => {
  await update(run, 'person', { secret: 1 }, { request_id: 'person 1' });
  const before = await run.state('person');
  const fields = { request_id: 'hand off ticket-2', transfer: { on_conflict: 'CONFLICT_POLICY_FAIL' } };
  const call = handOff(run, 'ticket-2', 'triage', 'person', fields);
  const refusal = await refused('FAILED_PRECONDITION', 'HANDOFF_FAILED', call);
  holds('the message names the key', refusal.message.includes('secret'), refusal.message);
  const [failed, ...others] = await run.handoffs({ status: 'HANDOFF_STATUS_FAILED' });
  equal('failed hand-off, and how many others', [failed.handoff_id, others.length], [refusal.metadata.handoff_id, 0]);
  const last = failed.steps.at(-1);
  equal('last step', [last.step, last.status], ['state_transfer', 'STEP_STATUS_FAILED']);
  equal('owner', (await run.task('ticket-2')).assigned_agent, 'triage');
  equal('state', await run.state('person'), before);
});

const batch = promise('a batch of hand-offs settles each on its own', async (run) => {
  const senders = { 'ticket-3': 'triage', 'ticket-4': 'billing' };
  const items = Object.entries(senders).map(([task_id, from_agent]) => ({
    request_id: `hand off ${task_id}`,
    task_id,
    from_agent,
    to_agent: 'engineering',
    reason: 'a refund is needed',
  }));
  const { results } = await run.baton.handoffs.BatchHandOff(run.request({ items }));
  const [{ handoff }, { error }] = results;
  equal('the good one', [handoff.task_id, handoff.status], ['ticket-3', 'HANDOFF_STATUS_COMPLETED']);
  equal("the bad one's code", error.code, grpc.status.FAILED_PRECONDITION);
  equal("the bad one's reason and owner", [error.reason, error.metadata.owner], ['NOT_OWNER', 'triage']);
});

const transferred = promise('state can be transferred outside of a hand-off', async (run) => {
  const transfer = (on_conflict) => {
    const spec = { scope: 'TRANSFER_SCOPE_SOME', keys: ['customer', 'secret'], on_conflict };
    const agents = { from_agent: 'triage', to_agent: 'person' };
    return run.baton.states.TransferState(run.request({ ...agents, transfer: spec }));
  };
  await refused('FAILED_PRECONDITION', 'STATE_CONFLICT', transfer('CONFLICT_POLICY_FAIL'));
  await transfer('CONFLICT_POLICY_KEEP');
  const after = await run.state('person');
  equal('person', content(after), { secret: 1, customer: PATCHED.customer });
  equal('transferred from', after.transferred_from, 'triage');
});

const finished = promise('a finished task cannot be handed on', async (run) => {
  const acting = run.request({ task_id: 'ticket-1', agent_id: 'engineering', owner_epoch: 3 });
  const early = run.baton.tasks.CompleteTask(acting);
  const refusal = await refused('FAILED_PRECONDITION', 'WRONG_TASK_STATUS', early);
  equal('task', refusal.metadata.task_id, 'ticket-1');

  await run.baton.tasks.UpdateTask({ ...acting, request_id: 'start ticket-1 again', start: true });
  const done = { ...acting, request_id: 'complete ticket-1', outcome: 'refunded' };
  const { task } = await run.baton.tasks.CompleteTask(done);
  equal('status and outcome', [task.status, task.outcome], ['TASK_STATUS_COMPLETED', 'refunded']);
  const late = handOff(run, 'ticket-1', 'engineering', 'person');
  const { violations } = await refused('FAILED_PRECONDITION', 'HANDOFF_REJECTED', late);
  equal('rules', Object.keys(violations), ['finished_task']);
});

export const ALL = [
  dryRun,
  handedOff,
  repeated,
  statesAfter,
  staleOwner,
  rejected,
  unknownTask,
  twoSteps,
  closed,
  withdrawn,
  conflict,
  batch,
  transferred,
  finished,
];
