// Prints hand-offs as they happen and misses none, even while the server or this program restarts.
//
// Usage: node watch.mjs [--namespace NAME] [--from-revision N] [--cursor FILE] [--events COUNT]
// With --cursor it goes on where the last run with the same FILE stopped. Ends after COUNT events; without it, never.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import grpc from '@grpc/grpc-js';
import { connect } from './baton_v1.mjs';
import { readRefusal } from './refusal.mjs';

const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5000;

/**
 * The hand-off events after a revision, each once and in order, for ever: iterate over it by `for await`.
 *
 * `revision` and `logId` are its cursor: every event up to that revision of that log has been given. With both, the server can go on exactly there,
 * or refuse to because it cannot: `whatIsGone` tells what that means. Store both to go on in another run.
 */
class Watch {
  #baton;
  #namespace;

  /** Begins after `revision`; without one, now, which is when the first answer comes: it says which revision that is. */
  constructor(baton, namespace, { revision, logId = '' } = {}) {
    this.revision = revision;
    this.logId = logId;
    this.#baton = baton;
    this.#namespace = namespace;
  }

  async *[Symbol.asyncIterator]() {
    let backoffMs = BACKOFF_MS_MIN;
    for (;;) {
      const stream = this.#open();
      try {
        for await (const response of stream) {
          this.logId = response.log_id;
          for (const event of response.events) {
            this.revision = event.revision;
            yield event;
          }
          // Nothing else matches up to here. Messages without events come now and then, and say only this.
          this.revision = response.revision;
          backoffMs = BACKOFF_MS_MIN;
        }
      } catch (error) {
        // A server that stops says so; one that dies or hangs is noticed by the channel. Any other end is final.
        if (error.code !== grpc.status.UNAVAILABLE) throw error;
      } finally {
        // Whoever stops listening tells the server; the stream's last word, that it was cancelled, is then no news.
        stream.on('error', () => {});
        stream.cancel();
      }
      const where = this.revision === undefined ? 'from now' : `at revision ${this.revision + 1}`;
      console.error(`lost the server, going on ${where}`);
      // A little luck keeps many watchers from coming back in the same moment.
      await sleep(backoffMs * (0.5 + Math.random() / 2));
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX);
    }
  }

  #open() {
    const start = this.revision === undefined ? 0 : this.revision + 1;
    const request = { namespace: this.#namespace, start_revision: start, log_id: this.logId };
    return this.#baton.handoffs.WatchHandoffs(request, new grpc.Metadata({ waitForReady: true }));
  }
}

/** Says what a watch can never give, and how to go on; nothing if it was refused for another reason. */
function whatIsGone(watch, { reason, metadata }) {
  const wanted = watch.revision + 1;
  switch (reason) {
    case 'REVISION_COMPACTED': {
      const oldest = Number(metadata.oldest_revision);
      return (
        `revisions ${wanted} to ${oldest - 1} are gone: the server keeps them no longer. ` +
        `Go on with what it keeps: --from-revision ${oldest}`
      );
    }
    case 'REVISION_IN_FUTURE':
      return `revision ${wanted} is not there yet: the log ends at ${metadata.newest_revision}`;
    case 'LOG_MISMATCH':
      return (
        `the server has another log, ${metadata.log_id}, than the one that was watched, ${watch.logId}: ` +
        'revisions mean something else in it. Begin anew: --from-revision 1'
      );
  }
}

/** The cursor that the last run stored; an empty one if there was none. */
function storedCursor(path) {
  if (path === undefined || !existsSync(path)) return {};
  const { revision, log_id: logId } = JSON.parse(readFileSync(path, 'utf8'));
  return { revision, logId };
}

/** Writes beside and renames, so that a crash leaves the old cursor or the new one, never half of one. */
function storeCursor(path, { revision, logId }) {
  writeFileSync(`${path}.new`, JSON.stringify({ revision, log_id: logId }));
  renameSync(`${path}.new`, path);
}

/** One event for people, as in `8 HANDOFF_COMPLETED ticket-1 triage → billing: a refund is needed`. */
function line({ revision, type, handoff }) {
  const what = type.replace('EVENT_TYPE_', '');
  const text = `${revision} ${what} ${handoff.task_id} ${handoff.from_agent} → ${handoff.to_agent}`;
  return handoff.reason ? `${text}: ${handoff.reason}` : text;
}

/** Prints the events as they come, and stores how far it is once each is dealt with. */
async function show(watch, eventsMax, cursorPath) {
  let count = 0;
  for await (const event of watch) {
    console.log(line(event));
    if (cursorPath !== undefined) storeCursor(cursorPath, watch);
    count += 1;
    if (count === eventsMax) return;
  }
}

const { values: options } = parseArgs({
  options: {
    namespace: { type: 'string', default: 'default' },
    // The first wanted, 1 or more; otherwise from now. It goes before a cursor.
    'from-revision': { type: 'string' },
    cursor: { type: 'string' },
    events: { type: 'string', default: '0' },
  },
});
const from = options['from-revision'];
const cursor = from === undefined ? storedCursor(options.cursor) : { revision: Number(from) - 1 };
const baton = connect();
const watch = new Watch(baton, options.namespace, cursor);
try {
  await show(watch, Number(options.events), options.cursor);
} catch (error) {
  if (typeof error.code !== 'number') throw error;
  const refusal = readRefusal(error);
  const { reason, message, metadata } = refusal;
  console.error(whatIsGone(watch, refusal) ?? `the watch was refused: ${reason} ${message} ${JSON.stringify(metadata)}`);
  process.exitCode = 1;
}
baton.close();
