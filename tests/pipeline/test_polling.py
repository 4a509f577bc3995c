"""`aggregator poll` against a real server on loopback: what comes of it in the feeds."""

import contextlib
import datetime
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from conftest import COMMAND, Site, article
from upstream import Upstream, send

ZONE = ZoneInfo("Asia/Shanghai")
FETCH = """\
fetch:
  timeout: 2s
  allow_private_addresses: [127.0.0.2/32]
  per_host: {concurrency: 8, delay: 0s}
"""


def recent(hours: float = 1) -> datetime.datetime:
    return datetime.datetime.now(ZONE) - datetime.timedelta(hours=hours)


def code_of(number: int, moment: datetime.datetime | None = None) -> str:
    return f"NW{(moment or recent()):%Y%m%d}{number:010d}"


def date_text(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %z}"


def excerpt(site: Site, upstream: Upstream, number: int, text: str = "短讯", **options) -> str:
    """A post that quotes the first words of an article; return its code."""
    moment = recent(options.pop("hours", 1))
    code = code_of(number, moment)
    site.post(
        f"{moment:%Y-%m-%d}-{code}.md",
        article(
            f"标题{number}",
            f"> {text}",
            date=date_text(moment),
            share=upstream.share_url(code),
            **options,
        ),
    )
    return code


@pytest.fixture
def site(site: Site) -> Site:
    site.configure(lambda text: text + FETCH)
    return site


def poll(site: Site, *arguments: str, expect: int = 0, **options):
    """Run a poll; return its summary by the origin's name."""
    result = site.run("poll", "--json", *arguments, **options)
    assert "Traceback" not in result.err, result.err
    assert result.code == expect, (result.out, result.err)
    return {origin["origin"]: origin for origin in result.json["origins"]}


def contents(site: Site, path: str = "all.atom") -> dict[str, str]:
    """The text of each entry by its code."""
    return {
        entry.id.rpartition(":")[2]: entry.content[0].value.strip() for entry in site.entries(path)
    }


def later(site: Site) -> None:
    """Everything is due again, as if its time had come."""
    with sqlite3.connect(site.store) as connection:
        connection.execute("update url set next_at = 0")
    connection.close()


def written(site: Site) -> dict[str, int]:
    return {
        str(path.relative_to(site.feeds)): path.stat().st_mtime_ns
        for path in site.feeds.rglob("*.atom")
    }


def test_an_excerpt_and_its_page_are_one_entry_with_the_full_text(
    site: Site, upstream: Upstream
) -> None:
    code = excerpt(site, upstream, 1)
    other = excerpt(site, upstream, 2, source="beijingshangbao", name="北京商报")
    upstream.texts[code] = '<p class="a">股价上涨三成。</p>'
    upstream.texts[other] = "<p>另一篇。</p>"
    assert poll(site)["shares"]["read"] == 2
    site.build()
    assert contents(site)[code] == "<p>股价上涨三成。</p>"
    assert all(entry.updated == entry.published for entry in site.entries())
    assert len(site.run("show", code, "--json").json["revisions"]) == 1

    before = written(site)
    upstream.texts[code] = '<p class="b">股价上涨三成。</p>'
    assert poll(site)["shares"]["due"] == 0
    later(site)
    assert poll(site)["shares"] | {"origin": ""} == {
        "origin": "", "due": 2, "requested": 2, "not_modified": 1, "read": 1, "new": 0,
        "revised": 0, "metadata_changed": 0, "removed": 0, "failed": 0, "skipped": {},
        "failures": [],
    }  # fmt: skip
    site.build()
    assert written(site) == before

    upstream.texts[code] = '<p class="b">股价上涨两成。</p>'
    later(site)
    assert poll(site)["shares"]["revised"] == 1
    site.build()
    assert contents(site)[code] == "<p>股价上涨两成。</p>"
    changed = {path for path, at in written(site).items() if before[path] != at}
    assert changed == {"all.atom", "sources/huaxiashibao.atom"}
    shown = site.run("show", code, "--json").json
    assert [revision["changes"] for revision in shown["revisions"]] == [
        [],
        ["-股价上涨三成。", "+股价上涨两成。"],
    ]
    entry = next(entry for entry in site.entries() if entry.id.endswith(code))
    assert entry.updated > entry.published


