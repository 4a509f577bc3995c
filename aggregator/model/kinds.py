"""The kinds of origins: the one list, which everything else reads.

A new kind is a module in `origins/`, a line here, and its section in `config/origins.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SHARES = "shares"
# By its section in config.yaml, the module that has `from_settings` for each kind of origin
# that is polled over the network.
UPSTREAM_KINDS: Mapping[str, str] = MappingProxyType(
    {
        SHARES: "aggregator.origins.share_pages",
        "lists": "aggregator.origins.lists",
        "subscriptions": "aggregator.origins.subscriptions",
    }
)
# All kinds.  Of copies that are as good as each other, that of the kind whose section stands
# first in config.yaml is shown; this is the order where the file names no other.
ORIGIN_KINDS = ("posts", *UPSTREAM_KINDS)


def kind_of(name: str) -> str:
    """Return the kind of the origin with this name: the part before the first colon."""
    return name.partition(":")[0]
