"""The results of polls and builds, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from aggregator.model.articles import Change, Problem

# Why a URL was skipped that would have been requested, had there been more time.
LEFT = "left for the next poll"


@dataclass(slots=True)
class ChangeCounts:
    """How many articles a poll changed, by kind."""

    new: int = 0
    revised: int = 0
    metadata_changed: int = 0
    removed: int = 0

    def count(self, changes: Iterable[Change]) -> None:
        """Add the kinds of `changes`."""
        for change in changes:
            match change.kind:
                case "new" | "returned":
                    self.new += 1
                case "revised":
                    self.revised += 1
                case "metadata changed" | "reread":
                    self.metadata_changed += 1
                case "removed":
                    self.removed += 1

    def by_kind(self) -> dict[str, int]:
        """Return the numbers of changed articles by kind."""
        return {
            "new": self.new,
            "revised": self.revised,
            "metadata_changed": self.metadata_changed,
            "removed": self.removed,
        }

    @property
    def changes(self) -> int:
        """How many articles changed visibly."""
        return sum(self.by_kind().values())


@dataclass(slots=True)
class PollSummary(ChangeCounts):
    """The result of one poll of posts folders.

    `others` counts the files that are not posts, `drafts` the posts that were read and are
    not to be published.
    """

    read: int = 0
    gone: int = 0
    others: int = 0
    drafts: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class OriginSummary(ChangeCounts):
    """The result of one poll of an upstream origin, by URL and by article.

    `due` URLs were to be requested, and `requested` counts those that were; `read` counts new
    bodies, `failed` failures and unusable responses, and `skipped` what was not requested, by
    reason.  `failures` are those of the origin as a whole.
    """

    name: str = ""
    due: list[str] = field(default_factory=list)
    requested: int = 0
    read: int = 0
    not_modified: int = 0
    failed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    first_problem: str = ""
    failures: list[str] = field(default_factory=list)

    def add(self, other: OriginSummary) -> None:
        """Add what another poll of the origin did, whose failures are the current ones."""
        self.new += other.new
        self.revised += other.revised
        self.metadata_changed += other.metadata_changed
        self.removed += other.removed
        self.requested += other.requested
        self.read += other.read
        self.not_modified += other.not_modified
        self.failed += other.failed
        self.skipped += other.skipped
        self.first_problem = self.first_problem or other.first_problem
        self.failures = other.failures

    @property
    def left(self) -> int:
        """How many URLs were left for the next poll, since there was no more time."""
        return self.skipped[LEFT]

    @property
    def done(self) -> int:
        """How many URLs were requested or skipped."""
        return self.requested + self.skipped.total()

    @property
    def succeeded(self) -> int:
        """How many URLs were read or not modified."""
        return self.read + self.not_modified


@dataclass(slots=True)
class HubSummary:
    """The result of notifying WebSub hubs, by hub and feed."""

    notified: int = 0
    given_up: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class BuildSummary:
    """The result of one build; paths are relative to the output folder.

    There are `feeds` in all, of which `written` were written, with the files of `paths`.  So
    many `documents` of archives and `pages` of articles were written.
    """

    feeds: int = 0
    written: int = 0
    documents: int = 0
    pages: int = 0
    paths: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
