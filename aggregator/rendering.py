"""A feed document and raw texts → bytes and clean texts.  Pure; runs in any process."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aggregator import content
from aggregator.model import FeedDocument, FeedSpec, FeedState
from aggregator.packing import pack, unpack


@dataclass(frozen=True)
class Body:
    """What an entry's content is made from, packed.

    A text to clean, of `media_type` and with URLs relative to `base`; or, where
    `media_type` is None, HTML that is clean already.
    """

    packed: bytes
    media_type: str | None = None
    base: str = ""


@dataclass(frozen=True)
class Job:
    """A feed to render.

    The document's entries have no content yet: `bodies` has what it is made from, and
    `revisions` the code and revision of each, in the same order.  `state` is what the
    manifest will say, less what only the written file can tell.
    """

    spec: FeedSpec
    document: FeedDocument
    bodies: tuple[Body, ...]
    revisions: tuple[tuple[str, int], ...]
    state: FeedState


@dataclass(frozen=True)
class Rendered:
    """A feed's bytes, and the packed HTML of every text that was cleaned for it."""

    spec: FeedSpec
    state: FeedState
    data: bytes
    cleaned: tuple[tuple[str, int, bytes], ...]


def render(job: Job) -> Rendered:
    """Clean what has to be cleaned, and render the feed."""
    from aggregator.publish import atom

    entries = []
    cleaned = []
    for entry, body, (code, revision) in zip(
        job.document.entries, job.bodies, job.revisions, strict=True
    ):
        html = unpack(body.packed)
        if body.media_type is not None:
            html = content.clean(html, body.media_type, body.base)
            cleaned.append((code, revision, pack(html)))
        entries.append(replace(entry, content=html))
    data = atom.render(replace(job.document, entries=tuple(entries)))
    return Rendered(job.spec, job.state, data, tuple(cleaned))
