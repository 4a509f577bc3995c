"""What is hostile in URLs, HTTP, JSON and feeds, in one poll with 99 good URLs."""

import datetime
import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from conftest import Site
from hostile_server import Answer, HostileServer, sends, whole
from upstream import Upstream

from aggregator.model.errors import masked

TIMEOUT = 2.0
GOOD = 99
TEXT = b'{"content": "<p>gut</p>"}'
DAY = datetime.date.today().strftime("%Y%m%d")
JSON_HEAD = b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\n"


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, 1)


def encoded(body: bytes, coding: str) -> bytes:
    return whole(200, body, "application/json", f"Content-Encoding: {coding}")


def content(value: Any) -> Answer:
    return sends(whole(200, value if isinstance(value, bytes) else json.dumps(value).encode()))


def redirect(target: str) -> Answer:
    return sends(whole(302, b"", "text/plain", f"Location: {target}"))


def dripping(head: bytes, piece: bytes) -> Callable[[HostileServer], Answer]:
    return lambda server: lambda connection: server.drip(connection, head, piece)


BOMB = zipped(b"0" * 200_000_000)
LATE = "no complete response within 2 s"
# name of the case: what the server does (or a function of the server), what the problem says
HTTP: dict[str, tuple[Any, str]] = {
    "38 redirect to private": (redirect("http://10.0.0.1/"), "not a public address"),
    "38 redirect to metadata": (redirect("http://169.254.169.254/x"), "not a public address"),
    "31 redirect to file": (redirect("file:///etc/passwd"), "not http or https"),
    "43 redirect to port 22": (redirect("http://news.example.org:22/"), "port 22"),
    "46 gzip bomb": (sends(encoded(BOMB, "gzip")), "unpacks to more than the limit"),
    "47 gzip in gzip": (sends(encoded(zipped(zipped(TEXT)), "gzip, gzip")), "more than once"),
    "48 bomb in a redirect": (
        sends(
            whole(302, BOMB, "text/plain", "Content-Encoding: gzip", "Location: http://10.0.0.1/")
        ),
        "not a public address",
    ),
    "49 sixty codings": (sends(encoded(TEXT, ", ".join(["gzip"] * 60))), "more than once"),
    "49 unknown coding": (sends(encoded(TEXT, "lzma")), "which was not requested"),
    "50 headers dripped": (dripping(b"HTTP/1.1 200 X\r\n", b"X: 1\r\n"), LATE),
    "50 half a header": (dripping(b"HTTP/1.1 200 X\r\nX: ", b"x"), LATE),
    "51 body dripped": (dripping(JSON_HEAD + b"Content-Length: 9999\r\n\r\n", b"{"), LATE),
    "52 endless chunks": (
        dripping(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n"), LATE,
    ),
    "52 a chunk without end": (
        sends(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *([b"4000\r\n" + b"0" * 0x4000
              + b"\r\n"] * 200)), "larger than",
    ),
    "53 short body": (
        sends(JSON_HEAD + b"Content-Length: 100\r\nConnection: close\r\n\r\n" + TEXT), "cut off",
    ),
    "53 short gzip": (sends(encoded(zipped(TEXT)[:-9], "gzip")), "cut off"),
    "54 101 headers": (
        sends(b"HTTP/1.1 200 X\r\n" + b"X: 1\r\n" * 101 + b"\r\n"), "100 headers",
    ),
    "54 a long header": (
        sends(b"HTTP/1.1 200 X\r\nX: " + b"1" * 70_000 + b"\r\n\r\n"), "header",
    ),
    "55 endless 100": (dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), LATE),
    "58 login page": (
        sends(whole(200, b"<html>please log in", "text/html")), "login, captcha or error page",
    ),
    "59 empty": (sends(whole(200)), "an empty response"),
    "no http": (sends(b"SSH-2.0-OpenSSH_9.2\r\n"), "not HTTP"),
    "silence": (lambda server: lambda _: server.stopping.wait(10), LATE),
    "hung up": (sends(), "hung up"),
    "too large": (sends(whole(200, b"0" * 3_000_001)), "larger than"),
    "57 304 unasked": (sends(whole(304)), "304"),
    "410": (sends(whole(410)), "status 410 (gone)"),
    "status 999": (sends(whole(999)), "999"),
    "63 deep json": (content(b"[" * 100_000), "nested deeper"),
    "64 nan": (content(b'{"content": NaN}'), "unreadable number"),
    "64 a huge number": (content(b'{"content": 1' + b"0" * 5000 + b"}"), "unreadable number"),
    "66 a list": (content({"content": ["x"]}), "its text is a list"),
    "66 a section": (content({"content": {"a": 1}}), "its text is an object"),
    "66 true": (content({"content": True}), "its text is true or false"),
    "66 no object": (content([1, 2]), "without a text"),
    "68 another code": (
        content({"content": "<p>x</p>", "infoCode": "NW202101010000000001"}), "is about NW2021",
    ),
    "68 another code as a number": (
        content({"content": "<p>x</p>", "infoCode": 202101010000000001}), "is about NW2021",
    ),
    "59 an empty text": (content({"content": "<p>&nbsp;</p>"}), "an empty text"),
    "90 deep html": (content({"content": "<div>" * 100_000 + "tief"}), "nested deeper"),
    "91 references": (content({"content": "&" * 800_000}), "character references"),
}  # fmt: skip
# These must not be problems at all.
FINE: dict[str, tuple[Any, str]] = {
    "56 an etag with NUL": (
        sends(whole(200, TEXT, "application/json", "ETag: \"a\0b\"")), "<p>gut</p>",
    ),
    "65 a lone surrogate": (content(b'{"content": "<p>gu\\ud800t</p>"}'), "<p>gut</p>"),
    "67 markup in a text": (
        content({"content": "<p>gut<script>alert(1)</script></p>"}), "<p>gut</p>",
    ),
    "trailing bytes after gzip": (sends(encoded(zipped(TEXT) + b"\0\0", "gzip")), "<p>gut</p>"),
}  # fmt: skip
# 32 to 45: share URLs that must not be asked as they are.
URLS = {
    "32 127.1": ("http://127.1{path}", "unusual spelling"),
    "32 decimal": ("http://2130706433{path}", "unusual spelling"),
    "32 hexadecimal": ("http://0x7f.1{path}", "unusual spelling"),
    "32 octal": ("http://0177.0.0.1{path}", "unusual spelling"),
    "33 mapped": ("http://[::ffff:10.0.0.1]{path}", "not a public address"),
    "33 nat64": ("http://[64:ff9b::a00:1]{path}", "not a public address"),
    "33 6to4": ("http://[2002:a00:1::]{path}", "not a public address"),
    "33 site local": ("http://[fec0::1]{path}", "not a public address"),
    "33 compatible": ("http://[::10.0.0.1]{path}", "not a public address"),
    "34 metadata": ("http://169.254.169.254{path}", "not a public address"),
    "34 metadata of another": ("http://168.63.129.16{path}", "not a public address"),
    "35 shared": ("http://100.64.0.1{path}", "not a public address"),
    "35 this": ("http://0.0.0.0{path}", "not a public address"),
    "35 reserved": ("http://240.0.0.1{path}", "not a public address"),
    "35 multicast": ("http://224.0.0.1{path}", "not a public address"),
    "41 user info": ("http://u:secret@127.0.0.2{path}", "user name"),
    "41 backslash": ("http://127.0.0.2\\@10.0.0.1{path}", "backslash"),
    "41 tab": ("http://127.0.\t0.2{path}", "control character"),
    "42 full-width": ("http://１２７.０.０.１{path}", "look-alike"),
    "42 ideographic dot": ("http://127。0。0。1{path}", "look-alike"),
    "42 full-width dot": ("http://127．0．0．1{path}", "look-alike"),
    "43 port 22": ("http://127.0.0.2:22{path}", "port 22"),
    "44 scoped": ("http://[fe80::1%25lo]{path}", "zone"),
    "no host": ("http:///{path}", "not a host name"),
    "no ipv6": ("http://[::1{path}", "not a URL"),
    "unknown name": ("http://news.invalid{path}", "cannot be resolved"),
    "refused": ("http://127.0.0.2:1{path}", "port 1 "),
}


