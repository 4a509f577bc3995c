"""The kinds of origins: the one list, which everything else reads."""

from __future__ import annotations

# The kinds of origins, by their sections in config.yaml, whose order there ranks copies that are
# as good as each other; and those of them on the network.
ORIGIN_KINDS = ("posts", "shares", "lists", "subscriptions")
UPSTREAM_KINDS = frozenset(ORIGIN_KINDS) - {"posts"}
