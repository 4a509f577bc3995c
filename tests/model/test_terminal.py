"""Nothing that a stranger wrote acts on the terminal, or forges a line of a log."""

import ast
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import COMMAND, Site, article
from terminals import on_a_terminal
from upstream import Upstream

PACKAGE = Path(__file__).parents[2] / "aggregator"
# What C0, DEL, C1 and changes of direction are to a terminal: ESC and CSI act at once.
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202eabc\u2066\u200f"
UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
FETCH = """\
fetch:
  timeout: 5s
  allow_private_addresses: [127.0.0.2/32]
  per_host: {concurrency: 8, delay: 0s}
schedule: {posts: 1s, shares: 1s, lists: 1s, subscriptions: 1s}
"""


def unsafe(data: bytes, *, tabs: bool = False) -> list[str]:
    """The characters of an output that act on a terminal; line ends are ours."""
    text = data.decode("utf-8", "surrogateescape")
    return UNSAFE.findall(text.replace("\t", "") if tabs else text)


def with_evil_reason(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 500 \x1b[2J\xc2\x9b31m\xe2\x80\xae\r\nContent-Length: 0\r\n\r\n")
    handler.close_connection = True


def with_evil_redirect(handler: Any) -> None:
    target = "http://127.0.0.3/\x1b[2J\x9b\u202e".encode()
    handler.wfile.write(
        b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\nContent-Length: 0\r\n\r\n"
    )
    handler.close_connection = True


@pytest.fixture
def hostile(site: Site, upstream: Upstream) -> Site:
    """Hostile names, titles, sources, keys, addresses and answers, good and bad ones."""
    escaped = json.dumps(EVIL)
    post = article("x", source="x", name="x")
    post = post.replace('title: "x"', f"title: {escaped}")
    post = post.replace("categories: x", f"categories: [{escaped}]")
    site.post("good.md", post.replace("tags: x新闻", f'tags: [{escaped[:-1]}新闻"]'))
    for number, name in enumerate((EVIL, "a\nforged: line", "b\r\x1b[A", "\ud800", "\udc80c")):
        data = b"nothing" if number else post.replace("---\n", "---\nx: [\n", 1).encode()
        path = os.fsencode(site.posts) + b"/" + name.encode("utf-8", "surrogatepass") + b".md"
        with open(path, "wb") as file:
            file.write(data)
    site.post("liquid.md", article("liquid", "{% \x1b[2J\u202e %}{{ x | \x9b\u2066 }}"))
    site.post("key.md", f"---\n{escaped}: 1\n{escaped}: 2\ntitle: key\n---\ntext")
    site.post("tag.md", "---\ntitle: !\u202e\u2066 x\n---\ntext")
    upstream.answers["/reason"] = with_evil_reason
    upstream.answers["/redirect"] = with_evil_redirect
    items = [
        {"id": f"{EVIL}1", "title": EVIL, "content_html": f"<p>{EVIL}</p>"},
        {"id": f"{EVIL}2", "title": EVIL, "content_html": "<div>" * 300},
        {},
        EVIL,
    ]
    version = "https://jsonfeed.org/version/1.1"
    feed = upstream.document("/feed", {"version": version, "title": EVIL, "items": items})
    listed = upstream.document(
        "/list", {"nodeList": [{"infocode": EVIL, "title": EVIL}, {"title": [EVIL]}]}
    )
    other = upstream.document("/other", {"nodeList": EVIL})
    broken = upstream.document("/broken", "\x1b[2J\u202e{")
    urls = [
        feed,
        broken,
        *(f"{upstream.url}/{path}" for path in ("reason", "redirect", "\u202e", "%1b[2J")),
    ]
    site.configure(
        lambda text: (
            text
            + FETCH
            + "subscriptions:\n"
            + "".join(f"  - url: {json.dumps(url)}\n" for url in urls)
            + "lists:\n"
            + "".join(f"  - {{url: '{url}', shape: nodeList}}\n" for url in (listed, other))
        )
    )
    return site


def test_no_command_sends_a_terminal_what_a_stranger_wrote(hostile: Site) -> None:
    built, polled = hostile.run("build-feeds", "-v"), hostile.run("poll", "-v")
    code = hostile.run("problems", "--json").json[0]["file"]
    assert code
    outputs = {"build": built, "poll": polled, "again": hostile.run("build-feeds", "-v")}
    entries = {entry.id.rpartition(",")[2].partition(":")[2] for entry in hostile.entries()}
    for command in ("problems", "status", "check"):
        outputs[command] = hostile.run(command, "-v")
    outputs["sources"] = hostile.run("sources")
    for entry in entries:
        outputs[entry] = hostile.run("show", entry, "-v")
    outputs["dry"] = hostile.run("poll", "--all", "--dry-run", "-v")
    outputs["feeds"] = hostile.run("check", "--feeds")
    for name, output in outputs.items():
        assert unsafe(output.stdout, tabs=True) == [], (name, output.stdout)
        assert unsafe(output.stderr) == [], (name, output.stderr)
        assert b"Traceback" not in output.stderr, (name, output.stderr)
    problems = outputs["problems"].stdout.decode()
    assert r"\x1b]0;owned\x07\x1b[2J" in problems
    assert "\nforged" not in problems
    assert len(problems.splitlines()) == len(hostile.problems())
    # What servers say is among what was looked at.
    assert "/reason: " in problems
    assert "/redirect: " in problems
    assert "/list: item 1: " in problems
    assert outputs["sources"].stdout.count(b"\n") == len(hostile.run("sources", "--json").json) + 1


def test_json_is_the_text_itself_and_safe_to_look_at(hostile: Site) -> None:
    hostile.run("build-feeds")
    hostile.run("poll")
    for command in ("problems", "status", "sources"):
        output = hostile.run(command, "--json").stdout
        assert unsafe(output) == [], command
        assert json.loads(output)
    files = {problem["file"] for problem in hostile.problems()}
    assert r"posts/a\x0aforged: line.md" in files


def test_a_terminal_gets_escapes_in_tables_and_progress(hostile: Site) -> None:
    hostile.run("build-feeds")
    for command in ("status", "sources"):
        shown = on_a_terminal(
            hostile, command, TERM="dumb", NO_COLOR="1", COLUMNS="400", LINES="24"
        )
        assert unsafe(shown.replace(b"\r\n", b"\n")) == [], shown
        assert rb"\u202e" in shown


@pytest.mark.parametrize("style", ["text", "json"])
def test_the_log_of_the_daemon(hostile: Site, style: str) -> None:
    hostile.configure(lambda text: text + "sources: {}\n")
    process = subprocess.Popen(
        [str(COMMAND), "run", "-v", "--log-format", style],
        cwd=hostile.root,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    lines: list[bytes] = []
    while not any(b"/other" in line for line in lines):
        line = process.stderr.readline()
        assert line, lines
        lines.append(line)
    shown = hostile.run("status")
    process.send_signal(signal.SIGTERM)
    lines += process.stderr.readlines()
    process.stderr.close()
    assert process.wait(20) == 0
    log = b"".join(lines)
    assert unsafe(log) == [], log
    assert unsafe(shown.stdout, tabs=True) == []
    assert all(line.startswith((b"2", b"{")) for line in lines)


def test_an_error_in_the_configuration_or_the_command_line(site: Site) -> None:
    site.configure(lambda text: text + f"{json.dumps(EVIL)}: 1\n")
    for arguments in (["check"], ["check", "--config", EVIL], [f"--{EVIL}"], [EVIL]):
        output = site.run(*arguments)
        assert output.code == 2
        assert unsafe(output.stdout + output.stderr) == [], output


def test_nothing_is_written_but_through_the_one_place() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name == "terminal.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in ("click.echo", "click.secho", "print"), path
                assert not name.startswith(("sys.stdout.write", "sys.stderr.write")), path