@pytest.mark.usefixtures("on_both")
def test_one_article_wherever_it_is_found(site: Site, upstream: Upstream) -> None:
    mirror = Upstream()
    try:
        code = excerpt(site, upstream, 1)
        for server in (upstream, mirror):
            server.texts[code] = "<p>全文。</p>"
        item = {"infocode": code, "title": "标题1", "showtime": f"{recent():%Y-%m-%d %H:%M:%S}"}
        listed = upstream.document("/list", {"nodeList": [item]})
        link = mirror.share_url(code)
        feed = upstream.document(
            "/feed",
            f"<rss version='2.0'><channel><title>甲</title><item><title>标题1</title>"
            f"<guid>7</guid><link>{link}</link><description>短</description></item></channel></rss>",
            "application/rss+xml",
        )
        site.configure(
            lambda text: (
                text
                + f"lists:\n  - {{url: '{listed}', shape: nodeList}}\n"
                + f"subscriptions:\n  - {{url: '{feed}'}}\n"
            )
        )
        poll(site)
        site.build()
        assert contents(site) == {code: "<p>全文。</p>"}
        shown = site.run("show", code, "--json").json
        assert len(shown["revisions"]) == 1
        assert sorted(copy["origin"].partition(":")[0] for copy in shown["copies"]) == [
            "lists", "posts", "shares", "shares", "subscriptions",
        ]  # fmt: skip
        assert len(shown["pages"]) == 2
    finally:
        mirror.close()


def test_a_list_of_new_articles_is_read_at_once(site: Site, upstream: Upstream) -> None:
    site.post("2022-01-27-x.md", article("旧", source="beijingshangbao", name="北京商报"))
    names = ["北京商报", "华夏时报", "中国证券报"]
    items = []
    for number in range(100):
        moment = recent(number / 50)
        code = code_of(number, moment)
        upstream.texts[code] = f"<p>全文{number}</p>"
        items.append(
            {
                "infocode": code,
                "title": f"新{number}",
                "showtime": f"{moment:%Y-%m-%d %H:%M:%S}",
                "from": names[number % 3],
                "simdigest": "摘要",
            }
        )
    listed = upstream.document("/list", {"nodeList": items})
    site.configure(lambda text: text + f"lists:\n  - {{url: '{listed}', shape: nodeList}}\n")
    found = poll(site)
    assert found[f"lists:{listed}"]["new"] == 100
    assert found["shares"]["read"] == 100
    site.build()
    feeds = {path.stem for path in (site.feeds / "sources").iterdir()}
    assert feeds == {"beijingshangbao", "huaxiashibao", "zhongguozhengquanbao"}
    full = contents(site)
    assert [full[item["infocode"]] for item in items[:99]] == [
        f"<p>全文{number}</p>" for number in range(99)
    ]
    assert len(site.entries("sources/huaxiashibao.atom")) == 33
    later(site)
    assert poll(site)["shares"]["not_modified"] == 100


@pytest.mark.parametrize("shape", ["nodeList", "records", "record"])
def test_the_shapes_of_lists(site: Site, upstream: Upstream, shape: str) -> None:
    moment = recent()
    codes = [code_of(number, moment) for number in range(3)]
    when = f"{moment:%Y-%m-%d %H:%M:%S}"
    items = {
        "nodeList": [
            {"title": "一", "infocode": code, "showtime": when, "from": "北京商报",
             "simdigest": "摘"} for code in codes
        ],
        "records": [
            {"id": code[2:], "infoCode": code, "title": "一", "digest": "摘", "showtime": when,
             "url_w": f"http://a.example/a/{code[2:]}.html"} for code in codes
        ],
        "record": [
            {"infoCode": code, "title": "一", "datetime": when, "medianame": "北京商报"}
            for code in codes
        ],
    }[shape]  # fmt: skip
    listed = upstream.document("/list", {shape: items})
    site.configure(lambda text: text + f"lists:\n  - {{url: '{listed}', shape: {shape}}}\n")
    upstream.texts |= dict.fromkeys(codes[:2], "<p>全文</p>")
    assert poll(site)[f"lists:{listed}"]["new"] == 3
    site.build()
    entries = {entry.id.rpartition(":")[2]: entry for entry in site.entries()}
    assert sorted(entries) == codes
    assert {entry.title for entry in entries.values()} == {"一"}
    shown = contents(site)
    assert (shown[codes[0]], shown[codes[1]]) == ("<p>全文</p>", "<p>全文</p>")
    assert shown[codes[2]] == ("" if shape == "record" else "<p>摘</p>")
    stamp = moment.replace(microsecond=0)
    assert {datetime.datetime.fromisoformat(entry.published) for entry in entries.values()} == {
        stamp
    }
    author = "财经新闻" if shape == "records" else "北京商报"
    assert {entry.author for entry in entries.values()} == {author}


