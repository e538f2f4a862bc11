// Promises about watching: nothing missed, nothing twice, and a clear word when that cannot be.

import { equal, holds, promise, refused } from '../promise.mjs';
import { collect } from '../run.mjs';
import { initiate } from './handoffs.mjs';
import { ascending, nanoseconds } from './histories.mjs';

/** Checks that `events` are all of the namespace's events. */
export async function everyRevisionOnce(run, events) {
  const revisions = events.map((event) => event.revision);
  const expected = Array.from({ length: await run.head() }, (_, index) => index + 1);
  equal('revisions', revisions, expected);
  const times = events.map((event) => nanoseconds(event.timestamp));
  holds('times never run backwards', ascending(times), times);
}

const allEvents = promise('a watch of all events gets every revision once', async (run) => {
  const events = await run.allEvents.until(await run.head());
  await everyRevisionOnce(run, events);
  equal('the first', [events[0].type, events[0].task.task_id], ['EVENT_TYPE_TASK_CREATED', 'ticket-1']);
});

const handoffEvents = promise('a watch of hand-offs gets all of them and nothing else', async (run) => {
  const head = await run.head();
  const all = await run.allEvents.until(head);
  const expected = all.filter(({ type }) => type.startsWith('EVENT_TYPE_HANDOFF_'));
  equal('events', await run.handoffEvents.until(head), expected);
  const { type, handoff, task } = expected[0];
  equal('the first', [type, handoff.to_agent], ['EVENT_TYPE_HANDOFF_COMPLETED', 'billing']);
  equal('the task after it', [task.assigned_agent, task.owner_epoch], ['billing', 2]);
  run.handoffEvents.close();
});

const resumed = promise('a watch can go on at any revision', async (run) => {
  const head = await run.head();
  const { logId: log_id } = run.allEvents;
  const everything = await run.allEvents.until(head);
  for (const start_revision of [2, Math.floor(head / 2), head]) {
    const rest = run.watch({ start_revision, all_events: true, log_id });
    equal(`events from ${start_revision}`, await rest.until(head), everything.slice(start_revision - 1));
    rest.close();
  }
  const nextOne = run.watch({ start_revision: head + 1, all_events: true, log_id });
  equal('events after the newest', await nextOne.until(head), []);
  nextOne.close();
  const some = run.watch({ start_revision: 1, filter: { task_ids: ['ticket-2'] } });
  const tasks = (await some.until(head)).map(({ handoff }) => handoff.task_id);
  equal('tasks of a filtered watch', [...new Set(tasks)], ['ticket-2']);
  some.close();
});

const outOfReach = promise('a watch from the future or of another log is refused', async (run) => {
  const watch = (wanted) => collect(run.baton.handoffs.WatchHandoffs(run.request(wanted)));
  const head = await run.head();
  const future = await refused('OUT_OF_RANGE', 'REVISION_IN_FUTURE', watch({ start_revision: head + 1000 }));
  const { oldest_revision, newest_revision } = future.metadata;
  equal('oldest and newest', [oldest_revision, newest_revision], ['1', String(head)]);
  const foreign = watch({ start_revision: 1, log_id: 'another' });
  const refusal = await refused('FAILED_PRECONDITION', 'LOG_MISMATCH', foreign);
  equal('log', refusal.metadata.log_id, run.allEvents.logId);
});

const snapshot = promise('a snapshot shows what is open and then what happens', async (run) => {
  const opened = (await initiate(run, 'ticket-5', 'triage', 'billing')).handoff;
  const watch = run.watch({ snapshot: true });
  equal('events up to the snapshot', await watch.until(opened.revision), []);
  equal('open hand-offs', watch.openHandoffs, [opened]);
  const request = run.request({ request_id: 'withdraw ticket-5', handoff_id: opened.handoff_id });
  const withdrawn = (await run.baton.handoffs.WithdrawHandoff(request)).handoff;
  const events = await watch.until(withdrawn.revision);
  const seen = events.map(({ handoff }) => handoff);
  equal('events after it', seen, [withdrawn]);
  watch.close();
  const everything = await run.allEvents.until(withdrawn.revision);
  equal('the last of the watch of all events', everything.at(-1).handoff, withdrawn);
  run.allEvents.close();
});

export const ALL = [allEvents, handoffEvents, resumed, outOfReach, snapshot];
