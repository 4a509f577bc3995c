"""The nouns, as frozen values.

Beside them stands what everything leans on: errors, digests, packing, logs.  Every
`datetime` is aware and in UTC.  Values that travel between processes have no slots: those of
frozen dataclasses make pickling several times slower.
"""

from aggregator.model.articles import (
    NO_SOURCE,
    Article,
    Change,
    Clues,
    Copy,
    CopyFacts,
    Enclosure,
    Identity,
    Problem,
    Revision,
)
from aggregator.model.feeds import (
    Activity,
    Archive,
    ArchivePlace,
    Entry,
    FeedDocument,
    FeedOrigin,
    FeedSpec,
    FeedState,
    Headline,
    PublishedFile,
    SourceName,
)
from aggregator.model.formats import FORMATS, Format
from aggregator.model.overview import Card, Overview
from aggregator.model.polls import (
    ORIGIN_KINDS,
    UPSTREAM_KINDS,
    Batch,
    FileState,
    Request,
    Response,
    UrlState,
    Validators,
)
from aggregator.model.summaries import (
    BuildSummary,
    ChangeCounts,
    HubSummary,
    OriginSummary,
    PollSummary,
)

__all__ = [
    "FORMATS",
    "NO_SOURCE",
    "ORIGIN_KINDS",
    "UPSTREAM_KINDS",
    "Activity",
    "Archive",
    "ArchivePlace",
    "Article",
    "Batch",
    "BuildSummary",
    "Card",
    "Change",
    "ChangeCounts",
    "Clues",
    "Copy",
    "CopyFacts",
    "Enclosure",
    "Entry",
    "FeedDocument",
    "FeedOrigin",
    "FeedSpec",
    "FeedState",
    "FileState",
    "Format",
    "Headline",
    "HubSummary",
    "Identity",
    "OriginSummary",
    "Overview",
    "PollSummary",
    "Problem",
    "PublishedFile",
    "Request",
    "Response",
    "Revision",
    "SourceName",
    "UrlState",
    "Validators",
]
