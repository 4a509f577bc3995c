"""The token of a store in a database, which tells whether anything was written since.

Every transaction that wrote something renews it.  It is random, so that a database that was
restored from a backup, and then changed, never has a token that it had before.  Reading it loads
nothing but the driver.
"""

from __future__ import annotations

from aggregator.model.errors import StoreError, unforeseen

RENEW = """
INSERT INTO write_token (number, token) SELECT 1, gen_random_uuid()
WHERE pg_current_xact_id_if_assigned() IS NOT NULL
ON CONFLICT (number) DO UPDATE SET token = excluded.token
"""


def current(url: str) -> str:
    """Return the token of the store in a PostgreSQL database.

    Raises `StoreError` if there is none, or it cannot be read.
    """
    from aggregator.store.psycopg_driver import connection_options, driver

    psycopg = driver(url)
    try:
        with psycopg.connect(url, **connection_options("token")) as connection:
            row = connection.execute("SELECT token FROM write_token").fetchone()
    except psycopg.Error as error:
        raise StoreError(f"its token cannot be read: {unforeseen(error)}") from error
    if row is None:
        raise StoreError("it has no token yet")
    return str(row[0])
