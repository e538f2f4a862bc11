"""One run of the scenario: the server, the namespace, and what one step leaves for the next."""

import threading

from baton_v1 import Baton, v1
from promise import CALL_SECONDS_MAX, Broken


class Run:
    """What all steps share."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.baton = Baton()
        self.all_events = None
        self.handoff_events = None

    def task(self, task_id):
        """The task as it is now."""
        request = v1.GetTaskRequest(namespace=self.namespace, task_id=task_id)
        return self.baton.tasks.GetTask(request).task

    def state(self, agent_id, at_revision=0):
        """The agent's state, now or at a revision."""
        request = v1.GetAgentStateRequest(namespace=self.namespace, agent_id=agent_id, at_revision=at_revision)
        return self.baton.states.GetAgentState(request).agent_state

    def handoffs(self, **conditions):
        """All hand-offs that match, page by page."""
        request = v1.ListHandoffsRequest(namespace=self.namespace, page_size=2, **conditions)
        return list(pages(self.baton.handoffs.ListHandoffs, request, "handoffs"))

    def head(self):
        """The newest revision of the namespace."""
        request = v1.GetSummaryRequest(namespace=self.namespace)
        return self.baton.monitor.GetSummary(request).revision

    def watch(self, **wanted):
        """Opens a watch and collects what it gets, in the background."""
        request = v1.WatchHandoffsRequest(namespace=self.namespace, **wanted)
        request.progress_interval.FromMilliseconds(100)
        return Watch(self.baton.handoffs.WatchHandoffs(request))


def pages(rpc, request, field):
    """Yields what is in `field` of all pages."""
    while True:
        page = rpc(request)
        yield from getattr(page, field)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


class Watch:
    """The events of one stream, collected by a thread until the stream is cancelled."""

    def __init__(self, stream):
        self.events = []
        self.open_handoffs = []
        self.log_id = ""
        self._stream = stream
        self._revision = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        try:
            for response in self._stream:
                with self._changed:
                    self.events.extend(response.events)
                    self.open_handoffs.extend(response.open_handoffs)
                    self._revision, self.log_id = response.revision, response.log_id
                    self._changed.notify_all()
        except Exception:
            # Cancelled, or lost: `until` tells which by what is missing.
            return

    def until(self, revision):
        """Waits until everything up to `revision` has come and returns the events."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._revision >= revision, timeout=CALL_SECONDS_MAX):
                raise Broken(f"the watch comes to revision {revision}\n  came     {self._revision}")
            return list(self.events)

    def close(self):
        """Ends the stream."""
        self._stream.cancel()
