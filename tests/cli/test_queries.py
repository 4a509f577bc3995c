"""What the store is asked for: sources and problems."""

import contextlib
import re
import sqlite3

import pytest
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


@pytest.mark.parametrize("time", ["'x'", "999999999999999", "x'00'"])
def test_a_damaged_time_that_is_only_shown_is_shown_as_unknown(built: Site, time: str) -> None:
    columns = {
        "origin": "polled_at", "url": "answered_at", "problem": "seen_at",
    }  # fmt: skip
    with contextlib.closing(sqlite3.connect(built.root / "var" / "aggregator.db")) as connection:
        connection.execute(
            "insert into url (origin, url, next_at, content_hash, failures, moves, is_gone,"
            " fetch_once) values ('shares', 'http://a.example/', 1, x'00', 0, 0, 0, 0)"
        )
        for table, column in columns.items():
            connection.execute(f"update {table} set {column} = {time}")
        connection.execute(f"update url set next_at = {time}")
        connection.commit()
    assert built.run("status").code == 0
    shown = built.run("status", "--json").json["origins"]
    assert {origin["polled_at"] for origin in shown} == {None}
    (problem,) = built.run("problems", "--json").json
    assert problem["since"] is None
    assert built.run("problems", "-v").code == 0
    assert built.run("poll").code == 0
    assert built.run("status", "--json").json["origins"][0]["polled_at"] is not None
