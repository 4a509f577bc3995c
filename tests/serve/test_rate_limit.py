"""How often one client may ask for what costs work."""

import pytest
from conftest import Clock

from aggregator.serve import rate_limit
from aggregator.serve.rate_limit import BURST, SECONDS_EACH, RateLimit, client_of


def test_a_burst_and_then_one_at_a_time() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    assert [limit.wait("a") for _ in range(BURST)] == [0] * BURST
    assert limit.wait("a") == limit.wait("a") == SECONDS_EACH
    assert limit.wait("b") == 0
    clock.now += SECONDS_EACH
    assert (limit.wait("a"), limit.wait("a")) == (0, SECONDS_EACH)
    clock.now += 1000
    assert [limit.wait("a") for _ in range(BURST + 1)] == [0] * BURST + [SECONDS_EACH]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_CLIENTS", 2)
    limit = RateLimit(Clock())
    for client in ["a"] * BURST + ["b", "c"]:
        assert limit.wait(client) == 0
    assert limit.wait("a") == 0


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("::1", "203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "2001:db8:1:2:3::4", "2001:0db8:0001:0002"),
        ("2001:db8:1:2:ffff::", "", "2001:0db8:0001:0002"),
        ("::ffff:203.0.113.7", "", "203.0.113.7"),
        ("", "", ""),
    ],
)
def test_who_a_client_is(peer: str, forwarded_for: str, client: str) -> None:
    assert client_of(peer, forwarded_for) == client