def rss(items: str, head: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>甲</title>'
        f"<link>http://a.example/</link><description/>{items}</channel></rss>"
    ).encode()


def item(number: int, extra: str = "", text: str = "gut") -> str:
    return (
        f"<item><guid isPermaLink='false'>g{number}</guid><title>T{number}</title>"
        f"<description>{text}</description>{extra}</item>"
    )


ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
CHAIN = "".join(f'<!ENTITY c{n} "&c{n + 1};">' for n in range(50_000))
FEEDS: dict[str, tuple[bytes, str]] = {
    "70 billion laughs": (
        rss(item(1, "&l9;"), f'<!DOCTYPE r [<!ENTITY l0 "ha">{ENTITIES}]>'), "entities",
    ),
    "71 quadratic": (
        rss(item(1, "&a;" * 9000), f'<!DOCTYPE r [<!ENTITY a "{"x" * 9000}">]>'), "entities",
    ),
    "72 chain": (rss(item(1, "&c0;"), f"<!DOCTYPE r [{CHAIN}]>"), "entities"),
    "73 external": (
        rss(item(1, "&x;"), '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "entities",
    ),
    "74 deep": (rss("<a>" * 100_000), "nested deeper"),
    "no feed": (b"<html><body>hello</body></html>", "not a feed"),
    "json of another kind": (b'{"a": 1}', "not a JSON Feed"),
}  # fmt: skip
# Feeds of which something, or all, is read: what of them, and what the problem says.
READ_FEEDS: dict[str, tuple[bytes, int, str]] = {
    "75 long author": (rss(item(1, f"<author>{'a b@c ' * 16_000}</author>")), 1, ""),
    "76 long style": (
        rss(item(1, text=f"&lt;p style='{'a:b;' * 50_000}'&gt;gut&lt;/p&gt;")), 1, "",
    ),
    "77 odd codec": (
        rss(item(1)).replace(b'"1.0"', b'"1.0" encoding="utf-7"', 1), 1, "",
    ),
    "78 truncated": (rss(item(1) + item(2) + item(3))[:-90], 2, "cut off"),
    "79 duplicate guid": (rss(item(1) + item(1, text="anders") + item(2)), 2, "1 of 3 items"),
    "80 empty guid": (
        rss("<item><guid/><title>T</title><link>http://a.example/1</link></item>"), 1, "",
    ),
    "85 dates that lie": (
        rss(
            item(1, "<pubDate>Fri, 31 Dec 9999 23:59:59 GMT</pubDate>")
            + item(2, "<pubDate>Wed, 31 Dec 1969 23:59:59 GMT</pubDate>")
            + item(3)
        ), 3, "",
    ),
    "86 too many new": (rss("".join(item(n) for n in range(1500))), 1000, "for the next polls"),
}  # fmt: skip


@dataclass
class Polled:
    """What one poll of everything came to."""

    site: Site
    seconds: float
    out: str
    err: str
    code: int
    problems: dict[str, list[str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Polled]:
    server, upstream = HostileServer(), Upstream("127.0.0.3")
    site = Site(tmp_path_factory.mktemp("hostile") / "site")
    number = 0
    urls, names = [], {}

    def share_path() -> tuple[str, str]:
        nonlocal number
        number += 1
        return f"NW{DAY}{number:010d}", f"/html_News/NewsShare.html?infoCode=NW{DAY}{number:010d}"

    for name, (answer, _) in (HTTP | FINE).items():
        code, path = share_path()
        urls.append(f"http://127.1.{number // 250}.{number % 250 + 1}:{server.port}{path}")
        names[name] = urls[-1]
        answers = server.answers
        made = answer(server) if getattr(answer, "__name__", "") == "<lambda>" else answer
        answers[f"/NewsData/GetNewsText.do?id={code}"] = made
    for name, (template, _) in URLS.items():
        _, path = share_path()
        urls.append(template.replace("{path}", path))
        names[name] = urls[-1]
    code, path = share_path()
    names["40 loop"] = f"http://127.1.9.1:{server.port}{path}"
    server.answers[f"/NewsData/GetNewsText.do?id={code}"] = redirect(
        f"/NewsData/GetNewsText.do?id={code}"
    )
    urls.append(names["40 loop"])
    code, path = share_path()
    names["40 ever further"] = f"http://127.1.9.2:{server.port}{path}"
    for step in range(30):
        mark = f"&n={step}" if step else ""
        server.answers[f"/NewsData/GetNewsText.do?id={code}{mark}"] = redirect(
            f"/NewsData/GetNewsText.do?id={code}&n={step + 1}"
        )
    urls.append(names["40 ever further"])
    good = []
    for _ in range(GOOD):
        code, _ = share_path()
        upstream.texts[code] = f"<p>gut {code}</p>"
        urls.append(upstream.share_url(code))
        good.append(code)
    subscriptions = []
    for name, (data, *_) in (FEEDS | READ_FEEDS).items():
        number += 1
        path = f"/feed{number}"
        server.answers[path] = sends(whole(200, data, "application/rss+xml"))
        names[name] = f"http://127.1.8.{number % 250 + 1}:{server.port}{path}"
        subscriptions.append(f"  - {{url: '{names[name]}', source: s{number}}}\n")
    bad_items = [
        {"infocode": "../../etc/passwd", "title": "45"},
        {"infocode": "%2e%2e%2f", "title": "45"},
        {"infocode": "NW2022\u0000", "title": "45"},
        {"title": "31", "url": "file:///etc/passwd"},
        {"title": "31", "url": "javascript:alert(1)"},
        {"infocode": ["x"], "title": "66"},
        {"infocode": f"NW{DAY}0000009999", "title": ""},
        {"infocode": f"NW{DAY}0000009998", "title": "<b>fett</b> & gut"},
    ]
    listed = upstream.document("/list", {"nodeList": bad_items})
    names["list"] = listed
    (site.root / "urls.txt").write_text("\n".join(urls), encoding="utf-8")
    site.configure(
        lambda text: (
            text
            + f"""\
shares:
  - urls: ['file:urls.txt']
lists:
  - {{url: '{listed}', shape: nodeList, fields: {{url: url}}}}
subscriptions:
{"".join(subscriptions)}
fetch:
  timeout: {TIMEOUT}s
  max_bytes: 3MB
  allow_private_addresses: [127.0.0.0/8]
  per_host: {{concurrency: 4, delay: 0s}}
"""
        )
    )
    started = time.monotonic()
    result = site.run("poll", timeout=100)
    found = Polled(site, time.monotonic() - started, result.out, result.err, result.code)
    found.names = {name: masked(url) for name, url in names.items()}
    for problem in site.problems():
        found.problems.setdefault(problem["file"], []).append(problem["reason"])
    many = "feeds:\n  combined_entries: 10000\n  entries: 10000\n"
    site.configure(lambda text: text.replace("feeds:\n", many, 1))
    site.build()
    for entry in site.entries():
        found.texts[entry.id.rpartition(":")[2]] = entry.content[0].value.strip()
    found.names |= {"good": " ".join(good)}
    yield found
    server.close()
    upstream.close()


def code_of(url: str) -> str:
    return url.rpartition("=")[2]


def test_the_good_ones_arrive_and_the_poll_ends_in_time(polled: Polled) -> None:
    assert [polled.texts.get(code) for code in polled.names["good"].split()] == [
        f"<p>gut {code}</p>" for code in polled.names["good"].split()
    ]
    assert polled.seconds < 60
    assert polled.code == 1  # of some subscriptions nothing could be read
    assert "Traceback" not in polled.err, polled.err
    shown = polled.site.run("problems").out + polled.site.run("status", "--json").out
    assert "secret" not in polled.out + polled.err + shown


@pytest.mark.parametrize("name", [*HTTP, *URLS])
def test_a_bad_page_is_one_clear_problem(polled: Polled, name: str) -> None:
    (reason,) = polled.problems[polled.names[name]]
    assert (HTTP | URLS)[name][1] in reason
    assert code_of(polled.names[name]) not in polled.texts
    assert "\n" not in reason
    assert "object at" not in reason


@pytest.mark.parametrize("name", FINE)
def test_what_can_be_mended_is_published(polled: Polled, name: str) -> None:
    assert polled.names[name] not in polled.problems
    assert polled.texts[code_of(polled.names[name])] == FINE[name][1]


@pytest.mark.parametrize("name", ["40 loop", "40 ever further"])
def test_redirects_end(polled: Polled, name: str) -> None:
    (reason,) = polled.problems[polled.names[name]]
    assert "loop" in reason or "more than 5 redirects" in reason


@pytest.mark.parametrize("name", FEEDS)
def test_a_bad_feed_is_one_clear_problem(polled: Polled, name: str) -> None:
    (reason,) = polled.problems[polled.names[name]]
    assert FEEDS[name][1] in reason


@pytest.mark.parametrize("name", READ_FEEDS)
def test_of_a_strange_feed_what_can_be_read_is_read(polled: Polled, name: str) -> None:
    _, count, reason = READ_FEEDS[name]
    source = next(
        line.partition("source: ")[2].strip("} \n")
        for line in polled.site.config.read_text("utf-8").splitlines()
        if f"'{polled.names[name]}'" in line
    )
    entries = polled.site.entries(f"sources/{source}.atom")
    assert len(entries) == count
    problems = polled.problems.get(polled.names[name], [])
    assert [reason in problem for problem in problems] == ([True] if reason else [])
    now = datetime.datetime.now(datetime.UTC)
    for entry in entries:
        published = datetime.datetime.fromisoformat(entry.published)
        assert datetime.timedelta() <= now - published < datetime.timedelta(hours=1)


def test_items_of_no_use_are_problems_of_their_own(polled: Polled) -> None:
    reasons = polled.problems[polled.names["list"]]
    assert [reason.partition(":")[0] for reason in reasons] == [
        f"item {number}" for number in range(1, 8)
    ]
    titles = [entry.title for entry in polled.site.entries() if entry.id.endswith("0000009998")]
    assert titles == ["fett & gut"]
