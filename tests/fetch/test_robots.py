"""What robots.txt allows, and what holds while it cannot be read."""

from fetching import answers, limited
from upstream import Upstream, send


def test_robots_txt(upstream: Upstream) -> None:
    upstream.document("/robots.txt", b"User-agent: aggregator\nDisallow: /closed\n", "text/plain")
    upstream.document("/open", b"gut")
    upstream.document("/closed/x", b"gut")
    with limited() as fetcher:
        found = answers(fetcher, f"{upstream.url}/open", f"{upstream.url}/closed/x", robots=True)
        assert found[f"{upstream.url}/open"].body == b"gut"
        assert found[f"{upstream.url}/closed/x"].reason == "disallowed by robots.txt"
        assert not found[f"{upstream.url}/closed/x"].was_sent
        unheeded = answers(fetcher, f"{upstream.url}/closed/x")
    assert unheeded[f"{upstream.url}/closed/x"].body == b"gut"
    assert upstream.counts()["/robots.txt"] == 1


def test_robots_txt_that_cannot_be_read_closes_all_for_now(upstream: Upstream) -> None:
    upstream.answers["/robots.txt"] = lambda handler: send(handler, 503)
    upstream.document("/open", b"gut")
    with limited() as fetcher:
        found = answers(fetcher, f"{upstream.url}/open", robots=True)
    assert found[f"{upstream.url}/open"].reason == "robots.txt could not be read: status 503"
    assert upstream.counts()["/open"] == 0
