"""Articles whose posts can be written, revised and told from each other."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from conftest import article, share_url

SOURCES = 3
FIRST = datetime.datetime.fromisoformat("2022-01-27T08:00:00+08:00")


@dataclass(frozen=True)
class Story:
    """An article by its number; a `revision` has another text than the one before."""

    number: int
    revision: int = 0

    @property
    def code(self) -> str:
        return f"NW20220127{self.number:010d}"

    @property
    def source(self) -> str:
        return f"source{self.number % SOURCES}"

    @property
    def published(self) -> datetime.datetime:
        return FIRST + datetime.timedelta(minutes=self.number)

    @property
    def file(self) -> str:
        return f"2022-01-27-{self.code}.md"

    @property
    def post(self) -> str:
        """The post file as the site has it."""
        return article(
            f"标题{self.number}",
            f"<p>正文{self.number}，第{self.revision}版。</p>",
            date=f"{self.published:%Y-%m-%d %H:%M:%S %z}",
            source=self.source,
            name=f"来源{self.number % SOURCES}",
            share=share_url(self.code),
        )

    def revised(self) -> Story:
        """The same article, corrected."""
        return replace(self, revision=self.revision + 1)


def stories(*numbers: int) -> list[Story]:
    """Articles in their first version: `stories(10)`, `stories(10, 20)`."""
    return [Story(number) for number in range(*numbers)]


def plant(posts: Path, some: Iterable[Story], changed: float | None = None) -> None:
    """Write the posts of articles, as if at the instant `changed`."""
    posts.mkdir(parents=True, exist_ok=True)
    for story in some:
        path = posts / story.file
        path.write_text(story.post, encoding="utf-8")
        if changed is not None:
            os.utime(path, (changed, changed))