def test_a_list_that_is_a_page(site: Site, upstream: Upstream) -> None:
    codes = [code_of(number) for number in range(3)]
    upstream.texts |= dict.fromkeys(codes, "<p>全文</p>")
    rows = "".join(
        f"<li><a href='{upstream.share_url(code)}'>第{number}条</a><i>{recent():%Y-%m-%d %H:%M}</i>"
        f"<b data-from='华夏时报'></b></li>"
        for number, code in enumerate(codes)
    )
    page = f"<html><body><ul class=news>{rows}<li>广告</li></ul></body></html>"
    listed = upstream.document("/list.html", page.encode("gbk"), "text/html; charset=gb2312")
    site.configure(
        lambda text: (
            text
            + f"lists:\n  - url: '{listed}'\n    format: html\n    items: 'ul.news > li'\n"
            + "    fields: {published: i, source: 'b@data-from'}\n"
        )
    )
    assert poll(site)[f"lists:{listed}"]["new"] == 3
    site.build()
    assert [entry.title for entry in site.entries("sources/huaxiashibao.atom")] == [
        "第2条", "第1条", "第0条",
    ]  # fmt: skip
    assert set(contents(site).values()) == {"<p>全文</p>"}


def test_json_in_the_charset_of_its_header(site: Site, upstream: Upstream) -> None:
    code = excerpt(site, upstream, 1)
    body = json.dumps({"text": "<p>涨停</p>"}, ensure_ascii=False).encode("gbk")
    upstream.answers[upstream.text_path(code)] = lambda handler: send(
        handler, 200, body, "application/json; charset=gbk"
    )
    poll(site)
    site.build()
    assert contents(site)[code] == "<p>涨停</p>"


def test_only_recent_articles_are_asked_and_once_in_a_cycle(site: Site, upstream: Upstream) -> None:
    for number in range(30):
        code = excerpt(site, upstream, number, hours=1 if number < 20 else 60)
        upstream.texts[code] = "<p>全文</p>"
    assert poll(site)["shares"]["requested"] == 20
    assert upstream.count() == 20
    assert poll(site)["shares"]["requested"] == 0
    assert upstream.count() == 20


@pytest.mark.usefixtures("on_both")
def test_a_page_without_a_post_is_an_article_of_its_own(site: Site, upstream: Upstream) -> None:
    code = code_of(5)
    upstream.texts[code] = "<p>只在上游。</p><p class='em_media'>（文章来源：北京商报）</p>"
    (site.root / "urls.txt").write_text(f"# remarks\n\n{upstream.share_url(code)}\n")
    site.configure(lambda text: text + "shares:\n  - urls: ['file:urls.txt']\n")
    assert poll(site)["shares"]["new"] == 1
    site.build()
    (entry,) = site.entries("sources/beijingshangbao.atom")
    assert entry.id.endswith(code)
    assert entry.link == upstream.share_url(code)
    assert "只在上游" in entry.title
    (site.root / "urls.txt").unlink()
    found = poll(site, expect=1)
    assert "urls.txt: cannot be read" in found["shares"]["failures"][0]


