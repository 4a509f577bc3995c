"""Which articles are recent."""

import datetime

from merging import NOW, apply, copy

from aggregator.model.polls import Batch
from aggregator.store import recent
from aggregator.store.database import Store


def test_articles_of_some_days(store: Store) -> None:
    moment = int(NOW.timestamp())
    with store.transaction() as connection:
        assert recent.newest(connection, moment) == 0
    copies = [
        copy(f"{day}.md", "x", code=f"c{day}", published=NOW - datetime.timedelta(days=day))
        for day in (3, 1, 2, -1)
    ]
    apply(store, Batch("posts:a", copies=tuple(copies)))
    day = 86_400
    with store.transaction() as connection:
        assert recent.newest(connection, moment) == moment - day
        found = recent.arrived(connection, 0, moment - 2 * day, moment)
        assert [place[0] for place in found] == ["c1", "c2"]
        assert recent.arrived(connection, 2, moment - 2 * day, moment) == found[1:]
        assert [place[:3] for place in recent.due(connection, moment, moment + day)] == [
            ("c-1", "a", moment + day)
        ]
        assert recent.numbers(connection, ["c3", "c-1", "x"], moment) == {"c3": 4}
