// Promises about looking back: histories, lists, figures.

import { equal, holds, promise } from '../promise.mjs';
import { pages } from '../run.mjs';
import { PATCHED, content } from './states.mjs';

/** What happened to ticket-1: type, owner and epoch after it. */
export const TICKET_1 = [
  'CREATED triage 1',
  'STARTED triage 1',
  'UPDATED triage 1',
  'HANDOFF_COMPLETED billing 2',
  'HANDOFF_REJECTED billing 2',
  'HANDOFF_REJECTED billing 2',
  'HANDOFF_REJECTED billing 2',
  'HANDOFF_INITIATED billing 2',
  'HANDOFF_COMPLETED engineering 3',
  'STARTED engineering 3',
  'COMPLETED engineering 3',
  'HANDOFF_REJECTED engineering 3',
];

/** All entries of a task's history, page by page. */
export function taskHistory(run, task_id) {
  return pages(run.baton.tasks.GetTaskHistory, run.request({ task_id, page_size: 5 }), 'entries');
}

/** One entry as in TICKET_1. */
export function told(entry) {
  return `${entry.type.replace('TASK_HISTORY_TYPE_', '')} ${entry.assigned_agent} ${entry.owner_epoch}`;
}

/** A time that can be compared, in nanoseconds. */
export function nanoseconds({ seconds, nanos }) {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}

/** Whether each value is at least the one before. */
export function ascending(values) {
  return values.every((value, index) => index === 0 || values[index - 1] <= value);
}

const ofATask = promise('the history of a task tells everything in order', async (run) => {
  const entries = await taskHistory(run, 'ticket-1');
  equal('ticket-1', entries.map(told), TICKET_1);
  const revisions = entries.map((entry) => entry.revision);
  holds('revisions in order, each once', ascending(revisions) && new Set(revisions).size === revisions.length, revisions);
  const { from_agent, to_agent, reason, handoff_id } = entries[3];
  const passage = [from_agent, to_agent, reason];
  equal('who gave it to whom, and why', passage, ['triage', 'billing', 'a refund is needed']);
  holds('its hand-off is named', handoff_id, entries[3]);
  equal('lines of errors of the last refusal of a stranger', entries[6].errors.length, 3);
  equal('outcome', entries[10].reason, 'refunded');
  const failed = (await taskHistory(run, 'ticket-2')).map(told);
  const expected = ['CREATED', 'HANDOFF_INITIATED', 'HANDOFF_WITHDRAWN', 'HANDOFF_FAILED'];
  const lines = expected.map((name) => `${name} triage 1`);
  equal('ticket-2', failed, lines);
});

const ofAState = promise('the history of a state tells where it came from', async (run) => {
  const request = run.request({ agent_id: 'billing', page_size: 1 });
  const entries = await pages(run.baton.states.GetStateHistory, request, 'entries');
  equal('changes', entries.length, 2);
  const [first, second] = entries;
  const merge = [first.type, content(first), first.transferred_from];
  equal('first', merge, ['STATE_CHANGE_TYPE_MERGED', { queue: 'invoices' }, '']);
  equal('second', [second.type, second.transferred_from], ['STATE_CHANGE_TYPE_TRANSFERRED', 'triage']);
  equal('state after it', content(second), { queue: 'invoices', customer: PATCHED.customer });
  const [handoff] = await run.handoffs({ task_id: 'ticket-1' });
  const source = [second.handoff_id, second.revision];
  equal('its hand-off and revision', source, [handoff.handoff_id, handoff.revision]);
});

const handoffs = promise('hand-offs are listed in order of creation, and by status', async (run) => {
  const listed = await run.handoffs();
  const tasks = listed.map((handoff) => handoff.task_id);
  const expected = [1, 1, 1, 1, 1, 2, 2, 3, 4, 1].map((n) => `ticket-${n}`);
  equal('tasks', tasks, expected);
  const created = listed.map((handoff) => nanoseconds(handoff.created_at));
  holds('times of creation in order', ascending(created), created);
  const completed = listed.filter(({ status }) => status === 'HANDOFF_STATUS_COMPLETED');
  equal('completed', await run.handoffs({ status: 'HANDOFF_STATUS_COMPLETED' }), completed);
  const ofPerson = listed.filter(({ from_agent, to_agent }) => [from_agent, to_agent].includes('person'));
  equal('of person', await run.handoffs({ agent_id: 'person' }), ofPerson);
});

/** The summary agrees with the hand-offs. */
export const summary = promise('the summary agrees with the hand-offs', async (run) => {
  const listed = await run.handoffs();
  const count = (status) => listed.filter((handoff) => handoff.status === `HANDOFF_STATUS_${status}`).length;
  const request = run.request({ group_by: ['SUMMARY_GROUPING_PAIR'] });
  const { total, groups } = await run.baton.monitor.GetSummary(request);
  for (const status of ['completed', 'failed', 'rejected', 'withdrawn']) {
    equal(status, total[status], count(status.toUpperCase()));
  }
  equal('open', total.open, count('INITIATED'));

  const ended = listed.length - total.open;
  equal('hand-off count', [total.hand_off_count.count, total.hand_off_count.total], [ended, ended]);
  const rate = total.success_rate.average;
  holds('success rate', Math.abs(rate - total.completed / ended) < 1e-9, total.success_rate);
  const errors = listed.reduce((sum, handoff) => sum + handoff.validation.errors.length, 0);
  equal('validation errors', total.validation_errors.total, errors);
  const { count: durations, min, p50, p95, p99, max } = total.duration_seconds;
  equal('durations', durations, total.completed + total.failed);
  holds('durations in order', ascending([0, min, p50, p95, p99, max]), total.duration_seconds);
  const pair = groups.find(({ agent_id, to_agent }) => agent_id === 'triage' && to_agent === 'billing');
  equal('completed from triage to billing', pair.summary.completed, 1);
});

export const ALL = [ofATask, ofAState, handoffs, summary];
