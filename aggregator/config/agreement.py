"""What the configurations of all machines that work on one store must agree in."""

from __future__ import annotations

from aggregator.config import opml
from aggregator.config.paths import is_object_storage
from aggregator.config.schema import Settings
from aggregator.model.digests import digest_of

ORDER = "the order of the sections"


def section_digests(settings: Settings) -> dict[str, bytes]:
    """Return a digest of each section in which all machines must agree, by its key.

    They may differ in paths: where the store keeps its files and, if feeds are published in a
    folder, in which one.  Subscriptions from a list at a URL follow from the list.
    """
    sections = settings.model_dump(mode="json", exclude={"store"}, warnings=False)
    if not is_object_storage(settings.feeds.directory):
        del sections["feeds"]["directory"]
    listed = {
        url
        for section in settings.feed_lists
        for url in opml.kept_feeds(opml.kept_list(settings.store_path, section.url))
    }
    sections["subscriptions"] = [
        section for section in sections["subscriptions"] if section["url"] not in listed
    ] + [section.url for section in settings.feed_lists]
    sections[ORDER] = settings.order
    return {key: digest_of((value,)) for key, value in sections.items()}
