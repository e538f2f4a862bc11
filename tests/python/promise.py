"""Promises and how they are checked: what every step of the scenario is made of.

Knows nothing of tasks or hand-offs.
"""

import sys
import traceback

import grpc
from refusal import read_refusal

CALL_SECONDS_MAX = 20


class Broken(Exception):
    """What was expected, and what came instead."""


def promise(text):
    """Marks a function as the check of one promise."""

    def mark(check):
        check.promise = text
        return check

    return mark


def equal(what, came, expected):
    """Checks one value."""
    if came != expected:
        raise Broken(f"{what}\n  expected {expected!r}\n  came     {came!r}")


def holds(what, condition, came):
    """Checks a condition that is not an equality; `came` is shown if it does not hold."""
    if not condition:
        raise Broken(f"{what}\n  came     {came!r}")


def refused(code, reason, rpc, request):
    """Calls `rpc`, which must be refused with `code` and `reason`, and returns the Refusal."""
    try:
        response = rpc(request, timeout=CALL_SECONDS_MAX)
        if not hasattr(response, "DESCRIPTOR"):
            response = list(response)
    except grpc.RpcError as error:
        refusal = read_refusal(error)
        equal("code and reason of the refusal", (refusal.code, refusal.reason), (code, reason))
        holds("the refusal has a message", refusal.message, refusal)
        return refusal
    raise Broken(f"the call is refused\n  expected {code} {reason}\n  came     {response!r}")


def keep(promises, run):
    """Checks all promises in order, ends at the first broken one, and returns the exit code."""
    passed = 0
    for check in promises:
        try:
            check(run)
        except Exception as error:
            # Anything else than a Broken is a call that failed where it should not: the stack tells which.
            text = str(error) if isinstance(error, Broken) else traceback.format_exc()
            print(f"FAILED  {check.promise}\n{text}", file=sys.stderr)
            print(f"{passed} passed, 1 failed")
            return 1
        print(f"ok  {check.promise}", flush=True)
        passed += 1
    print(f"{passed} passed, 0 failed")
    return 0
