"""What the store is asked for: sources and problems."""

import re

from conftest import Site


def test_sources(built: Site) -> None:
    (source,) = built.run("sources", "--json").json
    assert source["name"] == "华夏时报"
    assert source["url"] == "https://finews.example.org/feeds/sources/huaxiashibao.atom"
    assert "华夏时报\thuaxiashibao\t1\t" in built.run("sources").out


def test_problems(built: Site) -> None:
    (problem,) = built.run("problems", "--json").json
    assert problem["file"] == "posts/bad.md"
    out = built.run("problems").out
    assert out == f"posts/bad.md:1: {problem['reason']}\n"
    assert re.search(r", since 2[-\d]{9} \d\d:\d\d \(.+\)\n", built.run("problems", "-v").out)
