"""A feed document and raw texts → bytes and clean texts.  Pure; runs in any process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module

from aggregator.articles import sanitize
from aggregator.model.feeds import FeedDocument, FeedState
from aggregator.model.formats import FORMATS
from aggregator.model.packing import pack, unpack


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
    """A document to render.

    The document's entries have no content yet: `bodies` has what it is made from, and
    `revisions` the code and revision of each, in the same order, None for a text that was
    superseded, which is not kept clean.  `paths` are the files
    to make, by format.  `state` is what the manifest will say of a feed, less what only
    the written files can tell; `archive` is the number of an archive document.
    """

    key: str
    document: FeedDocument
    paths: dict[str, str]
    bodies: tuple[Body, ...]
    revisions: tuple[tuple[str, int] | None, ...]
    fingerprint: bytes
    state: FeedState | None = None
    archive: int | None = None


@dataclass(frozen=True)
class Rendered:
    """The bytes of each file, and the packed HTML of every text that was cleaned for it."""

    job: Job
    files: tuple[tuple[str, bytes], ...]
    cleaned: tuple[tuple[str, int, bytes], ...]


def load(formats: tuple[str, ...]) -> dict[str, Callable[[FeedDocument], bytes]]:
    """The functions that write these formats."""
    return {name: import_module(FORMATS[name].module).render for name in formats}


def render(job: Job) -> Rendered:
    """Clean what has to be cleaned, and render the document in its formats."""
    entries = []
    cleaned = []
    for entry, body, revision in zip(job.document.entries, job.bodies, job.revisions, strict=True):
        html = unpack(body.packed)
        if body.media_type is not None:
            html = sanitize.clean(html, body.media_type, body.base)
            if revision is not None:
                cleaned.append((*revision, pack(html)))
        entries.append(replace(entry, content=html))
    document = replace(job.document, entries=tuple(entries))
    files = tuple(
        (job.paths[name], write(document)) for name, write in load(tuple(job.paths)).items()
    )
    # What is known where the job came from need not travel back.
    done = replace(job, document=replace(job.document, entries=()), bodies=(), revisions=())
    return Rendered(done, files, tuple(cleaned))