def test_a_page_that_is_gone_leaves_the_article(site: Site, upstream: Upstream) -> None:
    code = excerpt(site, upstream, 1)
    upstream.texts[code] = "<p>全文。</p>"
    good = excerpt(site, upstream, 2)
    upstream.texts[good] = "<p>好。</p>"
    poll(site)
    site.build()
    upstream.answers[upstream.text_path(code)] = lambda handler: send(handler, 410)
    later(site)
    assert poll(site)["shares"]["failed"] == 1
    before = site.feed_bytes()
    site.build()
    assert site.feed_bytes() == before
    shown = site.run("show", code, "--json").json
    assert shown["pages"][0]["gone"]
    assert "410" in site.run("show", code).out
    later(site)
    asked = upstream.count()
    poll(site, "--all")
    assert upstream.count() == asked + 1


def test_trouble_that_passes(site: Site, upstream: Upstream) -> None:
    code = excerpt(site, upstream, 1)
    good = excerpt(site, upstream, 2)
    upstream.texts |= {code: "<p>全文。</p>", good: "<p>好。</p>"}
    upstream.answers[upstream.text_path(code)] = lambda handler: send(handler, 500)
    waits = []
    for failures in range(1, 5):
        poll(site)
        (problem,) = site.problems()
        assert problem["reason"] == "status 500"
        assert problem["file"] == upstream.share_url(code)
        with sqlite3.connect(site.store) as connection:
            row = connection.execute(
                "select failures, next_at - requested_at from url where failures > 0"
            ).fetchone()
        connection.close()
        assert row[0] == failures
        waits.append(row[1])
        later(site)
    assert [round(after / before) for before, after in itertools.pairwise(waits)] == [
        2, 2, 2,
    ]  # fmt: skip
    status = site.run("status", "--json").json["origins"]
    shares = next(origin for origin in status if origin["origin"] == "shares")
    assert (shares["failing"], shares["failures_in_a_row"]) == (1, 4)
    assert "status 500" in site.run("status").out
    del upstream.answers[upstream.text_path(code)]
    poll(site)
    assert site.problems() == []
    site.build()
    assert contents(site)[code] == "<p>全文。</p>"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_that_asks_for_a_pause_gets_it(site: Site, upstream: Upstream, form: str) -> None:
    code = excerpt(site, upstream, 1)
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2)
    pause = "7200" if form == "seconds" else f"{until:%a, %d %b %Y %H:%M:%S} GMT"
    upstream.answers[upstream.text_path(code)] = lambda handler: send(
        handler, 429, headers={"Retry-After": pause}
    )
    site.configure(lambda text: text + "shares:\n  - refresh: {for: 48h, every: 1s}\n")
    poll(site, expect=1)
    with sqlite3.connect(site.store) as connection:
        (wait,) = connection.execute("select next_at - requested_at from url").fetchone()
    connection.close()
    assert 7100 <= wait <= 7300
    poll(site)
    assert upstream.count() == 1


def test_a_validator_that_changes_with_each_request_is_no_change(
    site: Site, upstream: Upstream
) -> None:
    code = excerpt(site, upstream, 1)
    body = json.dumps({"text": "<p>全文。</p>"}).encode()
    upstream.answers[upstream.text_path(code)] = lambda handler: send(
        handler, 200, body, "application/json", headers={"ETag": f'"{random.random()}"'}
    )
    poll(site)
    site.build()
    before = written(site)
    later(site)
    assert poll(site)["shares"]["not_modified"] == 1
    assert upstream.asked[-1][1]["if-none-match"]
    site.build()
    assert written(site) == before


def test_a_gbk_page_without_a_charset(site: Site, upstream: Upstream) -> None:
    text = "北京商报讯，今日大盘震荡上行，两市成交额突破万亿元，多只个股涨停。" * 5
    page = f"<html><head><title>页</title></head><body><div id=t><p>{text}</p></div></body></html>"
    code = code_of(3)
    url = upstream.share_url(code)
    upstream.document(url.removeprefix(upstream.url), page.encode("gbk"), "text/html")
    site.configure(
        lambda config: (
            config
            + f"shares:\n  - urls: ['{url}']\n"
            + "    text: {url: '{url}', format: html, html: '#t', title: title}\n"
        )
    )
    poll(site)
    site.build()
    (entry,) = site.entries()
    assert entry.title == "页"
    assert entry.content[0].value.strip() == f"<p>{text}</p>"


