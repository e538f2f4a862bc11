// One run of the scenario: the server, the namespace, and what one step leaves for the next.

import { connect } from '../../examples/node/baton_v1.mjs';
import { Broken, CALL_MS_MAX } from './promise.mjs';

/** What all steps share. */
export class Run {
  constructor(namespace) {
    this.namespace = namespace;
    this.baton = connect();
    this.allEvents = undefined;
    this.handoffEvents = undefined;
  }

  /** The request with the namespace of the run. */
  request(fields = {}) {
    return { namespace: this.namespace, ...fields };
  }

  /** The task as it is now. */
  async task(task_id) {
    return (await this.baton.tasks.GetTask(this.request({ task_id }))).task;
  }

  /** The agent's state, now or at a revision. */
  async state(agent_id, at_revision = 0) {
    return (await this.baton.states.GetAgentState(this.request({ agent_id, at_revision }))).agent_state;
  }

  /** All hand-offs that match, page by page. */
  handoffs(conditions = {}) {
    return pages(this.baton.handoffs.ListHandoffs, this.request({ page_size: 2, ...conditions }), 'handoffs');
  }

  /** The newest revision of the namespace. */
  async head() {
    return (await this.baton.monitor.GetSummary(this.request())).revision;
  }

  /** Opens a watch and collects what it gets, in the background. */
  watch(wanted) {
    const request = this.request({ progress_interval: { nanos: 100_000_000 }, ...wanted });
    return new Watch(this.baton.handoffs.WatchHandoffs(request));
  }
}

/** What is in `field` of all pages. */
export async function pages(rpc, request, field) {
  const all = [];
  let page_token = '';
  do {
    const page = await rpc({ ...request, page_token });
    all.push(...page[field]);
    page_token = page.next_page_token;
  } while (page_token);
  return all;
}

/** All messages of a stream that ends. */
export async function collect(stream) {
  const all = [];
  for await (const message of stream) all.push(message);
  return all;
}

/** The events of one stream, collected until the stream is closed. */
class Watch {
  events = [];
  openHandoffs = [];
  logId = '';
  #stream;
  #revision = 0;
  #waiting = new Set();

  constructor(stream) {
    this.#stream = stream;
    stream.on('data', (response) => this.#take(response));
    // Cancelled, or lost: `until` tells which by what is missing.
    stream.on('error', () => {});
  }

  #take(response) {
    this.events.push(...response.events);
    this.openHandoffs.push(...response.open_handoffs);
    this.#revision = response.revision;
    this.logId = response.log_id;
    for (const check of this.#waiting) check();
  }

  /** Waits until everything up to `revision` has come and returns the events. */
  until(revision) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Broken(`the watch comes to revision ${revision}\n  came     ${this.#revision}`));
      }, CALL_MS_MAX);
      const check = () => {
        if (this.logId === '' || this.#revision < revision) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve([...this.events]);
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Ends the stream. */
  close() {
    this.#stream.cancel();
  }
}
