"""The store on its own: transactions and dry runs, in each of the databases."""

from pathlib import Path

import pytest
from merging import apply, article, copy
from sqlalchemy import select

from aggregator.model.polls import Batch, FileState
from aggregator.store import migrations, schema
from aggregator.store.database import Store
from aggregator.store.origins import file_states, save_states


def test_a_new_store_knows_its_version_and_opens_again(address: Path | str) -> None:
    with Store(address) as store:
        assert store.is_new
    with Store(address) as store:
        assert not store.is_new
        with store.transaction() as connection:
            numbers = connection.execute(select(schema.migration.c.number)).scalars().all()
    assert sorted(numbers) == [number + 1 for number in range(migrations.VERSION)]


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.transaction() as connection:
            states = (FileState("x", 1, 1, 1, 1),)
            save_states(connection, Batch("posts:a", states=states))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(file_states(store.transaction, "posts:a")) == []


def test_a_dry_run_sees_its_own_changes_and_forgets_them(address: Path | str) -> None:
    Store(address).close()
    before = address.read_bytes() if isinstance(address, Path) else b""
    with Store(address, dry_run=True) as store:
        assert apply(store, Batch("posts:a", copies=(copy("1.md", "a"),))) == ["new"]
        assert article(store).revision == 1
    assert (address.read_bytes() if isinstance(address, Path) else b"") == before
    with Store(address) as store, store.transaction() as connection:
        assert connection.execute(select(schema.article.c.code)).all() == []
