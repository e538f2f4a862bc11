// Prints hand-offs as they happen and misses none, even while the server restarts.
//
// Usage: node watch.mjs [--namespace NAME] [--from-revision N] [--events COUNT]
// Ends after COUNT events; without it, never.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import grpc from '@grpc/grpc-js';
import { connect } from './baton_v1.mjs';
import { readRefusal } from './refusal.mjs';

const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5000;

/**
 * Yields every hand-off event from `fromRevision` on (0: from now), once and in order, for ever.
 *
 * Keeps two things between connections: the revision up to which all was received, and the log it belongs to. With these the server can go on
 * exactly there, or say that it cannot.
 */
async function* events(baton, namespace, fromRevision) {
  const waitForReady = new grpc.Metadata({ waitForReady: true });
  let nextRevision = fromRevision;
  let logId = '';
  let backoffMs = BACKOFF_MS_MIN;
  for (;;) {
    const request = { namespace, start_revision: nextRevision, log_id: logId };
    const stream = baton.handoffs.WatchHandoffs(request, waitForReady);
    try {
      for await (const response of stream) {
        yield* response.events;
        nextRevision = response.revision + 1;
        logId = response.log_id;
        backoffMs = BACKOFF_MS_MIN;
      }
    } catch (error) {
      if (error.code !== grpc.status.UNAVAILABLE) throw error;
      console.error(`lost the server, going on at revision ${nextRevision}`);
    } finally {
      // Whoever stops listening tells the server; the stream's last word, that it was cancelled, is then no news.
      stream.on('error', () => {});
      stream.cancel();
    }
    // A little luck keeps many watchers from coming back in the same moment.
    await sleep(backoffMs * (0.5 + Math.random() / 2));
    backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX);
  }
}

/** One event for people, as in `8 HANDOFF_COMPLETED ticket-1 triage → billing: a refund is needed`. */
function line({ revision, type, handoff }) {
  const what = type.replace('EVENT_TYPE_', '');
  const text = `${revision} ${what} ${handoff.task_id} ${handoff.from_agent} → ${handoff.to_agent}`;
  return handoff.reason ? `${text}: ${handoff.reason}` : text;
}

const { values: options } = parseArgs({
  options: {
    namespace: { type: 'string', default: 'default' },
    'from-revision': { type: 'string', default: '0' },
    events: { type: 'string', default: '0' },
  },
});
const baton = connect();
try {
  let seen = 0;
  for await (const event of events(baton, options.namespace, Number(options['from-revision']))) {
    console.log(line(event));
    seen += 1;
    if (seen === Number(options.events)) break;
  }
} catch (error) {
  if (error.code === undefined) throw error;
  const { reason, message, metadata } = readRefusal(error);
  console.error(`the watch was refused: ${reason} ${message}`, metadata);
  process.exitCode = 1;
}
baton.close();
