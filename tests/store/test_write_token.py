"""A store in a database: whether anything was written to it since."""

import contextlib

import pytest
from merging import apply, copy
from postgresql import new_database
from sqlalchemy import text

from aggregator.model.errors import StoreError
from aggregator.model.polls import Batch
from aggregator.store import schema, write_token
from aggregator.store.database import Store


def test_every_transaction_that_wrote_something_renews_it() -> None:
    url = new_database()
    with Store(url) as store:
        seen = [write_token.current(url)]
        for statement, values in (
            (schema.dirty_feed.insert(), {"feed": "a"}),
            (schema.dirty_feed.update(), {"feed": "b"}),
            (schema.dirty_feed.delete(), {}),
        ):
            with store.transaction() as connection:
                connection.execute(statement, values)
            seen.append(write_token.current(url))
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        seen.append(write_token.current(url))
    assert len(set(seen)) == 5


def test_reading_a_dry_run_and_what_was_undone_leave_it() -> None:
    url = new_database()
    with Store(url) as store:
        token = write_token.current(url)
        with store.transaction() as connection:
            connection.execute(text("SELECT * FROM article"))
            connection.execute(schema.article.delete())
        with contextlib.suppress(ZeroDivisionError), store.transaction() as connection:
            connection.execute(schema.dirty_feed.insert(), {"feed": "a"})
            raise ZeroDivisionError
    with Store(url, dry_run=True) as store, store.transaction() as connection:
        connection.execute(schema.dirty_feed.insert(), {"feed": "a"})
    with Store(url):
        pass
    assert write_token.current(url) == token


@pytest.mark.parametrize("url", ["postgresql://ann:secret@127.0.0.1:1/feeds", "postgresql://[", ""])
def test_what_cannot_be_read_is_an_error_that_shows_no_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        write_token.current(url or new_database())
    assert "secret" not in str(caught.value)
