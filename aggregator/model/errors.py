"""Errors that end a stage as a whole.

One root and one class per stage.  A bad *item* (a post, a page, an entry) is not an error
but data: a `Problem`.  The message of an error is shown to the user as it is: what
happened, to which file, and what to do.
"""

from __future__ import annotations

import re


class AggregatorError(Exception):
    """The root of all errors that a user can cause and fix."""


class ConfigError(AggregatorError):
    """config.yaml cannot be used; each of the `problems` names file, line and key."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnknownSourceError(AggregatorError):
    """A source was named that no article is from."""


class QueryError(AggregatorError):
    """A search has nothing to look for, or too much."""


class OriginError(AggregatorError):
    """An origin as a whole could not be read; its articles stay published."""


def masked(url: str) -> str:
    """Return a URL, or a text with one, without the user name and password that it may contain."""
    # A password in the address of a database may hold anything, or stand among the parameters.
    url = re.sub(r"(postgres(?:ql)?://)\S*@", r"\1…@", url)
    url = re.sub(r"([?&]password=)[^&\s]*", r"\1…", url)
    return re.sub(r"(//)[^/?#]*@", r"\1…@", url)


def without_credentials(url: str) -> str:
    """Return a URL without a user name and password."""
    return re.sub(r"^([\w+.-]*:?//)[^/?#]*@", r"\1", url) if "@" in url else url


def unforeseen(error: BaseException) -> str:
    """Return the class and message of an unforeseen error, on one line."""
    said = masked(" ".join(str(getattr(error, "orig", None) or error).split())[:200])
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


class FetchError(AggregatorError):
    """A URL could not be fetched: refused, interrupted, over a limit, not answered.

    `reason` is the message without the URL.  `was_sent` is False if nothing was sent: the
    address was refused, robots.txt disallows it, or its host has asked for a pause.
    `was_answered` is True if the host responded, though unusably.
    """

    def __init__(
        self, url: str, reason: str, *, was_sent: bool = True, was_answered: bool = False
    ) -> None:
        super().__init__(f"{masked(url)}: {reason}")
        self.url = url
        self.reason = reason
        self.was_sent = was_sent
        self.was_answered = was_answered


class PostponedError(FetchError):
    """A URL was not requested, because its host needs a pause of `wait` seconds."""

    def __init__(self, url: str, reason: str, wait: float = 0.0) -> None:
        super().__init__(url, reason, was_sent=False)
        self.wait = wait


class StoreError(AggregatorError):
    """The store cannot be opened, read or written."""


class DamagedStoreError(StoreError):
    """The store's file is damaged."""


class FeedListsChangedError(AggregatorError):
    """Another machine has received a list of feeds: load the settings again."""


class PublishError(AggregatorError):
    """A feed could not be written; the published one is untouched."""


class LockedError(AggregatorError):
    """Another run holds the store's lock."""


class UnusableError(ValueError):
    """One item cannot be used; its origin makes a problem of it.

    `line` is the line in the item's file, counted from 1, if that is known.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