def test_the_main_text_of_a_page_without_any_rule(site: Site, upstream: Upstream) -> None:
    words = "公司公告称，年度营业收入同比增长百分之十二，净利润略有下降，拟每十股派三元。"
    page = (
        "<html><head><title>年报</title></head><body><nav><a href=/>首页</a></nav><article>"
        + "".join(f"<p>{words}{number}</p>" for number in range(8))
        + "</article><footer>版权</footer></body></html>"
    )
    code = code_of(4)
    url = upstream.share_url(code)
    upstream.document(url.removeprefix(upstream.url), page, "text/html; charset=utf-8")
    site.configure(lambda config: config + f"shares:\n  - {{urls: ['{url}'], text: null}}\n")
    poll(site)
    site.build()
    (entry,) = site.entries()
    assert words + "7" in entry.content[0].value
    assert "版权" not in entry.content[0].value


def test_a_post_whose_share_link_names_another_article(site: Site, upstream: Upstream) -> None:
    moment = recent()
    named, linked = code_of(1, moment), code_of(2, moment)
    upstream.texts |= {named: "<p>甲</p>", linked: "<p>乙</p>"}
    text = article("标题", "> 短", date=date_text(moment), share=upstream.share_url(linked))
    site.post(f"{moment:%Y-%m-%d}-{named}.md", text)
    poll(site)
    site.build()
    assert contents(site) == {linked: "<p>乙</p>"}
    assert "the share link was used" in site.problems()[0]["reason"]
    assert upstream.counts()[upstream.text_path(named)] == 0


def test_without_a_network_all_stays_as_it_was(site: Site, upstream: Upstream) -> None:
    code = excerpt(site, upstream, 1)
    upstream.texts[code] = "<p>全文。</p>"
    site.configure(
        lambda text: (
            text
            + "lists:\n  - {url: 'http://news.invalid/list', shape: record}\n"
            + "subscriptions:\n  - {url: 'http://news.invalid/feed'}\n"
        )
    )
    poll(site, "--only", "shares", "--only", "posts")
    site.build()
    before = site.feed_bytes()
    upstream.close()
    later(site)
    result = site.run("poll")
    assert result.code == 1
    lines = result.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "lists:http://news.invalid/list", "subscriptions:http://news.invalid/feed", "shares",
    ]  # fmt: skip
    site.build()
    assert site.feed_bytes() == before


def test_urls_given_are_asked_alone_due_or_not(site: Site, upstream: Upstream) -> None:
    codes = [excerpt(site, upstream, number) for number in range(3)]
    upstream.texts |= dict.fromkeys(codes, "<p>全文。</p>")
    poll(site)
    poll(site, upstream.share_url(codes[1]))
    assert sorted(upstream.counts().values()) == [1, 1, 1, 2]  # with robots.txt, which is kept
    result = site.run("poll", "http://elsewhere.example/x")
    assert result.code == 2
    assert "elsewhere.example/x: fits no" in result.err


def test_a_dry_run_asks_nothing(site: Site, upstream: Upstream) -> None:
    excerpt(site, upstream, 1)
    result = site.run("poll", "--dry-run", "-v")
    assert (result.code, result.err) == (0, "")
    assert "shares: would request 1 URL" in result.out
    assert upstream.share_url("") in result.out
    assert upstream.asked == []
    assert not site.store.exists()


def test_a_summary_for_people(site: Site, upstream: Upstream) -> None:
    code = excerpt(site, upstream, 1)
    excerpt(site, upstream, 2)
    upstream.texts[code] = "<p>全文。</p>"
    result = site.run("poll")
    assert result.out.splitlines() == [
        "posts: 2 read, 2 new",
        "shares: 2 requests, 1 read, 1 failed",
        "  see aggregator problems",
    ]
    assert "status 404" in site.run("problems").out


