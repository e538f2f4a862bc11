// Promises and how they are checked: what every step of the scenario is made of.
//
// Knows nothing of tasks or hand-offs.

import { inspect, isDeepStrictEqual } from 'node:util';
import { readRefusal } from '../../examples/node/refusal.mjs';

/** How long anything may take before it counts as broken, in milliseconds. */
export const CALL_MS_MAX = 20_000;

/** What was expected, and what came instead. */
export class Broken extends Error {}

/** One promise and the function that checks it. */
export function promise(text, check) {
  return { text, check };
}

/** Checks one value. */
export function equal(what, came, expected) {
  if (!isDeepStrictEqual(came, expected)) {
    throw new Broken(`${what}\n  expected ${show(expected)}\n  came     ${show(came)}`);
  }
}

/** Checks a condition that is not an equality; `came` is shown if it does not hold. */
export function holds(what, condition, came) {
  if (!condition) throw new Broken(`${what}\n  came     ${show(came)}`);
}

/** Waits for `call`, which must be refused with `code` and `reason`, and returns the refusal. */
export async function refused(code, reason, call) {
  let response;
  try {
    response = await call;
  } catch (error) {
    const refusal = readRefusal(error);
    equal('code and reason of the refusal', [refusal.code, refusal.reason], [code, reason]);
    holds('the refusal has a message', refusal.message, refusal);
    return refusal;
  }
  throw new Broken(`the call is refused\n  expected ${code} ${reason}\n  came     ${show(response)}`);
}

/** Checks all promises in order, ends at the first broken one, and returns the exit code. */
export async function keep(promises, run) {
  let passed = 0;
  for (const { text, check } of promises) {
    try {
      await check(run);
    } catch (error) {
      // Anything else than a Broken is a call that failed where it should not: the stack tells which.
      console.error(`FAILED  ${text}\n${error instanceof Broken ? error.message : error.stack}`);
      console.log(`${passed} passed, 1 failed`);
      return 1;
    }
    console.log(`ok  ${text}`);
    passed += 1;
  }
  console.log(`${passed} passed, 0 failed`);
  return 0;
}

function show(value) {
  return inspect(value, { depth: 8, breakLength: Infinity });
}
