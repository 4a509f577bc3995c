"""The commands as people and scripts meet them."""

import datetime
import os
import pty
import re
import subprocess
from zoneinfo import ZoneInfo

import pytest
from conftest import COMMAND, Site, article, share_url
from corpus import write_corpus

from aggregator.cli.console import Clock

CODE = "NW202201272264567295"
WITH_JSON = ["check", "poll", "build-feeds", "status", "problems", "sources", "show"]
COMMANDS = ["init", *WITH_JSON, "systemd"]


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "installed", True)


@pytest.fixture
def built(site: Site) -> Site:
    for stem, host in ((CODE, "a.example.org"), (CODE[2:], "b.example.org")):
        site.post(f"2022-01-27-{stem}.md", article("标题", share=share_url(CODE, host)))
    site.post("bad.md", "nichts")
    site.build()
    return site


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(site: Site, command: str) -> None:
    result = site.run(command, "--help")
    assert result.code == 0
    assert f"  Example:\n    aggregator {command}" in result.out


@pytest.mark.usefixtures("_installed")
def test_every_command_is_listed_in_one_whole_sentence(site: Site) -> None:
    out = site.run("--help").out
    listed = re.findall(r"^  ([a-z-]+)  +(.*)$", out[out.index("Commands:") :], re.MULTILINE)
    assert sorted(name for name, _ in listed) == sorted([*COMMANDS, "run", "serve"])
    assert [line for _, line in listed if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    "arguments", [("build-feed",), ("build-feeds", "--ful"), ("show",), ("x",)]
)
def test_a_wrong_command_line_ends_with_2(built: Site, arguments: tuple[str, ...]) -> None:
    result = built.run(*arguments)
    assert result.code == 2
    assert "Traceback" not in result.err


@pytest.mark.parametrize("command", ["status", "problems", "sources", "show"])
def test_before_the_first_build_there_is_nothing_to_show(site: Site, command: str) -> None:
    result = site.run(command, *([CODE] if command == "show" else []))
    assert result.code == 1
    assert "run aggregator build-feeds first" in result.err
    assert not site.store.exists()


def test_status(built: Site) -> None:
    found = built.run("status", "--json").json
    assert (found["articles"], found["copies"], found["problems"]) == (1, 2, 1)
    assert [feed["file"] for feed in found["feeds"]] == ["all.atom", "sources/huaxiashibao.atom"]
    out = built.run("status").out
    assert out.startswith("1 article, 1 problem\n")
    assert re.search(r"^all\.atom\t财经新闻\t1\t2022-01-27 \(\d+ years ago\)\t", out, re.MULTILINE)
    assert "1 article, 2 copies, 0 superseded texts, 1 problem" in built.run("status", "-v").out


def test_status_shows_the_size_of_the_file_that_it_names(built: Site) -> None:
    built.configure(lambda text: text + "  formats: [atom, rss, json]\n")
    built.build()
    for feed in built.run("status", "--json").json["feeds"]:
        assert feed["bytes"] == (built.feeds / feed["file"]).stat().st_size


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
    assert re.search(r"  \(since 2[-\d]{9} \d\d:\d\d \(.+\)\)\n", built.run("problems", "-v").out)


@pytest.mark.parametrize("name", [CODE, CODE[2:], CODE.lower()])
def test_show_by_any_form_of_the_code(built: Site, name: str) -> None:
    found = built.run("show", name, "--json").json
    assert found["code"] == CODE
    assert [copy["location"] for copy in found["copies"]] == [
        f"2022-01-27-{CODE[2:]}.md",
        f"2022-01-27-{CODE}.md",
    ]
    assert found["feeds"] == ["sources/huaxiashibao.atom", "all.atom"]
    assert len(found["revisions"]) == 1
    assert found["published"] == "2022-01-27T14:14:24Z"
    assert "\n  published  2022-01-27 22:14 (" in built.run("show", name).out


def test_times_are_in_the_zone_and_relative() -> None:
    now = datetime.datetime(2026, 11, 28, 18, tzinfo=datetime.UTC)
    clock = Clock(ZoneInfo("Asia/Shanghai"), now)
    for moment, shown, brief in (
        ("2026-11-28T18:00:00Z", "2026-11-29 02:00 (now)", "11-29 02:00 (now)"),
        ("2026-11-28T17:59:59Z", "2026-11-29 01:59 (1 second ago)", "11-29 01:59 (1 second ago)"),
        ("2026-11-28T20:05:00Z", "2026-11-29 04:05 (in 2 hours)", "11-29 04:05 (in 2 hours)"),
        ("2025-12-31T17:00:00Z", "2026-01-01 01:00 (11 months ago)", "01-01 01:00 (11 months ago)"),
        ("2025-10-01T00:00:00Z", "2025-10-01 08:00 (1 year ago)", "2025-10-01 (1 year ago)"),
    ):
        assert (clock.show(moment), clock.show(moment, brief=True)) == (shown, brief)
    assert clock.show(None) == "never"


