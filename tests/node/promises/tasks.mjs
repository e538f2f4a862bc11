// Promises about tasks: creation, requests that repeat, bad fields, lists, progress.

import grpc from '@grpc/grpc-js';
import { fromStruct, toStruct } from '../../../examples/node/struct.mjs';
import { equal, holds, promise, refused } from '../promise.mjs';
import { pages } from '../run.mjs';

const METADATA = { customer: 'ACME', priority: 2, tags: ['refund', 'vip'], seen: { by: null, mail: true } };

/** The request of the whole scenario's first call. */
export function createFirst(run) {
  return run.request({
    request_id: 'create ticket-1',
    task_id: 'ticket-1',
    description: 'Charged twice in May',
    assigned_agent: 'triage',
    metadata: toStruct(METADATA),
  });
}

const created = promise('a new task is pending and owned by its agent at epoch 1', async (run) => {
  const { task } = await run.baton.tasks.CreateTask(createFirst(run));
  equal('status', task.status, 'TASK_STATUS_PENDING');
  equal('owner and epoch', [task.assigned_agent, task.owner_epoch], ['triage', 1]);
  equal('namespace and revision', [task.namespace, task.revision], [run.namespace, 1]);
  equal('metadata', fromStruct(task.metadata), METADATA);
  equal('as read', await run.task('ticket-1'), task);
  // From here on two watches see everything as it happens; watches.mjs reads them.
  run.allEvents = run.watch({ start_revision: 1, all_events: true });
  run.handoffEvents = run.watch({ start_revision: 1 });
});

const repeated = promise('a repeated request gets the first answer', async (run) => {
  const first = await run.baton.tasks.CreateTask(createFirst(run));
  equal('revision', first.task.revision, 1);
  equal('newest revision', await run.head(), 1);
});

const requestIdReused = promise('a request id used again with another body is refused', async (run) => {
  const request = { ...createFirst(run), description: 'Something else' };
  const refusal = await refused('ALREADY_EXISTS', 'REQUEST_ID_REUSED', run.baton.tasks.CreateTask(request));
  equal('request id', refusal.metadata.request_id, 'create ticket-1');
  equal('description', (await run.task('ticket-1')).description, 'Charged twice in May');
});

const taskIdTaken = promise('a taken task id is refused', async (run) => {
  const request = { ...createFirst(run), request_id: 'create ticket-1 once more' };
  const refusal = await refused('ALREADY_EXISTS', 'TASK_EXISTS', run.baton.tasks.CreateTask(request));
  equal('task id', refusal.metadata.task_id, 'ticket-1');
});

const badFields = promise('all bad fields are named at once', async (run) => {
  const request = run.request({
    request_id: 'r'.repeat(257),
    task_id: '',
    description: 'd'.repeat(16 * 1024 + 1),
    assigned_agent: 'bad\nname',
  });
  const refusal = await refused('INVALID_ARGUMENT', 'INVALID_FIELD', run.baton.tasks.CreateTask(request));
  const expected = ['assigned_agent', 'description', 'request_id', 'task_id'];
  equal('bad fields', Object.keys(refusal.fields).sort(), expected);
  equal('newest revision', await run.head(), 1);
});

const unknownTask = promise('an unknown task is not found', async (run) => {
  const call = run.baton.tasks.GetTask(run.request({ task_id: 'ticket-0' }));
  const refusal = await refused('NOT_FOUND', 'TASK_NOT_FOUND', call);
  equal('task id', refusal.metadata.task_id, 'ticket-0');
});

const batch = promise('a batch creates what it can and says why not of the rest', async (run) => {
  const ids = ['ticket-2', 'ticket-1', 'ticket-3', 'ticket-4', 'ticket-5'];
  const items = ids.map((id) => ({ request_id: `batch ${id}`, task_id: id, assigned_agent: 'triage' }));
  const { results } = await run.baton.tasks.BatchCreateTasks(run.request({ items }));
  const came = results.map(({ task }) => task?.task_id);
  equal('created', came, ['ticket-2', undefined, 'ticket-3', 'ticket-4', 'ticket-5']);
  equal('code of the second', results[1].error.code, grpc.status.ALREADY_EXISTS);
  equal('reason of the second', results[1].error.reason, 'TASK_EXISTS');
});

const listed = promise('tasks are listed in pages, in order of their ids', async (run) => {
  const request = run.request({ assigned_agent: 'triage', page_size: 2 });
  const tasks = await pages(run.baton.tasks.ListTasks, request, 'tasks');
  const expected = [1, 2, 3, 4, 5].map((n) => `ticket-${n}`);
  equal(
    'ids',
    tasks.map((task) => task.task_id),
    expected,
  );
  const foreign = run.baton.tasks.ListTasks(run.request({ page_token: 'from elsewhere' }));
  const refusal = await refused('INVALID_ARGUMENT', 'INVALID_FIELD', foreign);
  equal('bad fields', Object.keys(refusal.fields), ['page_token']);
});

const started = promise('an owner starts its task and tells its progress', async (run) => {
  const change = async (fields) => {
    const acting = run.request({ task_id: 'ticket-1', agent_id: 'triage', owner_epoch: 1 });
    return (await run.baton.tasks.UpdateTask({ ...acting, ...fields })).task;
  };
  const before = await change({ request_id: 'start ticket-1', start: true });
  equal('status', before.status, 'TASK_STATUS_IN_PROGRESS');
  const progress = { percent: 40, note: 'order found' };
  const after = await change({ request_id: 'ticket-1 at 40', progress, expected_revision: before.revision });
  equal('progress', after.progress, progress);
  holds('the revision has grown', after.revision > before.revision, after.revision);
});

export const ALL = [
  created,
  repeated,
  requestIdReused,
  taskIdTaken,
  badFields,
  unknownTask,
  batch,
  listed,
  started,
];
