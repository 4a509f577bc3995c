"""What all steps of one build share."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from aggregator.model.feeds import FeedState
from aggregator.model.reports import Report, no_report
from aggregator.model.summaries import BuildSummary
from aggregator.publish.destination import Destination
from aggregator.publish.publication import Publication
from aggregator.store.database import Store


@dataclass(frozen=True, slots=True)
class Context:
    """One build of one site; `manifest` is what is published, as the build goes on.

    With `checks_archives`, what is on disk of archives is compared with what was written.
    """

    store: Store
    publication: Publication
    destination: Destination
    now: datetime.datetime
    manifest: dict[str, FeedState]
    full: bool
    dry_run: bool
    checks_archives: bool = True
    report: Report = no_report
    summary: BuildSummary = field(default_factory=BuildSummary)
