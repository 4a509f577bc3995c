"""Polls in numbers."""

import datetime

import pytest

from aggregator.model.articles import Article, Change
from aggregator.model.summaries import ChangeCounts, OriginSummary

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
ARTICLE = Article("NW1", "a", None, NOW, NOW, None, 1, 1)


@pytest.mark.parametrize(
    ("kind", "counted"),
    [("new", "new"), ("returned", "new"), ("revised", "revised"), ("removed", "removed"),
     ("metadata changed", "metadata_changed"), ("invisible", None), ("found better", None)],
)  # fmt: skip
def test_each_kind_of_change_counts_as_what_people_see(kind: str, counted: str | None) -> None:
    counts = ChangeCounts()
    counts.count([Change(ARTICLE, kind, frozenset())] * 2)
    assert {name: number for name, number in counts.by_kind().items() if number} == (
        {counted: 2} if counted else {}
    )


def test_an_origin_in_sum() -> None:
    summary = OriginSummary(read=2, not_modified=3, failed=4, new=1, removed=1)
    assert (summary.succeeded, summary.changes) == (5, 2)
