"""Problems are open until what they are about is read well."""

import datetime
from pathlib import Path

from merging import NOW, apply

from aggregator.model.articles import Problem
from aggregator.model.polls import Batch
from aggregator.store.database import Store
from aggregator.store.problems import open_problems


def test_a_problem_keeps_its_date_and_goes_with_its_reason(address: Path | str) -> None:
    def problems(store: Store) -> list[tuple[str, datetime.datetime]]:
        with store.transaction() as connection:
            return [(found.reason, since) for _, found, since in open_problems(connection)]

    bad = Batch("posts:a", problems=(Problem("1.md", "bad", 3),), read=("1.md",))
    with Store(address) as store:
        apply(store, bad)
        apply(store, bad, 2, 5)
        assert problems(store) == [("bad", NOW)]
        apply(store, Batch("posts:a", read=("1.md",)), 3)
        assert problems(store) == []
