"""What robots.txt allows, and what holds while it cannot be read."""

import dataclasses
import datetime

import pytest
from fetching import answers, limited
from upstream import Upstream, send

from aggregator.fetch import robots
from aggregator.model.polls import RobotsFile

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


def test_robots_txt(upstream: Upstream) -> None:
    upstream.document("/robots.txt", b"User-agent: test\nDisallow: /closed\n", "text/plain")
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


@pytest.mark.parametrize(
    ("user_agent", "product"),
    [
        ("aggregator/0.2 (+https://a.example/)", "aggregator"),
        ("MyBot/1.0", "MyBot"),
        ("my_news-bot", "my_news-bot"),
        ("Mozilla/5.0 (compatible; MyBot/1.0; +https://a.example/)", "MyBot"),
    ],
)
def test_robots_txt_names_the_product_of_the_user_agent(user_agent: str, product: str) -> None:
    assert robots.product_of(user_agent) == product


def test_an_expired_robots_txt_is_renewed_conditionally(upstream: Upstream) -> None:
    upstream.document("/robots.txt", b"User-agent: *\nDisallow: /closed\n", "text/plain")
    upstream.document("/closed", b"gut")
    url = f"{upstream.url}/closed"
    with limited() as fetcher:
        answers(fetcher, url, robots=True)
        (file,) = fetcher.robots_files.renewed()
    now = datetime.datetime.now(datetime.UTC)
    assert now + 23 * 60 * MINUTE < file.expires_at < now + 25 * 60 * MINUTE
    for age in (MINUTE, -48 * 60 * MINUTE):  # out of date; from a clock that was set back
        old = dataclasses.replace(file, expires_at=now - age)
        with limited(robots=[old]) as fetcher:
            assert answers(fetcher, url, robots=True)[url].reason == "disallowed by robots.txt"
            (new,) = fetcher.robots_files.renewed()
        assert new.text == file.text
        assert "if-none-match" in upstream.asked[-1][1]
    with limited(robots=[file]) as fetcher:
        assert answers(fetcher, url, robots=True)[url].reason == "disallowed by robots.txt"
        assert fetcher.robots_files.renewed() == []
    assert upstream.counts() == {"/robots.txt": 3}


def test_an_expired_robots_txt_holds_while_it_cannot_be_renewed(upstream: Upstream) -> None:
    upstream.answers["/robots.txt"] = lambda handler: send(handler, 503)
    upstream.document("/open", b"gut")
    url = f"{upstream.url}/open"
    old = RobotsFile(upstream.url, "User-agent: *\nDisallow: /closed\n", NOW)
    with limited(robots=[old]) as fetcher:
        assert answers(fetcher, url, robots=True)[url].body == b"gut"
        assert fetcher.robots_files.renewed() == []