def test_pages_of_a_list_end(site: Site, upstream: Upstream) -> None:
    def page(handler) -> None:
        number = int(handler.path.rpartition("=")[2])
        items = [{"infoCode": code_of(number), "title": f"第{number}", "datetime": ""}]
        body = {"record": items, "next": f"/list?page={number + 1}"}
        send(handler, 200, json.dumps(body).encode(), "application/json")

    for number in range(1, 100):
        upstream.answers[f"/list?page={number}"] = page
    url = f"{upstream.url}/list?page=1"
    site.configure(lambda text: text + f"lists:\n  - {{url: '{url}', shape: record, next: next}}\n")
    found = poll(site, "--only", "lists")
    assert found[f"lists:{url}"]["requested"] == 50
    assert "goes on after 50 pages" in "".join(item["reason"] for item in site.problems())


@pytest.mark.parametrize("rounds", [3, pytest.param(30, marks=pytest.mark.exhaustive)])
def test_killed_at_any_moment_nothing_is_lost_or_doubled(
    site: Site, make_site: Callable[[str], Site], upstream: Upstream, rounds: int
) -> None:
    undisturbed = make_site("undisturbed")
    undisturbed.configure(lambda text: text + FETCH)
    codes = []
    for number in range(150):
        code = excerpt(site, upstream, number, hours=1 + number / 100)
        upstream.texts[code] = f"<p>{'全文' * 2000}{number}</p>"
        codes.append(code)
    for path in site.posts.iterdir():
        undisturbed.post(path.name, path.read_bytes())
    started = time.monotonic()
    poll(undisturbed)
    whole = time.monotonic() - started
    undisturbed.build()
    moments = random.Random(7)
    kills = 0
    for _ in range(rounds):
        process = subprocess.Popen(
            [str(COMMAND), "poll", "--all", "-q"], cwd=site.root, start_new_session=True
        )
        try:
            process.wait(moments.uniform(0.1, 1.1) * whole)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        if not site.store.exists():
            continue
        with contextlib.closing(sqlite3.connect(site.store)) as connection:
            if not connection.execute("select 1 from sqlite_master where name = 'url'").fetchall():
                continue  # killed before the store was made
            rows = connection.execute(
                "select count(*) from url where content_hash <> x'' and not exists "
                "(select 1 from copy where copy.location = url.url)"
            ).fetchone()
        assert rows == (0,)
    assert kills > rounds / 3
    poll(site, "--all")
    site.build()
    assert contents(site) == contents(undisturbed)
    assert len(site.entries()) == 100
    with contextlib.closing(sqlite3.connect(site.store)) as connection:
        found = connection.execute("select count(*), max(revision) from article").fetchone()
    assert found == (150, 1)


@pytest.mark.sqlite
def test_a_poll_holds_up_no_build(site: Site, upstream: Upstream) -> None:
    codes = [excerpt(site, upstream, number) for number in range(2)]
    upstream.texts |= dict.fromkeys(codes, "<p>全文。</p>")
    reached, release = threading.Event(), threading.Event()

    def slow(handler) -> None:
        reached.set()
        release.wait(20)
        send(handler, 200, json.dumps({"text": "<p>全文。</p>"}).encode(), "application/json")

    upstream.answers[upstream.text_path(codes[0])] = slow
    site.configure(lambda text: text.replace("timeout: 2s", "timeout: 30s"))
    process = subprocess.Popen([str(COMMAND), "poll", "-q"], cwd=site.root)
    assert reached.wait(20)
    site.build("--wait", "5")
    assert len(site.entries()) == 2
    second = site.run("poll", "--wait", "0")
    assert second.code == 75
    assert f"held by process {process.pid} (aggregator poll)" in second.err
    release.set()
    assert process.wait(30) == 0
    site.build()
    assert set(contents(site).values()) == {"<p>全文。</p>"}


def test_the_environment_of_a_poll_is_not_believed(site: Site, upstream: Upstream) -> None:
    code = excerpt(site, upstream, 1)
    upstream.texts[code] = "<p>全文。</p>"
    proxy = {"http_proxy": "http://127.0.0.9:1/", "HTTP_PROXY": "http://127.0.0.9:1/"}
    assert poll(site, environment=proxy)["shares"]["read"] == 1


def test_the_program_says_who_it_is(site: Site, upstream: Upstream) -> None:
    excerpt(site, upstream, 1)
    poll(site, expect=1)
    agent = upstream.asked[-1][1]["user-agent"]
    assert agent.startswith("aggregator/")
    assert "(+https://finews.example.org/)" in agent
