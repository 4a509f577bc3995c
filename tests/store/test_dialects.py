from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from aggregator.model.errors import StoreError
from aggregator.store import schema
from aggregator.store.database import Store
from aggregator.store.dialects import database, insert, size_of


def test_texts_are_in_the_order_of_their_code_points(store: Store) -> None:
    names = ["a", "B", "é", "Z", "报", "_", "ab"]
    with store.transaction() as connection:
        table = schema.dirty_feed
        connection.execute(table.insert(), [{"feed": name} for name in names])
        found = connection.execute(select(table.c.feed).order_by(table.c.feed)).scalars().all()
    assert found == sorted(names)


def test_rows_that_are_there_are_no_error(store: Store) -> None:
    table = schema.dirty_feed
    with store.transaction() as connection:
        for _ in range(2):
            statement = insert(connection.dialect, table).values(feed="all")
            connection.execute(statement.on_conflict_do_nothing())
        assert connection.execute(select(table.c.feed)).scalars().all() == ["all"]


def test_numbers_have_64_bits(store: Store) -> None:
    table = schema.published_file
    row = {
        "path": "a", "feed": "all", "document": 0, "size": 2**62, "mtime_ns": 2**63 - 1,
        "checksum": 2**32 - 1, "fingerprint": b"",
    }  # fmt: skip
    with store.transaction() as connection:
        connection.execute(table.insert(), [row])
        found = connection.execute(select(table.c.size, table.c.mtime_ns, table.c.checksum)).one()
    assert tuple(found) == (2**62, 2**63 - 1, 2**32 - 1)


def test_a_store_has_a_size(store: Store) -> None:
    with store.transaction() as connection:
        assert size_of(connection) > 10_000


def test_a_text_that_is_not_unicode_is_refused(store: Store) -> None:
    with pytest.raises((UnicodeEncodeError, StatementError)), store.transaction() as connection:
        connection.execute(schema.dirty_feed.insert(), [{"feed": "\ud800"}])


@pytest.mark.parametrize(
    "address",
    ["postgresql://[", "postgresql://127.0.0.1:1/x?nonsense=1", "postgresql://u:secret@[::1"],
)
def test_an_address_that_is_none_is_an_error_without_its_password(address: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(address)
    assert "secret" not in str(caught.value)


def test_the_name_of_a_database_has_no_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    found = database("postgresql://ann:secret@db.example.org/feeds", dry_run=False)
    assert found.name.startswith("postgresql://")
    assert "secret" not in found.name
    assert database(tmp_path / "a.db", dry_run=False).name == str(tmp_path / "a.db")
