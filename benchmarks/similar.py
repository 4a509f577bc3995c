"""How many copies of a story are found, how many false ones, and what that costs.

    python benchmarks/similar.py [--articles 20000] [--planted 1000]

The articles are of 60 sources, in invented words whose frequencies are those of a language
(Zipf), with the notices and the closing line that outlets have.  Copies of some of them are planted
for another source: with 10 % of the characters changed, cut to 40 %, half replaced, or with the
paragraphs in another order.  As many pairs have only boilerplate in common: the same notice, the
same sentences of a market report with other numbers in them (20 such forms), and their closing
lines; 60 to 250 characters of each are its own.  All are compared as a build compares them, within
five days.  Then one more article comes.
"""

from __future__ import annotations

import argparse
import datetime
import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

from aggregator.build import comparison
from aggregator.config.schema import Settings
from aggregator.model.articles import Copy
from aggregator.model.packing import pack
from aggregator.model.polls import Batch
from aggregator.poll.ingest import MergeRules, apply
from aggregator.store import similar
from aggregator.store.database import Store

HERE = Path(__file__).resolve().parent
START, END = "<!-- similar -->\n", "<!-- end of similar -->\n"
SOURCES, NOTICES, FORMS = 60, 12, 20
NOW = datetime.datetime(2022, 6, 30, 22, tzinfo=datetime.UTC)


