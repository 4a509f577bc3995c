"""What polls and builds did, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from aggregator.model.articles import Change, Problem


@dataclass(slots=True)
class ChangeCounts:
    """What merging made of what was read."""

    new: int = 0
    revised: int = 0
    restated: int = 0
    removed: int = 0

    def count(self, changes: Iterable[Change]) -> None:
        """Add the kinds of `changes`."""
        for change in changes:
            match change.kind:
                case "new" | "returned":
                    self.new += 1
                case "revised":
                    self.revised += 1
                case "restated":
                    self.restated += 1
                case "removed":
                    self.removed += 1


@dataclass(slots=True)
class PollSummary(ChangeCounts):
    """What one poll of posts folders did, counted."""

    read: int = 0
    gone: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class OriginSummary(ChangeCounts):
    """What one poll of an upstream origin did, counted by URL and by article.

    `due` were to be asked and `asked` were; `read` are new bodies, `failed` what gave
    nothing of use, and `skipped` what was not asked, by reason.  `failures` are for the
    origin as a whole.
    """

    name: str = ""
    due: list[str] = field(default_factory=list)
    asked: int = 0
    read: int = 0
    not_modified: int = 0
    failed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    first_trouble: str = ""
    failures: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """How many URLs gave something of use."""
        return self.read + self.not_modified

    @property
    def changes(self) -> int:
        """How many articles may look different now."""
        return self.new + self.revised + self.restated + self.removed


@dataclass(slots=True)
class HubSummary:
    """What WebSub hubs were told, counted by hub and feed."""

    told: int = 0
    given_up: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class BuildSummary:
    """What one build did: paths are relative to the output folder.

    `feeds` there are, of which some were `written`; so were all the files of `paths`.
    """

    feeds: int = 0
    written: int = 0
    paths: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
