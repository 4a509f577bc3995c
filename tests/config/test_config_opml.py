"""Subscriptions from a list of feeds."""

import pytest
from conftest import Site

from aggregator.config.load import load_settings
from aggregator.model.errors import ConfigError

OPML = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>订阅</title></head><body>
<outline text="新闻"><outline type="rss" text="甲" xmlUrl="https://a.example/feed?x=1&amp;y=2"/>
<outline type="rss" text="乙" xmlUrl="feed://b.example/feed"/></outline>
<outline type="rss" text="甲" xmlUrl="https://a.example/feed?x=1&amp;y=2"/>
<outline text="own" xmlurl="https://own.example/feed"/><outline text="no feed"/>
</body></opml>"""


def write(site: Site, opml: str, items: str) -> None:
    (site.config.parent / "list.opml").write_text(opml, encoding="utf-8")
    site.configure(lambda text: f"{text.partition('subscriptions:')[0]}subscriptions:\n{items}")


def test_a_list_stands_for_its_feeds(site: Site) -> None:
    items = "  - {opml: list.opml, every: 2h}\n  - {url: 'https://own.example/feed', source: own}\n"
    write(site, OPML, items)
    found = load_settings(site.config).subscriptions
    assert [(feed.url, feed.source, feed.every is not None) for feed in found] == [
        ("https://a.example/feed?x=1&y=2", None, True),
        ("http://b.example/feed", None, True),
        ("https://own.example/feed", "own", False),
    ]
    assert site.run("check").code == 0


@pytest.mark.parametrize(
    ("opml", "item", "message"),
    [
        (OPML, "opml: nothing.opml", r"yaml:\d+: subscriptions: .*nothing.opml: cannot be read"),
        (OPML, "opml: 'gopher://a.example/x.opml'", r"full URL that starts"),
        (OPML, "opml: 'https://a.example/x.opml', evry: 2h", r"evry: unknown key.*every"),
        (OPML, "opml: list.opml, url: 'https://a.example/'", "keep one of them"),
        (OPML, "opml: [a]", "must be the path of a file"),
        (OPML, "opml: list.opml, evry: 2h", r"evry: unknown key.*every"),
        ("<opml>", "opml: list.opml", "list.opml: is not XML"),
        ("<opml/>", "opml: list.opml", "names no feed"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><opml>&a;</opml>", "opml: list.opml", "DOCTYPE"),
    ],
)
def test_a_list_that_cannot_be_used_is_an_error_with_its_line(
    site: Site, opml: str, item: str, message: str
) -> None:
    write(site, opml, f"  - {{{item}}}\n")
    line = len(site.config.read_text("utf-8").splitlines())
    with pytest.raises(ConfigError, match=message) as raised:
        load_settings(site.config)
    assert f"config.yaml:{line}: " in str(raised.value)
    assert len(raised.value.problems) == 1


def test_what_cannot_be_subscribed_to_is_left_out_and_check_says_so(site: Site) -> None:
    bad = '<outline xmlUrl="ftp://a.example/x"/><outline xmlUrl="http://u:secret@b.example/"/>'
    write(site, OPML.replace("</body>", f"{bad}</body>"), "  - {opml: list.opml}\n")
    assert len(load_settings(site.config).subscriptions) == 3
    result = site.run("check")
    assert result.code == 0
    assert "list.opml: ftp://a.example/x is left out: its URL cannot be requested" in result.err
    assert "list.opml: http://…@b.example/ is left out" in result.err
    assert "OK" not in result.out
