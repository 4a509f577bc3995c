"""Take the pictures of pages in this folder again, of a site made for it.

    python docs/pictures.py [--folder docs]

Needs what tests need (sh bootstrap.sh test), chromium, and fonts for Chinese (fonts-noto-cjk).
"""

from __future__ import annotations

import argparse
import datetime
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, sync_playwright

COMMAND = str(Path(sys.executable).parent / "aggregator")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ZONE = ZoneInfo("Asia/Shanghai")
CONFIG = """\
site:
  title: 海陵财经
  subtitle: 十二家媒体的财经新闻，每篇只收一次。
  url: https://hailing.example.org/
  tag: hailing.example.org,2021
posts:
  - path: posts
    layout: plain
feeds:
  url: {url}
  formats: [atom, rss, json, html]
  search: true
  extra:
    ports: {{title: 港口与航运, words: [港口, 航运]}}
    traffic: {{title: 城市交通, words: [地铁, 公交]}}
"""
POST = """\
---
title: {title}
date: {date:%Y-%m-%d %H:%M:%S} +0800
categories: {source}
tags: [{name}新闻]
---
{text}

<https://news.example.org/NewsShare.html?infoCode={code}>
"""
SOURCES = {
    "chenjiangribao": "晨江日报",
    "hailingzaobao": "海陵早报",
    "gangkoubao": "港口报",
    "haishangguancha": "海上观察",
    "jinqiaozhoukan": "金桥周刊",
    "kuaixunshe": "快讯社",
    "nanlingwanbao": "南岭晚报",
    "qinghecaijing": "青禾财经",
    "tongchengshangbao": "桐城商报",
    "yunxichenbao": "云溪晨报",
    "beiyuanxinwen": "北苑新闻",
    "shuchengshibao": "舒城时报",
}
# The newest articles: their minutes, sources and titles; the last one is corrected afterwards.
STORY = (
    (10, "gangkoubao", "青禾港二期码头启用 新增四个万吨级泊位"),
    (8, "hailingzaobao", "青禾港二期码头今起试运行"),
    (5, "chenjiangribao", "青禾港二期码头投入试运行 年吞吐能力提高三成"),
)
STORY_TEXT = (
    "<p>青禾港二期码头今天正式投入试运行。港口方面介绍，二期工程新增四个万吨级泊位，全部达产后，"
    "全港年吞吐能力将比上年提高三成左右。</p>\n"
    "<h3>泊位提前两个月建成</h3>\n"
    "<p>项目负责人表示，由于采用了预制构件拼装的办法，工期比原计划缩短了六十多天。试运行期间，"
    "码头先以散货装卸为主，下半年再开通集装箱班轮。</p>\n"
    "<p>“船公司最关心的是等泊时间。”港口调度中心的值班长说，二期投运之后，平均等泊时间预计由11小时"
    "降到7小时以内。</p>"
)
PLACES = ("高新区", "青禾新区", "桐城", "云溪", "南岭", "北苑", "金桥镇", "舒城")
EVENTS = (
    ("扩建冷链仓库 预计年底前全面铺开", "新仓库的制冷设备已经到场，首批农产品预计下月入库。"),
    ("公布消费券核销结果 餐饮占四成", "剩余的消费券可以用到月底，逾期作废。"),
    ("地铁三号线延长段开始铺轨", "铺轨之后是四个月的调试，站台装修同时进行。"),
    ("调整公交线路 早高峰加密班次", "两条线路合并，七个站点改名，票价不变。"),
    ("航运价格指数连续五周回落", "运力增加是主要原因，远洋航线的降幅小于近洋航线。"),
    ("新能源设备厂复产 订单排到明年", "工厂新招的三百名工人已经上岗，培训为期两周。"),
    ("启用电子报关平台 企业少跑三趟", "平台试用了一个季度，覆盖八成以上的报关单。"),
    ("港口集装箱吞吐量创单月新高", "内贸箱占了增量的大部分，外贸箱与去年持平。"),
)


