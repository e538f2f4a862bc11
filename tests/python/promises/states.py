"""Promises about what agents know."""

from baton_v1 import v1
from google.protobuf.json_format import MessageToDict
from promise import equal, promise, refused

MERGED = {"customer": {"name": "Ada", "plan": "free"}, "draft": "Dear Ada", "secret": 7.0}
PATCHED = {"customer": {"name": "Ada", "plan": "pro"}, "secret": 7.0}


def update(run, agent_id, state, **fields):
    """The request that gives `state` to an agent."""
    return v1.UpdateAgentStateRequest(namespace=run.namespace, agent_id=agent_id, state=state, **fields)


def content(agent_state):
    """What an agent knows, as a dict."""
    return MessageToDict(agent_state.state)


@promise("a merge keeps the keys that it does not name")
def merged(run):
    call = run.baton.states.UpdateAgentState
    first = {"customer": "unknown", "secret": 7.0}
    call(update(run, "triage", first, request_id="triage 1", expected_revision=0))
    second = {"customer": {"name": "Ada", "plan": "free"}, "draft": "Dear Ada"}
    receipt = call(update(run, "triage", second, request_id="triage 2")).agent_state
    after = run.state("triage")
    equal("revision", after.revision, receipt.revision)
    equal("state", content(after), MERGED)


@promise("a patch merges deeply and removes by null")
def patched(run):
    patch = {"customer": {"plan": "pro"}, "draft": None}
    request = update(run, "triage", patch, request_id="triage 3", mode=v1.UPDATE_MODE_PATCH)
    run.baton.states.UpdateAgentState(request)
    equal("state", content(run.state("triage")), PATCHED)


@promise("an update that expects a stale revision is aborted and changes nothing")
def stale_revision(run):
    before = run.state("triage")
    request = update(run, "triage", {"secret": 8.0}, expected_revision=before.revision - 1)
    refusal = refused("ABORTED", "REVISION_MISMATCH", run.baton.states.UpdateAgentState, request)
    equal("present revision", refusal.metadata["revision"], str(before.revision))
    equal("state", run.state("triage"), before)


@promise("an old state can be read at its revision")
def old_state(run):
    newest = run.state("triage").revision
    equal("state one revision ago", content(run.state("triage", at_revision=newest - 1)), MERGED)
    request = v1.GetAgentStateRequest(namespace=run.namespace, agent_id="triage", at_revision=newest + 1000)
    refusal = refused("OUT_OF_RANGE", "REVISION_IN_FUTURE", run.baton.states.GetAgentState, request)
    equal("newest revision", refusal.metadata["newest_revision"], str(run.head()))


ALL = [merged, patched, stale_revision, old_state]
