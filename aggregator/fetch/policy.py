"""What requests may cost, and whom they may reach."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

from aggregator import __version__
from aggregator.config.schema import Settings
from aggregator.fetch.addresses import Network


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """How the network is asked.

    `timeout` is in seconds for a whole exchange: DNS, connection, headers, body and all
    redirects; `max_bytes` of a body, both as it is sent and unpacked;
    `per_host_delay` in seconds between the starts of two requests to a host, which is
    jittered; `allowed_networks` are private ones that may be asked all the same.
    """

    user_agent: str
    timeout: float = 30.0
    max_bytes: int = 5_000_000
    concurrency: int = 32
    per_host_concurrency: int = 2
    per_host_delay: float = 1.0
    allowed_networks: tuple[Network, ...] = ()
    allow_downgrade: bool = False
    max_redirects: int = 5

    @classmethod
    def of(cls, settings: Settings) -> FetchPolicy:
        """What the settings say of requests."""
        fetch = settings.fetch
        contact = fetch.contact or settings.site.url
        private = fetch.allow_private_addresses
        everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
        return cls(
            user_agent=fetch.user_agent or f"aggregator/{__version__} (+{contact})",
            timeout=fetch.timeout.total_seconds(),
            max_bytes=fetch.max_bytes,
            concurrency=fetch.concurrency,
            per_host_concurrency=fetch.per_host.concurrency,
            per_host_delay=fetch.per_host.delay.total_seconds(),
            allowed_networks=private
            if isinstance(private, tuple)
            else everything
            if private
            else (),
            allow_downgrade=fetch.allow_downgrade,
        )