def posts(now: datetime.datetime) -> Iterator[tuple[str, str]]:
    """Yield the codes and texts of posts, the newest last."""
    chance = random.Random(7)
    for number in range(250):
        event, text = chance.choice(EVENTS)
        place = chance.choice(PLACES)
        date = now - datetime.timedelta(minutes=20 + 30 * 24 * 60 * chance.random() ** 1.3)
        body = f"<p>{place}{event.split()[0]}。{text}</p>"
        yield post(number, place + event, chance.choice(list(SOURCES)), date, body)
    for number, (minutes, source, title) in enumerate(STORY, 250):
        date = now - datetime.timedelta(minutes=minutes)
        yield post(number, title, source, date, STORY_TEXT)


def post(
    number: int, title: str, source: str, date: datetime.datetime, text: str
) -> tuple[str, str]:
    """Return the code and the text of a post."""
    date = date.astimezone(ZONE)
    code = f"NW{date:%Y%m%d}{number:010d}"
    values = {"title": title, "date": date, "source": source, "name": SOURCES[source]}
    return code, POST.format(**values, text=text, code=code)


def wait_for_server(address: str) -> None:
    """Wait until something listens at HOST:PORT, for ten seconds at most."""
    host, _, port = address.partition(":")
    for _ in range(100):
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)


def main() -> None:
    """Make the site, serve it, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    folder = parser.parse_args().folder
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as temporary:
        site = Path(temporary)
        url = "https://hailing.example.org/feeds/"
        (site / "config.yaml").write_text(CONFIG.format(url=url), "utf-8")
        (site / "posts").mkdir()
        for code, text in posts(datetime.datetime.now(datetime.UTC)):
            (site / "posts" / f"{code}.md").write_text(text, "utf-8")
        build = [COMMAND, "build-feeds", "-q"]
        subprocess.run(build, cwd=site, check=True)
        corrected = text.replace("新增四个", "新增五个")
        (site / "posts" / f"{code}.md").write_text(corrected, "utf-8")
        subprocess.run(build, cwd=site, check=True)
        server = subprocess.Popen([COMMAND, "serve", "-q", "--listen", address], cwd=site)
        try:
            wait_for_server(address)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM, args=["--no-sandbox"]
                )
                pages = Pictures(browser, f"http://{address}/", url, folder)
                (article,) = site.glob(f"feeds/articles/*/*/{code}.html")
                pages.take_all(article.relative_to(site / "feeds").as_posix())
                browser.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(10)


class Pictures:
    """Takes pictures of pages; the site's own address leads to the server."""

    def __init__(self, browser: Browser, served: str, url: str, folder: Path) -> None:
        self._browser = browser
        self._served, self._url = served, url
        self._folder = folder

    def take_all(self, article: str) -> None:
        """Take every picture; `article` is the path of the page of an article."""
        self.take("page", "index.html")
        self.take("page-dark", "index.html", is_dark=True)
        self.take("page-narrow", "index.html", width=390, height=844)
        self.take("feed-to-read", "all.html")
        self.take("feed-in-browser", "all.atom")
        self.take("search", "search?q=二期码头")
        self.take("article", article, height=1000, is_open=True)
        self.take("article-narrow-dark", article, width=390, height=844, is_dark=True)
        self.take("article-print", article, width=800, is_print=True)

    def take(
        self,
        name: str,
        path: str,
        *,
        width: int = 1280,
        height: int = 860,
        is_dark: bool = False,
        is_print: bool = False,
        is_open: bool = False,
    ) -> None:
        """Save a picture of one page; `is_open` opens the corrections of an article."""
        page = self._browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if is_dark else "light",
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        page.route(
            f"{self._url}**",
            lambda route: route.fulfill(
                response=route.fetch(url=route.request.url.replace(self._url, self._served))
            ),
        )
        if is_print:
            page.emulate_media(media="print")
        page.goto(self._url + path, wait_until="networkidle")
        if is_open:
            page.locator("details:has(del, ins) > summary").first.click()
        page.screenshot(path=self._folder / f"{name}.png")
        page.close()


if __name__ == "__main__":
    main()
