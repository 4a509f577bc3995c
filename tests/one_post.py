"""A site with one post, and the entry that it becomes."""

from typing import Any

from conftest import Site


def only(site: Site) -> Any:
    """The one entry of a site without problems."""
    site.build()
    assert site.problems() == []
    (entry,) = site.entries()
    return entry


def content(site: Site, body: str, name: str = "2022-01-27-x.md", head: str = "") -> str:
    site.post(name, f"---\ntitle: Titel\n{head}---\n{body}")
    return only(site).content[0].value
