"""Several machines with one store in PostgreSQL: `aggregator run` in folders of their own."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import article, share_url
from machines import Machine, Start
from postgresql import new_database
from upstream import Upstream
from waiting import wait_for

CODES = [f"NW2022012722622841{number:02d}" for number in range(12)]


@pytest.fixture
def database() -> str:
    return new_database()


@pytest.fixture
def machine(tmp_path: Path, database: str) -> Iterator[Start]:
    """Makes a machine in a folder of its own; all that run are ended after the test."""
    made: list[Machine] = []

    def make(more: str = "", **options: str) -> Machine:
        made.append(Machine(tmp_path / f"machine{len(made)}", database, more, **options))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def upstreams() -> Iterator[list[Upstream]]:
    """Hosts of an upstream, each with an address of its own."""
    found = [Upstream(f"127.0.0.{number}") for number in range(2, 6)]
    yield found
    for one in found:
        one.close()


def titles(machine: Machine) -> set[str]:
    if not (machine.site.feeds / "all.atom").exists():
        return set()
    return {entry.title for entry in machine.site.entries()}


def full_texts(machine: Machine) -> list[str]:
    texts = [entry.content[0].value for entry in machine.site.entries()]
    return [text for text in texts if "上游的正文" in text]


def test_machines_share_the_work_by_their_roles(machine: Start, upstreams: list[Upstream]) -> None:
    """One has the posts, two fetch what they name, one builds: every article once."""
    more = "shares:\n  - robots: false\nlists:\n"
    wanted = {"帖子"}
    for number, upstream in enumerate(upstreams):
        items = []
        for code in CODES[number :: len(upstreams)]:
            upstream.texts[code] = f"<p>上游的正文 {code}。</p>"
            items.append(
                {"title": f"名单 {code}", "infocode": code, "showtime": "2022-01-27 22:14:24"}
            )
            wanted.add(f"名单 {code}")
        url = upstream.document("/list", {"nodeList": items})
        share = f"{upstream.url}/html_News/NewsShare.html?infoCode={{code}}"
        more += f"  - {{url: '{url}', shape: nodeList, robots: false, share: '{share}'}}\n"
    posts, one, two, builder = (machine(more) for _ in range(4))
    posts.site.post("2022-01-26-a.md", article("帖子", share=share_url("NW202201260000000001")))
    for each, roles in ((posts, "posts"), (one, "upstream"), (two, "upstream"), (builder, "build")):
        each.start(roles)
    for each in (posts, one, two, builder):
        each.ready()
    wait_for(lambda: titles(builder) >= wanted, 60)
    assert titles(builder) == wanted
    wait_for(lambda: len(full_texts(builder)) == len(CODES), 60)
    assert not (one.site.feeds / "all.atom").exists()
    status = builder.site.run("status", "--json").json
    assert sorted(found["roles"] for found in status["machines"]) == [
        ["build"], ["posts"], ["upstream"], ["upstream"]
    ]  # fmt: skip
    assert all(found["is_alive"] for found in status["machines"])
    shown = builder.site.run("status").out
    assert "last seen" in shown
    for each in (posts, one, two, builder):
        assert each.stop() == 0
    assert builder.site.run("status", "--json").json["machines"] == []


def test_a_machine_that_disagrees_does_not_start(machine: Start) -> None:
    first = machine().start("posts,build").ready()
    second = machine("lists:\n  - {url: 'https://a.example.org/', shape: record}\n")
    second.start("upstream")
    assert second.end() == 2
    assert "lists: not as the other machines have it" in second.log
    assert "process " in second.log
    assert first.stop() == 0
    # Nobody disagrees now.
    second.start("upstream").ready()
    assert second.stop() == 0


def test_two_machines_publish_in_no_two_folders(machine: Start) -> None:
    first = machine().start("build").ready()
    second = machine().start("build")
    assert second.end() == 2
    assert "feeds: directory" in second.log
    assert str(first.site.feeds) in second.log


def test_a_configuration_that_others_do_not_have_is_not_reloaded(machine: Start) -> None:
    first = machine().start("posts,build").ready()
    second = machine().start("upstream").ready()
    second.site.configure(lambda text: text.replace("财经新闻", "别的"))
    second.signal(signal.SIGHUP)
    wait_for(lambda: "not reloaded" in second.log)
    assert "site: not as the other machines have it" in second.log
    assert first.stop() == second.stop() == 0


def test_a_poll_by_hand_waits_for_machines_that_poll(machine: Start) -> None:
    first = machine().start("upstream").ready()
    wait_for(lambda: json.loads(first.site.run("status", "--json").out)["machines"])
    result = machine().site.run("poll", "--wait", "0", "--only", "lists")
    assert result.code == 75
    assert "aggregator run" in result.err


def test_roles_need_several_machines(machine: Start) -> None:
    site = machine().site
    site.configure(lambda text: text.replace("store: ", "store: var/a.db # "))
    result = site.run("run", "--roles", "upstream")
    assert result.code == 2
    assert "PostgreSQL" in result.err
    assert site.run("run", "--roles", "cook").code == 2
