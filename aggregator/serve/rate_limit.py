"""How often one client may ask for what costs work: a token bucket for each address."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

# A person who refines a search sends a few requests in a row, and then reads.
BURST, SECONDS_EACH = 10, 2.0
MAX_CLIENTS = 10_000


class RateLimit:
    """Counts requests by client: `BURST` at once, then one every `SECONDS_EACH`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # By client: when its bucket is full again.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, client: str) -> int:
        """Count a request; return 0, or in how many seconds the client may send the next one.

        A request that must wait is not counted.
        """
        now = self._clock()
        full_at = max(self._full_at.pop(client, now), now) + SECONDS_EACH
        excess = full_at - now - BURST * SECONDS_EACH
        self._full_at[client] = full_at if excess <= 0 else full_at - SECONDS_EACH
        while len(self._full_at) > MAX_CLIENTS:
            self._full_at.popitem(last=False)
        return max(0, math.ceil(excess))


def client_of(peer: str, forwarded_for: str) -> str:
    """Return whom a request is from: the peer, or whom a proxy on this machine names.

    Nobody else's `X-Forwarded-For` is believed.  A client of IPv6 has a whole /64.

    >>> client_of("127.0.0.1", "10.0.0.1, 203.0.113.7"), client_of("203.0.113.7", "198.51.100.1")
    ('203.0.113.7', '203.0.113.7')
    """
    try:
        address = ip_address(peer)
        if address.is_loopback and forwarded_for:
            address = ip_address(forwarded_for.rpartition(",")[2].strip())
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else address.exploded[:19]
    return str(address)
