"""When a revision was first seen."""

import dataclasses
import datetime

from aggregator.model.articles import Article

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(hours=1)


def test_the_first_revision_was_seen_with_its_article_and_a_later_one_when_it_was_updated() -> None:
    first = Article("NW1", "a", None, NOW, NOW, None, 1, 1)
    assert first.seen_at == NOW
    assert dataclasses.replace(first, revision=2, updated=LATER).seen_at == LATER
    # A date that a published feed had is not when its text was seen.
    assert dataclasses.replace(first, updated=LATER).seen_at == NOW
