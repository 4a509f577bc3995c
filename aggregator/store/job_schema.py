"""The tables of procrastinate in the store's database, which its own files of SQL make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, inspect, select

from aggregator.model.errors import StoreError
from aggregator.store.machines import agreement
from aggregator.store.psycopg_driver import one_line

# Begins the row of `agreement` that names the last migration of procrastinate that was applied.
APPLIED = "procrastinate: "


def update(connection: Connection) -> None:
    """Make the tables, or bring them to the version of procrastinate that is installed."""
    from procrastinate.schema import SchemaManager

    steps = sorted(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    table = agreement.c.section
    noted = connection.execute(select(table).where(table.startswith(APPLIED))).scalar_one_or_none()
    known = (noted or "").removeprefix(APPLIED)
    if not inspect(connection).has_table("procrastinate_jobs"):
        _execute(connection, SchemaManager.get_schema())
    elif known:
        for name in [name for name in steps if name > known]:
            path = Path(SchemaManager.get_migrations_path(), name)
            _execute(connection, path.read_text("utf-8"))
    if known != steps[-1]:
        connection.execute(delete(agreement).where(table.startswith(APPLIED)))
        connection.execute(agreement.insert().values(section=APPLIED + steps[-1], digest=b""))


def _execute(connection: Connection, script: str) -> None:
    """Execute several statements at once, as the driver does only without parameters."""
    from psycopg import errors

    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(script)
    except (errors.DuplicateObject, errors.DuplicateFunction, errors.DuplicateTable) as error:
        raise StoreError(
            "the database has only a part of what procrastinate keeps there: restore it whole, or "
            f"drop the rest of it ({one_line(error)})"
        ) from error
