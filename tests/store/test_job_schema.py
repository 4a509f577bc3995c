"""The tables of procrastinate beside those of the store."""

import pytest
from postgresql import new_database
from sqlalchemy import inspect, select, update

from aggregator.model.errors import StoreError
from aggregator.store import job_schema
from aggregator.store.database import Store
from aggregator.store.machines import agreement


def test_its_tables_are_made_once_and_kept() -> None:
    with Store(new_database()) as store:
        for _ in range(2):
            with store.transaction() as connection:
                job_schema.update(connection)
                assert inspect(connection).has_table("procrastinate_jobs")
                (noted,) = connection.execute(select(agreement.c.section)).scalars()
        assert noted.startswith(job_schema.APPLIED)
        assert noted.endswith(".sql")


def test_a_newer_version_brings_its_tables_up_to_date() -> None:
    """The last step of procrastinate can be taken twice, so this takes it once more."""
    with Store(new_database()) as store, store.transaction() as connection:
        job_schema.update(connection)
        (noted,) = connection.execute(select(agreement.c.section)).scalars()
        connection.execute(update(agreement).values(section=noted[:-1]))
        job_schema.update(connection)
        assert connection.execute(select(agreement.c.section)).scalars().all() == [noted]


def test_a_part_of_it_is_an_error_that_says_what_to_do() -> None:
    with Store(new_database()) as store:
        with store.transaction() as connection:
            job_schema.update(connection)
            connection.exec_driver_sql("DROP TABLE procrastinate_jobs CASCADE")
        with (
            pytest.raises(StoreError, match="only a part of what procrastinate keeps"),
            store.transaction() as connection,
        ):
            job_schema.update(connection)
