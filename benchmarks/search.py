"""The search index: what it finds, how fast, how large it is; writes the table of README.md.

    python benchmarks/search.py [--articles 20000] [--queries 200]

Articles are like Chinese financial news: words of one to four characters by Zipf's law, numbers,
codes, and some English.  In 1,000 characters 380 are different; in real news it is 320, which makes
a smaller index.  Every query is a random part of one of them, of 1
to 12 characters; what is found is compared with a search through all the texts.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import math
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from aggregator.articles.search_query import parse
from aggregator.articles.search_text import names_of, searched
from aggregator.model.articles import Article
from aggregator.model.errors import QueryError
from aggregator.model.packing import pack
from aggregator.store import schema
from aggregator.store.articles import save_bodies
from aggregator.store.database import Store
from aggregator.store.rows import insert_rows, row_of
from aggregator.store.search_index import Bounds, SearchIndex
from aggregator.store.search_update import catch_up

HERE = Path(__file__).resolve().parent
START, END = "<!-- search -->\n", "<!-- end of search -->\n"
CHARACTERS, WORDS = 3_000, 40_000
MEDIAN, SIGMA = 1_000, 0.6
NEWEST = datetime.datetime(2022, 6, 30, 22, tzinfo=datetime.UTC)
ENGLISH = [
    "Apple",
    "Fed",
    "GDP",
    "CPI",
    "PMI",
    "ETF",
    "IPO",
    "economy",
    "growth",
    "market",
    "NASDAQ",
    "Reuters",
    "billion",
]
EVER = Bounds(until=2**40)


def vocabulary(random_: random.Random) -> tuple[list[str], list[float]]:
    """Words, and their cumulated frequencies."""
    characters = [chr(0x4E00 + number) for number in random_.sample(range(20_000), CHARACTERS)]
    weights = [(rank + 20) ** -1.3 for rank in range(CHARACTERS)]
    lengths = random_.choices((1, 2, 3, 4), (5, 70, 17, 8), k=WORDS)
    words = ["".join(random_.choices(characters, weights, k=length)) for length in lengths]
    return words, list(itertools.accumulate((rank + 3) ** -0.95 for rank in range(WORDS)))


def text(random_: random.Random, words: list[str], frequencies: list[float]) -> str:
    """The HTML of one article."""
    size = random_.lognormvariate(math.log(MEDIAN), SIGMA)
    paragraphs: list[str] = []
    written = 0
    while written < size:
        clauses = []
        for _ in range(random_.randint(2, 8)):
            clause = random_.choices(words, cum_weights=frequencies, k=random_.randint(4, 14))
            if random_.random() < 0.3:
                unit = random_.choice(("%", "亿元", "万元", "点"))
                clause.insert(
                    random_.randrange(len(clause)), f"{random_.uniform(0, 9999):.2f}{unit}"
                )
            if random_.random() < 0.1:
                clause.insert(random_.randrange(len(clause)), random_.choice(ENGLISH))
            if random_.random() < 0.05:
                clause.append(f"<b>{random_.randint(600000, 603999)}</b>")
            clauses.append("".join(clause))
        paragraphs.append("，".join(clauses) + "。")
        written += len(paragraphs[-1])
    return "<p>" + "</p>\n<p>".join(paragraphs) + "</p>"


def write(store: Store, number: int) -> None:
    """Fill a store with articles."""
    random_ = random.Random(1)
    words, frequencies = vocabulary(random_)
    for start in range(0, number, 500):
        part = range(start, min(start + 500, number))
        with store.transaction() as connection:
            texts = [pack(text(random_, words, frequencies)) for _ in part]
            bodies = save_bodies(connection, texts)
            articles = [
                Article(
                    code=f"NW{index:018d}",
                    source=f"source{index % 60:02d}",
                    source_name=f"观察{index % 60:02d}",
                    first_seen=NEWEST,
                    first_poll=1,
                    published=NEWEST - datetime.timedelta(seconds=97 * (number - index)),
                    updated=None,
                    revision=1,
                    version=1,
                    title="".join(random_.choices(words, cum_weights=frequencies, k=8)),
                    raw_hash=index.to_bytes(16),
                    body_id=body,
                    media_type="text/html",
                    link=None,
                    share_url=None,
                    categories=(),
                    is_full=True,
                    removed=False,
                )
                for index, body in zip(part, bodies, strict=True)
            ]
            insert_rows(
                connection, schema.article, [row_of(item, schema.article) for item in articles]
            )


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall time, and processor time with that of worker processes."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)

    def processor() -> float:
        used = map(resource.getrusage, kinds)
        return sum(usage.ru_utime + usage.ru_stime for usage in used)

    wall, cpu = time.perf_counter(), processor()
    work()
    return time.perf_counter() - wall, processor() - cpu


def all_searched(store: Store) -> dict[str, str]:
    """What is searched of every article, by code: the plain truth to compare with."""
    from sqlalchemy import select

    from aggregator.model.packing import unpack
    from aggregator.store.rows import article_from

    with store.transaction() as connection:
        articles = [article_from(row) for row in connection.execute(select(schema.article))]
        bodies = {row.body_id: row.text for row in connection.execute(select(schema.body))}
    return {
        item.code: searched(
            item.title, unpack(bodies[item.body_id or 0]), item.media_type, names_of(item)
        )
        for item in articles
    }


def queries(texts: list[str], number: int) -> list[str]:
    """Random parts of random texts, in quotes, as a person would write them."""
    random_ = random.Random(2)
    found: list[str] = []
    while len(found) < number:
        whole, length = random_.choice(texts), random_.randint(1, 12)
        start = random_.randrange(max(1, len(whole) - length))
        query = '"' + whole[start : start + length].replace('"', "") + '"'
        try:
            parse(query)
        except QueryError:
            continue  # a space alone
        found.append(query)
    return found


def measure(folder: Path, number: int, asked: int) -> list[str]:
    """The rows of the table."""
    path = folder / "store.db.search"
    rows = []
    with Store(folder / "store.db") as store:
        write(store, number)
        catch_up(store, path)
        wall, cpu = seconds(lambda: (path.unlink(), catch_up(store, path)))
        rows.append(f"| indexing {number:,} articles | {wall:.2f} s, {cpu:.2f} s of processors | |")
        texts = all_searched(store)
    exact, times = 0, []
    with SearchIndex(path) as index:
        for written in queries(list(texts.values()), asked):
            query = parse(written)
            started = time.perf_counter()
            index.newest(query, EVER, 20)
            times.append(time.perf_counter() - started)
            found = set(index.newest(query, EVER, number))
            exact += found == {code for code, whole in texts.items() if query.matches(whole)}
    size = path.stat().st_size / sum(len(whole.encode()) for whole in texts.values())
    times.sort()
    rows += [
        f"| random parts of 1 to 12 characters for which exactly the right articles are found "
        f"| {exact} of {asked} | all |",
        f"| the newest 20 for one, median | {1000 * statistics.median(times):.2f} ms | 5 ms |",
        f"| the same, 95th percentile | {1000 * times[int(0.95 * asked)]:.2f} ms | |",
        f"| size of the index, by that of the texts in UTF-8 | {size:.2f} | 1.0 |",
    ]
    return rows


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), arguments.articles, arguments.queries)
    table = "\n".join(
        [
            f"{arguments.articles:,} articles of about 1,200 characters.",
            "",
            "| | measured | goal |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )
    print(table)
    readme = HERE / "README.md"
    before, _, rest = readme.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{START}{table}{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
