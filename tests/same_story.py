"""Posts of several outlets with one text, and what their feeds show of that."""

import random
from pathlib import Path
from typing import Any

from conftest import Site, article, share_url


def text(seed: int, length: int = 600) -> str:
    chance = random.Random(seed)
    words = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(length))
    return "".join(f"<p>{words[at : at + 100]}</p>" for at in range(0, length, 100))


def code_of(number: int) -> str:
    return f"NW20220127222{number:07d}"


def post(site: Site, number: int, body: str, outlet: int | None = None, **values: Any) -> Path:
    """Write a post of an outlet of its own, or the one that is given."""
    outlet = number if outlet is None else outlet
    values = {"date": f"2022-01-27 10:{number:02d}:00 +0800", **values}
    title = values.pop("title", f"标题{number}")
    written = article(
        title,
        body,
        source=f"outlet{outlet}",
        name=f"日报{outlet}",
        share=share_url(code_of(number)),
        **values,
    )
    return site.post(f"2022-01-27-{code_of(number)}.md", written)


def related(site: Site, feed: str = "all.atom") -> dict[str, list[str]]:
    """The titles of the related entries of each entry of a feed, by its title."""
    return {
        entry.title: [link.title for link in entry.links if link.rel == "related"]
        for entry in site.entries(feed)
    }


def dates(site: Site) -> dict[str, tuple[str, str, str]]:
    """What makes readers show an entry as new: id, updated, published."""
    return {entry.title: (entry.id, entry.updated, entry.published) for entry in site.entries()}
