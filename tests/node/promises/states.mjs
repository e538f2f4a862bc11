// Promises about what agents know.

import { fromStruct, toStruct } from '../../../examples/node/struct.mjs';
import { equal, promise, refused } from '../promise.mjs';

const MERGED = { customer: { name: 'Ada', plan: 'free' }, draft: 'Dear Ada', secret: 7 };

/** What triage knows from the patch on. */
export const PATCHED = { customer: { name: 'Ada', plan: 'pro' }, secret: 7 };

/** Gives `state` to an agent; returns the receipt. */
export async function update(run, agent_id, state, fields = {}) {
  const request = run.request({ agent_id, state: toStruct(state), ...fields });
  return (await run.baton.states.UpdateAgentState(request)).agent_state;
}

/** What an agent knows, as an object. */
export function content(agentState) {
  return fromStruct(agentState.state);
}

const merged = promise('a merge keeps the keys that it does not name', async (run) => {
  const first = { customer: 'unknown', secret: 7 };
  await update(run, 'triage', first, { request_id: 'triage 1', expected_revision: 0 });
  const second = { customer: { name: 'Ada', plan: 'free' }, draft: 'Dear Ada' };
  const receipt = await update(run, 'triage', second, { request_id: 'triage 2' });
  const after = await run.state('triage');
  equal('revision', after.revision, receipt.revision);
  equal('state', content(after), MERGED);
});

const patched = promise('a patch merges deeply and removes by null', async (run) => {
  const patch = { customer: { plan: 'pro' }, draft: null };
  await update(run, 'triage', patch, { request_id: 'triage 3', mode: 'UPDATE_MODE_PATCH' });
  equal('state', content(await run.state('triage')), PATCHED);
});

const staleRevision = promise('an update that expects a stale revision is aborted and changes nothing', async (run) => {
  const before = await run.state('triage');
  const call = update(run, 'triage', { secret: 8 }, { expected_revision: before.revision - 1 });
  const refusal = await refused('ABORTED', 'REVISION_MISMATCH', call);
  equal('present revision', refusal.metadata.revision, String(before.revision));
  equal('state', await run.state('triage'), before);
});

const oldState = promise('an old state can be read at its revision', async (run) => {
  const newest = (await run.state('triage')).revision;
  equal('state one revision ago', content(await run.state('triage', newest - 1)), MERGED);
  const refusal = await refused('OUT_OF_RANGE', 'REVISION_IN_FUTURE', run.state('triage', newest + 1000));
  equal('newest revision', refusal.metadata.newest_revision, String(await run.head()));
});

export const ALL = [merged, patched, staleRevision, oldState];
