"""The hosts that a machine polls, and what follows from it."""

from __future__ import annotations

import threading
from pathlib import Path

from configured import settings_with
from postgresql import new_database
from upstream import Upstream
from waiting import wait_for

from aggregator.pipeline import host_polling
from aggregator.pipeline.polling import PollOutcome
from aggregator.poll.host_polls import HostJob
from aggregator.workers.upstream_polls import FOR_PAGES, UpstreamPolls


def test_what_changed_is_built_and_what_is_named_is_found(
    tmp_path: Path, upstream: Upstream
) -> None:
    item = {"title": "T", "infocode": "NW202201270000000001", "showtime": "2022-01-27 10:00:00"}
    url = upstream.document("/list", {"nodeList": [item]})
    settings = settings_with(
        store=new_database(),
        base=tmp_path,
        lists=[{"url": url, "shape": "nodeList", "robots": False}],
        fetch={"allow_private_addresses": True, "per_host": {"delay": "0s"}},
    )
    host_polling.prepare(settings)
    recorded: list[PollOutcome] = []
    deferred: list[tuple[str, int]] = []
    ended: list[float | Exception] = []
    polls = UpstreamPolls(
        lambda: True,
        recorded.append,
        lambda name, seconds: deferred.append((name, seconds)),
        lambda hosts: None,
        lambda: None,
    )
    job = HostJob(upstream.host, [(f"lists:{url}", url)], ended.append)
    assert not polls.submit(job)
    thread = threading.Thread(target=polls.run, args=(settings, lambda: None))
    thread.start()
    wait_for(lambda: polls.submit(job))
    wait_for(lambda: ended)
    polls.stop()
    thread.join(20)
    assert deferred == [("find due", 0), ("build", FOR_PAGES)]
    assert [origin.new for outcome in recorded for origin in outcome.origins] == [1]
    assert polls.hosts() == []
    assert not polls.submit(job)
