"""The tables.  Compressed texts have their own, so articles can be read without them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    and_,
    func,
    literal_column,
    or_,
)

from aggregator.store.dialects import HASH, Instant, Text, Whole

metadata = MetaData()


def _index_where(condition: Any, name: str, *columns: Any) -> None:
    """Make an index of the rows that meet a condition."""
    Index(name, *columns, sqlite_where=condition, info={"where": condition})


migration = Table(
    "migration",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", Instant, nullable=False),
)

# The rules that an origin was read with: if they change, everything is read again.
origin = Table(
    "origin",
    metadata,
    Column("name", Text, primary_key=True),
    Column("rules", LargeBinary, nullable=False),
    Column("polled_at", Instant, nullable=False),
)

file = Table(
    "file",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("size", Whole, nullable=False),
    Column("mtime_ns", Whole, nullable=False),
    Column("ctime_ns", Whole, nullable=False),
    Column("inode", Whole, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("young", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
# Files to read again even if they do not change.
IS_READ_AGAIN = or_(file.c.young, func.length(file.c.content_hash) == literal_column("0"))
_index_where(IS_READ_AGAIN, "file_unsettled", file.c.path)

body = Table(
    "body",
    metadata,
    Column("body_id", Integer, primary_key=True),
    Column("text", LargeBinary, nullable=False),
)

# PostgreSQL's trees take 2,704 bytes of a row at most: titles and links can be longer.
copy = Table(
    "copy",
    metadata,
    Column("copy_id", Integer, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_name", Text),
    Column("title", Text, nullable=False),
    Column("published", Instant),
    Column("published_guess", Instant, nullable=False),
    Column("raw_hash", LargeBinary, nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("link", Text),
    Column("share_url", Text),
    Column("categories", Text, nullable=False),
    Column("changed", Instant),
    Column("body_id", Integer, nullable=False),
    Column("permalink", Text),
    Column("base", Text),
    Column("enclosures", Text, nullable=False, server_default="[]"),
    Column("title_guess", Text, nullable=False, server_default=""),
    Column("author", Text),
    UniqueConstraint("origin", "location"),
    Index("copy_code", "code"),
    Index("copy_link", "link", info=HASH),
)

article = Table(
    "article",
    metadata,
    Column("article_id", Integer, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("source_name", Text),
    Column("first_seen", Instant, nullable=False),
    Column("first_poll", Integer, nullable=False),
    Column("published", Instant, nullable=False),
    Column("updated", Instant),
    Column("revision", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("raw_hash", LargeBinary, nullable=False),
    Column("body_id", Integer),
    Column("media_type", Text, nullable=False),
    Column("link", Text),
    Column("share_url", Text),
    Column("categories", Text, nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("base", Text),
    Column("enclosures", Text, nullable=False, server_default="[]"),
    Column("author", Text),
    Column("excluded_by", Integer),
    Column("page_month", Text),
)
# Articles that feeds show, once they are published.  The number is no parameter, since an index on
# a condition serves only queries that have the same words.
IS_SHOWN = and_(
    article.c.revision > literal_column("0"), ~article.c.removed, article.c.excluded_by.is_(None)
)
_newest_first = article.c.published.desc(), article.c.code.desc()
_index_where(IS_SHOWN, "article_window", article.c.source, *_newest_first)
Index("article_title", article.c.title, info=HASH)
Index(
    "article_excluded",
    article.c.excluded_by,
    sqlite_where=article.c.excluded_by.is_not(None),
)
Index("article_newest", *_newest_first)

# Superseded texts; an article's newest revision stands in its own row.
revision = Table(
    "revision",
    metadata,
    Column("code", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("seen_at", Instant, nullable=False),
    Column("title", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("body_id", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The sanitized HTML of an article's newest revision, made when a feed first shows it.
rendition = Table(
    "rendition",
    metadata,
    Column("code", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("rules", LargeBinary, nullable=False),
    Column("html", LargeBinary, nullable=False),
)

# Polls by number.  An interrupted poll is resumed by the next run under its number, so that
# articles that are new in it stay new when another copy turns up.
poll = Table(
    "poll",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("finished", Boolean, nullable=False),
)

# Sources with changes since their feeds were last built.
dirty_source = Table("dirty_source", metadata, Column("source", Text, primary_key=True))

problem = Table(
    "problem",
    metadata,
    Column("problem_id", Integer, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("line", Integer),
    Column("reason", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index("problem_location", "origin", "location").ddl_if("sqlite"),
    Index("problem_place", "location", info=HASH).ddl_if("postgresql"),
)

# Other feeds with changes since they were last built.
dirty_feed = Table("dirty_feed", metadata, Column("feed", Text, primary_key=True))

# Articles that changed since the last whole build; those to publish `again` have a text, or
# a feed, that older documents do not show.
changed = Table(
    "changed",
    metadata,
    Column("code", Text, primary_key=True),
    Column("again", Boolean, nullable=False),
)

# What feeds by tag and by filter show, and up to which article that has been decided.
selection = Table(
    "selection",
    metadata,
    Column("name", Text, primary_key=True),
    Column("rules", LargeBinary, nullable=False),
    Column("upto", Integer, nullable=False),
)
selected = Table(
    "selected",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("published", Instant, primary_key=True),
    Column("code", Text, primary_key=True),
    Index("selected_code", "code"),
    sqlite_with_rowid=False,
)

# Documents of older entries.
archive = Table(
    "archive",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("is_sealed", Boolean, nullable=False),
    Column("is_written", Boolean, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
# Which revision of an article is in which archive document, and where.  A revision has
# one place in a feed, so deciding it twice changes nothing.
place = Table(
    "place",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Index("place_document", "feed", "number", "position"),
    sqlite_with_rowid=False,
)
# Up to which article a feed's places have been decided, and those before it that have none yet.
archiving = Table(
    "archiving",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("upto", Integer, nullable=False),
)
unplaced = Table(
    "unplaced",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# The manifest: what every feed showed last.  `activity` is JSON.
feed = Table(
    "feed",
    metadata,
    Column("key", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("rules", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("checked_at", Instant, nullable=False),
    Column("activity", Text, nullable=False, server_default="[]"),
    Column("whole", LargeBinary, nullable=False, server_default=""),
)

# The manifest: every published file as it was written.  `document` is the number of an
# archive document, 0 for the feed itself.  The page's files have no feed, but a fingerprint.
published_file = Table(
    "published_file",
    metadata,
    Column("file_id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("feed", Text, nullable=False),
    Column("document", Integer, nullable=False),
    Column("size", Whole, nullable=False),
    Column("mtime_ns", Whole, nullable=False),
    Column("checksum", Whole, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("etag", Text, nullable=False, server_default=""),
    Index("published_file_feed", "feed", "document"),
)
# Of feeds and of archives: the pages of articles are many more.
IS_OF_FEED = published_file.c.document == literal_column("0")
IS_OF_ARCHIVE = published_file.c.document > literal_column("0")
_index_where(IS_OF_FEED, "published_feed", published_file.c.feed)
_index_where(IS_OF_ARCHIVE, "published_archive", published_file.c.feed)
