// Runs the scenario of tests/scenarios/README.md from Node. Usage: node scenario.mjs [--after-restart] NAMESPACE
//
// Against the server at BATON_ADDR; NAMESPACE must be a fresh one, or the one of the run before the restart.

import { parseArgs } from 'node:util';
import { keep } from './promise.mjs';
import * as handoffs from './promises/handoffs.mjs';
import * as histories from './promises/histories.mjs';
import * as restart from './promises/restart.mjs';
import * as server from './promises/server.mjs';
import * as states from './promises/states.mjs';
import * as tasks from './promises/tasks.mjs';
import * as watches from './promises/watches.mjs';
import { Run } from './run.mjs';

const FRESH = [
  ...server.FIRST,
  ...tasks.ALL,
  ...states.ALL,
  ...handoffs.ALL,
  ...histories.ALL,
  ...watches.ALL,
  ...server.LAST,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'after-restart': { type: 'boolean', default: false } },
});
if (positionals.length !== 1) {
  console.error('usage: node scenario.mjs [--after-restart] NAMESPACE');
  process.exit(2);
}
// Exits by itself rather than by the last open stream, which after a broken promise would never be closed.
process.exit(await keep(values['after-restart'] ? restart.ALL : FRESH, new Run(positionals[0])));
