"""A feed document and its texts → the bytes of its files, and sanitized texts.  Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import NamedTuple

from aggregator.articles import fragments
from aggregator.articles.content_rules import TextRule, clean
from aggregator.articles.image_rules import ImageRule, of_image, with_rules
from aggregator.articles.images import first_image
from aggregator.articles.summary import summary_of
from aggregator.model.feeds import Entry, FeedDocument, FeedState
from aggregator.model.formats import FORMATS
from aggregator.model.packing import pack, unpack
from aggregator.publish.publication import Publication


@dataclass(frozen=True)
class Body:
    """The text of a revision (code, revision), packed.

    It is raw, of `media_type`, with URLs relative to `base`; or it is sanitized HTML, and
    `media_type` is None.  `is_kept` says whether to store it once it is sanitized, `rules` are
    those that apply to it, and `page` is where links within the text lead.
    """

    revision: tuple[str, int]
    packed: bytes
    media_type: str | None = None
    base: str = ""
    is_kept: bool = True
    rules: tuple[TextRule, ...] = ()
    page: str | None = None


class DocumentState(NamedTuple):
    """An archive document of the feed `key`: its number, and a digest of what it shows."""

    key: str
    number: int
    fingerprint: bytes


class SanitizedText(NamedTuple):
    """The sanitized HTML of an article's newest revision, packed.

    `changed_by` are the numbers of the content rules that changed it, `given_up` those that
    were too slow for it.
    """

    code: str
    revision: int
    html: bytes
    changed_by: tuple[int, ...] = ()
    given_up: tuple[int, ...] = ()


@dataclass(frozen=True)
class Job:
    """A document to render, and the state to save once it is written.

    The document's entries have no content; `bodies` are their texts, in the same order, whose
    pictures are loaded by the rules `images`.  `paths` are the files to write, by format, and
    `max_bytes` is how large each may be, 0 for any size.  The `state` of a feed has no files yet.
    """

    state: FeedState | DocumentState
    document: FeedDocument
    paths: dict[str, str]
    bodies: tuple[Body, ...]
    images: tuple[ImageRule, ...] = ()
    max_bytes: int = 0


def by_settings(job: Job, publication: Publication) -> Job:
    """Return a job with what the settings say of pictures, and of the size of feeds."""
    is_feed = isinstance(job.state, FeedState)
    max_bytes = publication.feeds.max_bytes if is_feed else 0
    return replace(job, images=publication.images, max_bytes=max_bytes)


def load(formats: tuple[str, ...]) -> dict[str, Callable[[FeedDocument], bytes]]:
    """Return the functions that write these formats."""
    return {name: import_module(FORMATS[name].module).render for name in formats}


def render(job: Job) -> tuple[dict[str, bytes], list[SanitizedText]]:
    """Return the bytes of each file by its path, and the texts that were sanitized for them."""
    entries = []
    texts = []
    for entry, body in zip(job.document.entries, job.bodies, strict=True):
        html, text = sanitized(body)
        if text is not None:
            texts.append(text)
        entries.append(with_text(entry, html, job.images))
    document = replace(job.document, entries=tuple(entries))
    writers = load(tuple(job.paths))
    return {path: writers[name](document) for name, path in job.paths.items()}, texts


def with_text(entry: Entry, html: str, images: tuple[ImageRule, ...]) -> Entry:
    """Return an entry with its text, and with what is taken from the text."""
    return replace(
        entry,
        content=with_rules(html, images),
        summary=summary_of(html),
        image=of_image(first_image(html), images),
    )


def sanitized(body: Body) -> tuple[str, SanitizedText | None]:
    """Return a text as an entry shows it, and what to store if it was sanitized for it."""
    html = unpack(body.packed)
    text = None
    if body.media_type is not None:
        cleaned = clean(html, body.media_type, body.base, body.rules)
        html = cleaned.html
        if body.is_kept:
            text = SanitizedText(*body.revision, pack(html), *cleaned[1:])
    return fragments.with_page(html, body.page), text
