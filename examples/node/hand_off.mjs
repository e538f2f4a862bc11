// Creates a task, keeps state, hands both to another agent, and reads a refusal. Usage: node hand_off.mjs [TASK_ID]
//
// Against the server at BATON_ADDR (http://127.0.0.1:7420 if unset), in the namespace `default`.

import { randomUUID } from 'node:crypto';
import { connect } from './baton_v1.mjs';
import { readRefusal } from './refusal.mjs';
import { fromStruct, toStruct } from './struct.mjs';

const taskId = process.argv[2] ?? `ticket-${randomUUID().slice(0, 8)}`;
const baton = connect();
await handOver();
await actTooLate();
await lookBack();
baton.close();

/** The agent triage looks at a ticket and hands it to billing with what it has found out. */
async function handOver() {
  await baton.tasks.CreateTask({
    request_id: `create ${taskId}`,
    task_id: taskId,
    description: 'Charged twice in May',
    assigned_agent: 'triage',
    metadata: toStruct({ channel: 'mail' }),
  });
  await baton.states.UpdateAgentState({
    request_id: `note ${taskId}`,
    agent_id: 'triage',
    state: toStruct({ customer: 'ACME', mood: 'cross' }),
  });
  const { task } = await baton.handoffs.HandOff({
    request_id: `hand off ${taskId}`,
    task_id: taskId,
    from_agent: 'triage',
    to_agent: 'billing',
    reason: 'a refund is needed',
    owner_epoch: 1,
    context: { summary: 'Two charges, one order', remaining: ['refund the second charge'] },
  });
  const { agent_state } = await baton.states.GetAgentState({ agent_id: 'billing' });
  console.log(`${taskId} belongs to ${task.assigned_agent} at epoch ${task.owner_epoch}`);
  console.log('billing knows', fromStruct(agent_state.state));
}

/** Triage has not noticed that the task is no longer its own. Its epoch gives it away. */
async function actTooLate() {
  try {
    await baton.tasks.UpdateTask({ task_id: taskId, owner_epoch: 1, progress: { percent: 50 } });
  } catch (error) {
    const { reason, metadata } = readRefusal(error);
    console.log(`refused: ${reason}, the owner is ${metadata.owner} at epoch ${metadata.owner_epoch}`);
  }
}

/** Prints what happened to the task. */
async function lookBack() {
  const { entries } = await baton.tasks.GetTaskHistory({ task_id: taskId });
  for (const entry of entries) {
    const what = entry.type.replace('TASK_HISTORY_TYPE_', '');
    console.log(`${entry.revision} ${what} ${entry.assigned_agent} ${entry.reason}`.trimEnd());
  }
}
