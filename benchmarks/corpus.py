"""Write a folder of synthetic posts: the input of every benchmark.

    python benchmarks/corpus.py DIRECTORY --posts 10000

Posts have the form of a scraped news site: raw HTML paragraphs, the share link alone
on its line, a line that navigates back.  Sizes are lognormal around 5 kB, 60 sources
share the posts unevenly, and 3 % of the articles stand in a second file, under the bare
number and on another host.  The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import datetime
import math
import random
from pathlib import Path

SOURCES = 60
SECOND_COPIES = 0.03
MEDIAN_BYTES = 5_000
SIGMA = 0.6
HOSTS = ("news.example.org", "mirror.example.net")
NEWEST = datetime.datetime(2022, 6, 30, 22, 0, 0)

PHRASES = (
    "市场成交量较前一交易日明显放大",
    "多家机构上调了全年的增长预期",
    "新规自下月起在试点城市实施",
    "供应链的恢复速度好于此前判断",
    "公司表示将继续增加研发投入",
    "受访者认为消费意愿正在改善",
    "港口的吞吐量连续三个月回升",
    "项目一期工程已经完成验收",
    "地方财政安排了专项补助资金",
    "首批产品预计在年底前交付",
    "合作双方签署了为期五年的协议",
    "仓储和运输成本同比下降百分之八",
)
NAMES = ("晨报", "商讯", "观察", "日报", "财闻", "周刊")


def body(random_: random.Random, size: int, name: str) -> str:
    """HTML of about `size` bytes in UTF-8, ending with the attribution."""
    paragraphs: list[str] = []
    written = 0
    while written < size:
        sentence = "，".join(random_.choices(PHRASES, k=random_.randint(3, 9))) + "。"
        if random_.random() < 0.1:
            sentence = f"<strong>{sentence}</strong>"
        if random_.random() < 0.05:
            number = random_.randint(600000, 603999)
            sentence += (
                f'<span id="stock_1.{number}"><a href="//quote.example.org/{number}.html" '
                f'data-code="1,{number}">{number}</a></span>'
            )
        paragraph = f"<p>{sentence}</p>"
        paragraphs.append(paragraph)
        written += len(paragraph.encode())
    return "\n ".join(paragraphs) + f'<p class="em_media">（文章来源：{name}）</p>'


def post(title: str, date: datetime.datetime, slug: str, name: str, text: str, share: str) -> str:
    """A post file: front matter, text, share link, navigation line."""
    return (
        f'---\nlayout: post\ntitle: "{title}"\ndate: {date} +0800\n'
        f"categories: {slug}\ntags: {name}新闻\n---\n{text}\n\n<{share}>\n\n"
        f"[返回{name}新闻](//site.example.org/category/{slug}.html)｜[返回首页](//site.example.org/)"
    )


def write_corpus(directory: Path, posts: int, seed: int = 1) -> int:
    """Write `posts` articles and their second copies; return the number of files."""
    random_ = random.Random(seed)
    directory.mkdir(parents=True, exist_ok=True)
    weights = [1 / (1 + rank) ** 0.5 for rank in range(SOURCES)]
    files = 0
    for index in range(posts):
        source = random_.choices(range(SOURCES), weights)[0]
        name = f"{NAMES[source % len(NAMES)]}{source:02d}"
        slug = f"source{source:02d}"
        date = NEWEST - datetime.timedelta(seconds=97 * index)
        digits = f"{date:%Y%m%d}{index:010d}"
        text = body(random_, int(random_.lognormvariate(math.log(MEDIAN_BYTES), SIGMA)), name)
        title = f"{random_.choice(PHRASES)} {index}"
        twice = random_.random() < SECOND_COPIES
        stems = (f"NW{digits}", digits) if twice else (f"NW{digits}",)
        for host, stem in zip(HOSTS, stems, strict=False):
            share = f"http://{host}/html_News/NewsShare.html?infoCode=NW{digits}"
            path = directory / f"{date:%Y-%m-%d}-{stem}.md"
            path.write_text(post(title, date, slug, name, text, share), encoding="utf-8")
            files += 1
    return files


def main() -> None:
    """Parse the command line and write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    files = write_corpus(arguments.directory, arguments.posts, arguments.seed)
    print(f"{files} files in {arguments.directory}")


if __name__ == "__main__":
    main()
