"""One exchange: which URL the validators go to, what counts as a response, and the reasons."""

from typing import Any

import pytest
from upstream import Upstream, send

from aggregator.config.schema import Fetch
from aggregator.fetch.fetcher import Fetcher
from aggregator.model.polls import Request, Response, Validators

NONE = Validators()
GOOD = "北京商报".encode()


def fetch(url: str, validators: Validators = NONE, **options: Any) -> Response:
    limits = {"timeout": "3s", "allow_private_addresses": ["127.0.0.0/8"], **options}
    with Fetcher(Fetch.model_validate(limits), "test/1") as fetcher:
        return fetcher.fetch(Request(url, validators, obey_robots=False))


def sent(upstream: Upstream) -> list[tuple[str, str | None]]:
    """Each request's path and its If-None-Match, since the last time."""
    found = [(path, headers.get("if-none-match")) for path, headers in upstream.asked]
    upstream.asked.clear()
    return found


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_validators_go_to_the_url_whose_response_gave_them(upstream: Upstream, status: int) -> None:
    upstream.answers["/a"] = lambda handler: send(handler, status, headers={"Location": "/b"})
    upstream.document("/b", GOOD)
    upstream.document("/c", GOOD + b".")
    first = fetch(upstream.url + "/a")
    assert first.body == GOOD
    assert sent(upstream) == [("/a", None), ("/b", None)]
    second = fetch(upstream.url + "/a", first.validators)
    assert second.status == 304
    assert second.validators == first.validators
    assert sent(upstream) == [("/a", None), ("/b", first.validators.etag)]
    # They are not those of another target, nor of what redirected before.
    upstream.answers["/a"] = lambda handler: send(handler, status, headers={"Location": "/c"})
    third = fetch(upstream.url + "/a", first.validators)
    assert third.body == GOOD + b"."
    assert sent(upstream) == [("/a", None), ("/c", None)]
    del upstream.answers["/a"]
    upstream.document("/a", GOOD)
    assert fetch(upstream.url + "/a", first.validators).body == GOOD
    assert sent(upstream) == [("/a", None)]