def test_show_of_what_is_not_there(built: Site) -> None:
    result = built.run("show", "NW000000000000000000")
    assert result.code == 1
    assert "no article NW000000000000000000" in result.err


def test_quiet_says_nothing_and_verbose_says_which(built: Site) -> None:
    for text in ("zwei", "drei"):
        result = built.build("-q")
        assert (result.out, result.err) == ("", "")
        built.post("2.md", article(text))
    out = built.build("-v").out
    assert "  all.atom\n" in out
    assert "1 problem: see aggregator problems" in out


def test_json_of_a_build_and_of_one_with_nothing_to_do_have_the_same_keys(built: Site) -> None:
    built.post("2.md", article("zwei"))
    for path in built.posts.iterdir():
        os.utime(path, (0, 0))
    first = built.build("--json").json
    second = built.build("--json").json
    assert first["new"] == 1
    assert first["written"] == ["sources/huaxiashibao.atom", "all.atom", "index.html"]
    assert second["new"] == 0
    assert second["written"] == []
    assert set(second) == set(first)


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("command", WITH_JSON)
def test_json_stands_alone_on_the_output(built: Site, command: str) -> None:
    arguments = [command, *([CODE] if command == "show" else []), "--json"]
    result = built.run(*arguments)
    assert (result.code, result.err) == (0, "")
    assert isinstance(result.json, dict | list)
    if command != "sources":
        assert "-v" in built.run(command, "--help").out
        assert built.run(*arguments, "-v").json.__class__ is result.json.__class__


def test_json_of_a_build_that_fails_has_the_failure(built: Site) -> None:
    before = built.feed_bytes()
    built.posts.rename(built.root / "away")
    result = built.build("--json", expect=1)
    assert result.json["failures"] == [f"{built.posts}: no such folder; is it mounted?"]
    assert result.json["articles"] == 1
    assert built.feed_bytes() == before


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_every_command_ends_with_2_without_a_configuration(site: Site, command: str) -> None:
    site.config.unlink()
    result = site.run(command, *([CODE] if command == "show" else []))
    assert result.code == 2
    assert result.err.startswith("aggregator: config.yaml: no such file")
    assert result.out == ""


def test_show_tells_what_a_revision_changed(site: Site) -> None:
    code = "NW202201280000000001"
    paragraphs = [f"<p>第{number}段{'长' * 300}。</p>" for number in range(5)]
    path = site.post(f"2022-01-28-{code}.md", article("甲", "\n".join(paragraphs)))
    site.build()
    path.write_text(path.read_text("utf-8").replace("第3段", "第三段"), "utf-8")
    site.build()
    path.write_text(path.read_text("utf-8").replace('"甲"', '"乙"'), "utf-8")
    site.build()
    first, second, third = site.run("show", code, "--json").json["revisions"]
    assert first["changes"] == []
    assert [line[:4] for line in second["changes"]] == ["-第3段", "+第三段"]
    assert third["changes"] == ["-甲", "+乙"]
    short, whole = site.run("show", code).out, site.run("show", code, "-v").out
    assert "revisions (3)" in short
    assert max(map(len, short.splitlines())) < 300 < max(map(len, whole.splitlines()))


@pytest.mark.parametrize("command", COMMANDS[1:])
@pytest.mark.parametrize("end", ["> /dev/full", ">&-"], ids=["full", "closed"])
def test_output_that_cannot_be_written(built: Site, command: str, end: str) -> None:
    done = subprocess.run(
        f"{COMMAND} {command} {CODE if command == 'show' else ''} {end}",
        shell=True,
        cwd=built.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "Exception" not in done.stderr, done.stderr
    if end == "> /dev/full":
        assert done.returncode == 1
        assert "No space left" in done.stderr


def test_a_reader_that_leaves_early(built: Site) -> None:
    for _ in range(3):
        done = subprocess.run(
            f"{COMMAND} show {CODE} --json | head -c 1",
            shell=True,
            cwd=built.root,
            capture_output=True,
            check=True,
        )
        assert b"Traceback" not in done.stderr
        assert b"Exception" not in done.stderr


def on_a_terminal(site: Site, *arguments: str) -> str:
    """What a command shows on a terminal, with all control codes."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [str(COMMAND), *arguments],
        cwd=site.root,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(30) == 0, shown
    return shown.decode()


def test_a_progress_bar_on_a_terminal_and_plain_lines_elsewhere(site: Site) -> None:
    write_corpus(site.posts, 300)
    shown = on_a_terminal(site, "build-feeds")
    assert "posts" in shown
    assert "100%" in shown
    assert "\x1b[" in shown
    result = site.build("--full")
    assert "\x1b" not in result.out + result.err
    assert result.err == ""


def test_tables_on_a_terminal(built: Site) -> None:
    shown = on_a_terminal(built, "sources")
    assert "华夏时报" in shown
    assert "\t" not in shown
