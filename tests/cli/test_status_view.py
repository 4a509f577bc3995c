"""Lines for people."""

import re

from conftest import Site


def test_status(built: Site) -> None:
    found = built.run("status", "--json").json
    assert (found["articles"], found["copies"], found["problems"]) == (1, 2, 1)
    assert [feed["file"] for feed in found["feeds"]] == ["all.atom", "sources/huaxiashibao.atom"]
    out = built.run("status").out
    assert out.startswith("1 article, 1 problem\n")
    assert re.search(r"^all\.atom\t财经新闻\t1\t2022-01-27 \(\d+ years ago\)\t", out, re.MULTILINE)
    assert "1 article, 2 copies, 0 superseded texts, 1 problem" in built.run("status", "-v").out


def test_status_says_once_what_fails(site: Site) -> None:
    url = "http://127.0.0.1:9/feed"
    site.configure(lambda text: text + f"subscriptions: [{{url: '{url}'}}]\n")
    site.run("poll")
    out = site.run("status").out
    assert out.count(url) == 1
    assert "\n  failing        1 failure in a row: " in out
    assert "\n  last response  never\n" in out
    assert "URL" not in out
    assert all(len(line) < 100 for line in out.splitlines() if line.startswith("  "))
