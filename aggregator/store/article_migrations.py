"""The steps of `migrations` that are about articles."""

from __future__ import annotations

from sqlalchemy import Connection


def articles_of_the_site(connection: Connection) -> None:
    """Version 7: what was published under `unsorted` belongs to the site itself.

    Articles whose copies say `unsorted` are left: their posts are read again, and may have a
    category of that name.
    """
    changed = connection.exec_driver_sql(
        "UPDATE article SET source = '' WHERE source = 'unsorted' AND NOT EXISTS "
        "(SELECT 1 FROM copy WHERE copy.code = article.code AND copy.source = 'unsorted')"
    )
    if changed.rowcount:
        connection.exec_driver_sql("INSERT OR IGNORE INTO dirty_source VALUES (''), ('unsorted')")
        # Their entries stand in the archives of the combined feed as well.
        connection.exec_driver_sql("UPDATE archive SET is_written = 0 WHERE feed = 'all'")
