// Promises about a server that was stopped and started again on the same log.

import { equal, promise } from '../promise.mjs';
import { firstHandOff } from './handoffs.mjs';
import { TICKET_1, summary, taskHistory, told } from './histories.mjs';
import { verifies } from './server.mjs';
import { PATCHED, content } from './states.mjs';
import { createFirst } from './tasks.mjs';
import { everyRevisionOnce } from './watches.mjs';

const firstAnswer = promise('a request from before the restart gets its first answer', async (run) => {
  const head = await run.head();
  const { task } = await run.baton.tasks.CreateTask(createFirst(run));
  const created = [task.revision, task.assigned_agent, task.owner_epoch];
  equal('the task as it was created', created, [1, 'triage', 1]);
  const { task: handed } = await firstHandOff(run);
  equal('the task as it was handed off', [handed.assigned_agent, handed.owner_epoch], ['billing', 2]);
  equal('newest revision', await run.head(), head);
});

const asTheyWere = promise('tasks, states and histories are as they were', async (run) => {
  const task = await run.task('ticket-1');
  const owner = [task.status, task.assigned_agent, task.owner_epoch, task.outcome];
  equal('ticket-1', owner, ['TASK_STATUS_COMPLETED', 'engineering', 3, 'refunded']);
  equal('its history', (await taskHistory(run, 'ticket-1')).map(told), TICKET_1);
  equal('triage', content(await run.state('triage')), PATCHED);
  equal('billing came from', (await run.state('billing')).transferred_from, 'triage');
});

const watched = promise('a watch from the first revision gets every revision once', async (run) => {
  const watch = run.watch({ start_revision: 1, all_events: true });
  await everyRevisionOnce(run, await watch.until(await run.head()));
  watch.close();
});

export const ALL = [firstAnswer, asTheyWere, summary, watched, verifies];
