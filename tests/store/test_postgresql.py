"""What is PostgreSQL's alone; what a store does is tested on both databases beside this file."""

from __future__ import annotations

import pytest
from postgresql import new_database
from sqlalchemy import select

from aggregator.config.paths import DatabaseLock
from aggregator.model.errors import DamagedStoreError, StoreError
from aggregator.store import schema
from aggregator.store.database import Store
from aggregator.store.lock import exclusive


def test_a_server_that_does_not_answer_is_an_error_and_no_damage() -> None:
    address = "postgresql://ann:secret@127.0.0.1:1/feeds"
    for attempt in (lambda: Store(address), lambda: _hold(DatabaseLock(address, "writer"))):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert not isinstance(caught.value, DamagedStoreError)
        assert "secret" not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)


def test_a_database_that_does_not_exist_is_named() -> None:
    address = new_database()
    with pytest.raises(StoreError, match="no_such_database"):
        Store(address.replace("/test_", "/no_such_database_", 1))


def test_nul_is_stored_as_a_replacement_character() -> None:
    with Store(new_database()) as store, store.transaction() as connection:
        connection.execute(schema.dirty_feed.insert(), [{"feed": "a\0b"}])
        assert connection.execute(select(schema.dirty_feed.c.feed)).scalar_one() == "a\ufffdb"


def _hold(lock: DatabaseLock) -> None:
    with exclusive(lock, 0, "test"):
        pass
