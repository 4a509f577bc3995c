"""The hosts that this machine polls for its jobs, in a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from aggregator.config.schema import Settings
from aggregator.model.errors import FeedListsChangedError
from aggregator.origins.feed_list import kept_lists
from aggregator.pipeline import host_polling
from aggregator.pipeline.polling import PollOutcome
from aggregator.poll.due_hosts import Place
from aggregator.poll.host_polls import HostJob, HostPolls, Saved
from aggregator.workers.jobs import BUILD, FIND_DUE
from aggregator.workers.tally import Tally

# Seconds that a build waits for the pages that a list has just named.
FOR_PAGES = 15


class UpstreamPolls:
    """Polls hosts, and has done what follows from it.  All but `run` are for any thread."""

    def __init__(
        self,
        may_send: Callable[[], bool],
        record: Callable[[PollOutcome], None],
        defer: Callable[[str, int], None],
        defer_hosts: Callable[[Mapping[str, Sequence[Place]]], None],
        reload: Callable[[], None],
    ) -> None:
        """`may_send` says whether the hosts still belong to this machine."""
        self._may_send, self._record = may_send, record
        self._defer, self._defer_hosts, self._reload = defer, defer_hosts, reload
        self._polls: HostPolls | None = None
        self._has_ended = threading.Event()
        self._has_ended.set()

    def wait(self, seconds: float) -> None:
        """Wait until `run` has ended, for some seconds at most."""
        self._has_ended.wait(seconds)

    def hosts(self) -> list[str]:
        """Return the hosts that are polled now."""
        polls = self._polls
        return polls.hosts() if polls is not None else []

    def submit(self, job: HostJob) -> bool:
        """Poll a host; return False if that is not possible now."""
        polls = self._polls
        if polls is None:
            return False
        polls.submit(job)
        return True

    def stop(self) -> None:
        """End `run`, soon."""
        polls = self._polls
        if polls is not None:
            polls.stop()

    def run(self, settings: Settings, beat: Callable[[], None]) -> None:
        """Poll until `stop`; raises what `HostPolls.run` raises."""
        self._has_ended.clear()
        lists = kept_lists(settings)
        tally = Tally(self._record)

        def saved(found: Saved) -> None:
            tally.add(found.origins, is_last=not polls.hosts())
            if found.names_pages:
                self._defer(FIND_DUE, 0)
            if any(origin.changes for origin in found.origins):
                # Better with the full texts, if these come soon.
                self._defer(BUILD, FOR_PAGES if found.names_pages else 0)
            if found.elsewhere:
                self._defer_hosts(found.elsewhere)
            if lists and kept_lists(settings) != lists:
                self._reload()

        try:
            with host_polling.host_polls(settings, saved, self._may_send) as polls:
                self._polls = polls
                polls.run(beat)
        except FeedListsChangedError:
            self._reload()
        finally:
            self._polls = None
            self._has_ended.set()
            tally.record()
