"""Paths in the order of their locations, whether or not they fit into memory."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.origins.posts import sorted_paths
from aggregator.origins.posts.scan import location
from aggregator.origins.posts.sorted_paths import SortedPaths

names = st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name)


@given(st.lists(names, unique=True), st.sampled_from([0, 1, 3, 50]))
def test_the_order_is_that_of_the_locations(found: list[bytes], in_memory: int) -> None:
    paths = [os.fsdecode(name) for name in found]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_paths, "IN_MEMORY", in_memory)
        patch.setattr(sorted_paths, "_TOGETHER", 2)
        kept = SortedPaths()
        for path in paths:
            kept.add(path)
        assert len(kept) == len(paths)
        assert list(kept) == sorted(paths, key=location)