class Corpus:
    """Articles as (source, paragraphs), by a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._characters = [chr(0x4E00 + number) for number in range(2500)]
        self._words = [
            "".join(self.chance.choices(self._characters, k=self.chance.choice((1, 2, 2, 2, 3, 4))))
            for _ in range(8000)
        ]
        self._weights = list(accumulate(1 / (rank + 10) for rank in range(8000)))
        self.notices = [self.sentences(4) for _ in range(NOTICES)]
        self.forms = [
            [f"{self.sentences(1)}报{{}}元，涨幅{{}}%。{self.sentences(2)}" for _ in range(3)]
            for _ in range(FORMS)
        ]

    def sentences(self, number: int) -> str:
        """Sentences of 6 to 18 words."""
        length = self.chance.randint
        return "".join(
            "".join(self.chance.choices(self._words, cum_weights=self._weights, k=length(6, 18)))
            + "。"
            for _ in range(number)
        )

    def paragraphs(self, size: int) -> list[str]:
        """Paragraphs of about `size` characters together."""
        found: list[str] = []
        while sum(map(len, found)) < size:
            found.append(self.sentences(self.chance.randint(1, 4)))
        return found

    def length(self) -> int:
        """The length of an article: lognormal around 1,100 characters."""
        return int(self.chance.lognormvariate(math.log(1100), 0.8)) + 80

    def changed(self, text: list[str]) -> list[str]:
        """Each tenth character is another one."""
        return [
            "".join(
                self.chance.choice(self._characters) if self.chance.random() < 0.1 else character
                for character in paragraph
            )
            for paragraph in text
        ]

    def cut(self, text: list[str]) -> list[str]:
        """The first 40 %."""
        whole = "\n".join(text)
        return whole[: len(whole) * 2 // 5].split("\n")

    def half(self, text: list[str]) -> list[str]:
        """The first half, and as much that is new."""
        whole = "\n".join(text)
        return [*whole[: len(whole) // 2].split("\n"), *self.paragraphs(len(whole) // 2)]

    def reordered(self, text: list[str]) -> list[str]:
        """The paragraphs in another order."""
        return self.chance.sample(text, len(text))

    def form(self, number: int) -> list[str]:
        """A market report with numbers of its own, and some text of its own."""
        numbers = (self.chance.randint(100, 9999) / 100, self.chance.randint(1, 999) / 100)
        filled = [sentence.format(*numbers) for sentence in self.forms[number]]
        return [*filled, *self.paragraphs(self.chance.randint(60, 250))]


def copy(number: int, source: int, paragraphs: list[str], total: int) -> Copy:
    """An article as a post has it; all are within five days."""
    html = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    html += f'<p class="em_media">（文章来源：第{source}日报）</p>'
    at = NOW - datetime.timedelta(days=4.9 * (total - number) / total)
    return Copy(
        origin="posts:posts",
        location=f"{number}.md",
        code=f"NW{number:018d}",
        source=f"source{source:02d}",
        source_name=f"第{source}日报",
        title=f"{number}",
        published=at,
        published_guess=at,
        media_type="text/html",
        raw_hash=number.to_bytes(8, "big"),
        body=pack(html),
    )


def measure(articles: int, planted: int) -> list[str]:
    """The rows of the table."""
    corpus = Corpus(1)
    chance = corpus.chance
    texts: list[tuple[int, list[str]]] = []
    for _ in range(articles):
        text = corpus.paragraphs(corpus.length())
        texts.append((chance.randrange(SOURCES), text))

    def other(source: int) -> int:
        return (source + chance.randrange(1, SOURCES)) % SOURCES

    pairs: dict[frozenset[int], str] = {}
    family = list(range(articles))
    kinds: dict[str, Callable[[list[str]], list[str]]] = {
        "10 % of the characters changed": corpus.changed,
        "cut to 40 %": corpus.cut,
        "half replaced": corpus.half,
        "paragraphs in another order": corpus.reordered,
    }
    for kind, change in kinds.items():
        for origin in chance.sample(range(articles), planted):
            source, text = texts[origin]
            pairs[frozenset((origin, len(texts)))] = kind
            family.append(origin)
            texts.append((other(source), change(text)))
    boilerplate = []
    for _ in range(planted):
        form, notice, source = chance.randrange(FORMS), chance.choice(corpus.notices), -1
        for _ in range(2):
            source = other(source)
            family.append(len(texts))
            texts.append((source, [*corpus.form(form), notice]))
        boilerplate.append(frozenset((len(texts) - 2, len(texts) - 1)))
    total = len(texts)
    copies = []
    for number, (source, text) in enumerate(texts):
        notice = [chance.choice(corpus.notices)] if chance.random() < 0.3 else []
        copies.append(copy(number, source, text + notice, total))
    with tempfile.TemporaryDirectory() as folder:
        found, first, one = compare(Path(folder) / "store.db", copies)
    hits = Counter(pairs[pair] for pair in found if pair in pairs)
    strangers = sum(len({family[number] for number in pair}) > 1 for pair in found)
    same = sum(pair in found for pair in boilerplate) / planted
    return [
        *(f"| found: {kind} | {hits[kind] / planted:.3f} | 0.98 |" for kind in kinds),
        f"| linked: pairs with the same boilerplate | {same:.4f} | 0.002 |",
        f"| other pairs that are no copies of one text, of {total:,} articles | {strangers} | |",
        f"| time for all, µs an article | {first / total * 1e6:.0f} | |",
        f"| time for one more article | {one * 1000:.0f} ms | |",
    ]


def compare(path: Path, copies: list[Copy]) -> tuple[set[frozenset[int]], float, float]:
    """The pairs that are found, and the seconds for all articles and for the last one."""
    settings = Settings.model_validate(
        {
            "site": {"title": "x", "url": "https://a.example/", "tag": "a.example,2021"},
            "feeds": {"url": "https://a.example/feeds/"},
        }
    )
    rules = MergeRules.of(settings)
    *most, last = copies
    with Store(path) as store:
        times = []
        for number, some in enumerate((most, [last])):
            with store.transaction() as connection:
                apply(connection, Batch("posts:posts", copies=tuple(some)), rules, number, NOW)
            started = time.perf_counter()
            comparison.update(store, "link", NOW)
            times.append(time.perf_counter() - started)
        with store.transaction() as connection:
            pairs = similar.pairs_shown(connection, NOW)
    found = {frozenset((int(code[2:]), int(other[2:]))) for code in pairs for other in pairs[code]}
    return found, times[0], times[1]


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--planted", type=int, default=1_000)
    arguments = parser.parse_args()
    rows = measure(arguments.articles, arguments.planted)
    print("\n".join(rows))
    table = [
        f"{arguments.articles:,} articles, {arguments.planted:,} copies of each kind.",
        "",
        "| | measured | goal |",
        "|---|---|---|",
        *rows,
    ]
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    readme.write_text(before + START + "\n".join(table) + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
