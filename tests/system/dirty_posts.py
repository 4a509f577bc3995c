"""Posts as they really arrive: most of them sound, the others broken in every way we know."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator

from conftest import Site, article, share_url

FIRST = datetime.datetime.fromisoformat("2022-01-27T08:00:00+08:00")
SOURCES = ("beijing", "晨报", "a/../b", "NUL", "Über", "ß" * 120, "")
WORDS = (
    "港口",
    "新规",
    "市场",
    "<b>粗</b>",
    "A & B",
    "“引号”",
    "𠀀",
    "e\u0301",
    "\u202e反",
    "ﬁ",
    "İ",
)
EVERYTHING = """\
  entries: 5
  combined_entries: 10
  formats: [atom, rss, json]
  compress: [gzip]
  tags: true
  hubs: ['https://hub.example.org/?a=1&b=2']
  extra:
    ports: {title: 港口, words: [港口]}
    two: {sources: [beijing, 晨报]}
rules:
  - sources: [beijing]
    remove: ['.ad']
    replace: [['市场', '集市']]
  - exclude: {titles: [新规新规]}
sources:
  beijing: {name: 北京, url: 'https://finews.example.org/beijing/'}
"""

# What may happen to a post that was sound: some words of it are others,
REPLACED = (
    ('title: "', 'title: "标\0题\x08\\0\\x01'),
    ('title: "', 'title: "' + "长" * 3000),
    ("<p>", "<p>a\0b\x0bc\x1bd\ufffe\uffff"),
    ("<p>", "<script>alert(1)</script><p onclick='x'>" + "<div>" * 300),
    ("<p>", "<p class='ad'>广告</p><p style='color:red'>&nbsp;]]&gt;"),
    ("<p>", "<img src='//img.example.org/1.png'><p>&#0;&#xd800;&amp;amp;"),
    ("<p>", "# Kopf\n\n*Markdown* [x](y.html)\n\n<p>"),
    ("<p>", "{% raw %}{{ x }}{% endraw %}{{ page.title }}<p>"),
    ("<http", "正文 <http"),
    ("date: 2022", "date: 9999"),
    ("date: 2022-01", "date: 2022-13"),
    ("date: ", "datum: "),
    ("layout: post", "layout: post\ndraft: true"),
    ("layout: post", "infoCode: [1, 2]"),
    ("layout: post", "infoCode: NW202201270000000001"),
    ("layout: post", "a: &a [*a]"),
    ("\n---\n", "\n"),
    ("categories: ", 'categories: "c\\0d\\ud800'),
    ("tags: 晨报新闻", 'tags: [一, "e\\x01f", "g\\0", 二, 晨报新闻]'),
    ("\n", "\r\n"),
)
# or its bytes are.
MANGLED: tuple[Callable[[str, random.Random], bytes], ...] = (
    lambda text, chance: text.encode("utf-8-sig"),
    lambda text, chance: text.encode("gb18030"),
    lambda text, chance: text.encode("utf-16"),
    lambda text, chance: text.encode()[: chance.randrange(len(text))],
    lambda text, chance: chance.randbytes(500),
)


def dirty_post(number: int, revision: int = 0) -> tuple[str, str | bytes]:
    """Return the name of a post file and its text: the same for the same numbers."""
    chance = random.Random(number)
    moment = FIRST + datetime.timedelta(minutes=chance.randrange(60_000))
    code = f"NW{moment:%Y%m%d}{chance.randrange(10**10):010d}"
    text = article(
        "".join(chance.choices(WORDS, k=chance.randrange(1, 5))),
        f"<p>{'，'.join(chance.choices(WORDS, k=20))}。第{revision}版，{number}。</p>",
        date=f"{moment:%Y-%m-%d %H:%M:%S %z}",
        source=chance.choice(SOURCES),
        name=chance.choice(("晨报", "北京", "观察")),
        share=share_url(code, chance.choice(("a.example.org", "b.example.org"))),
        extra=chance.choice(("", "author: 记者", "slug: x")),
    )
    name = f"{moment:%Y-%m-%d}-{code.removeprefix('NW') if number % 7 == 0 else code}.md"
    if chance.random() < 0.1:
        return name, chance.choice(MANGLED)(text, chance)
    if chance.random() < 0.4:
        return name, text.replace(*chance.choice(REPLACED), 1)
    return name, text


def dirty_posts(*numbers: int, revision: int = 0) -> Iterator[tuple[str, str | bytes]]:
    """Return posts: `dirty_posts(10)`, `dirty_posts(10, 20)`, `dirty_posts(0, 20, 3)`."""
    return (dirty_post(number, revision) for number in range(*numbers))


def publish_everything(site: Site) -> None:
    """Configure all formats, archives with small limits, tags, extra feeds, rules and hubs."""
    site.configure(
        lambda text: text.replace("    layout: plain\n", "    layout: plain\n") + EVERYTHING
    )
