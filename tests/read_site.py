"""A site with pages to read, and what a visitor finds there."""

import re
from pathlib import Path
from urllib.parse import urljoin

from conftest import Site, article, share_url

BASE = "https://finews.example.org/feeds/"
FORMATS = "  formats: [atom, html]\n"


def code(number: int) -> str:
    return f"NW20220127{number:010d}"


def page_of(number: int, month: str = "2022/01") -> str:
    return f"articles/{month}/{code(number)}.html"


def add(site: Site, number: int, body: str = "<p>正文。</p>", **values: str) -> Path:
    """A post with a share page of its own."""
    values = {"date": f"2022-01-{1 + number % 28:02d} 10:00:00 +0800", **values}
    title = values.pop("title", f"标题{number}")
    return site.post(f"{number}.md", article(title, body, share=share_url(code(number)), **values))


def text(site: Site, path: str) -> str:
    return (site.feeds / path).read_text("utf-8")


def broken_links(site: Site) -> list[tuple[str, str]]:
    """The links of all pages to files of the site that are not there."""
    found = []
    for path in site.feeds.rglob("*.html"):
        name = path.relative_to(site.feeds).as_posix()
        for link in re.findall(r'(?:href|src)="([^"#]+)"', path.read_text("utf-8")):
            url = urljoin(BASE + name, link)
            if url.startswith(BASE) and not (site.feeds / url.removeprefix(BASE)).is_file():
                found.append((name, link))
    return found
