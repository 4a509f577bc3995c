"""The commands as people and scripts meet them."""

import re

import pytest
from conftest import Site

CODE = "NW202201272264567295"
WITH_JSON = [
    "check", "poll", "build-feeds", "status", "problems", "sources", "show", "search", "similar",
]  # fmt: skip
WITH_WORDS = ["show", "search"]
COMMANDS = ["init", *WITH_JSON, "systemd"]


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
    assert sorted(name for name, _ in listed) == sorted([*COMMANDS, "run", "serve", "store"])
    assert [line for _, line in listed if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    "arguments", [("build-feed",), ("build-feeds", "--ful"), ("show",), ("x",)]
)
def test_a_wrong_command_line_ends_with_2(built: Site, arguments: tuple[str, ...]) -> None:
    result = built.run(*arguments)
    assert result.code == 2
    assert "Traceback" not in result.err


@pytest.mark.sqlite
@pytest.mark.parametrize("command", ["status", "problems", "sources", "show", "search"])
def test_before_the_first_build_there_is_nothing_to_show(site: Site, command: str) -> None:
    result = site.run(command, *([CODE] if command in WITH_WORDS else []))
    assert result.code == 1
    assert "run aggregator build-feeds first" in result.err
    assert not site.store.exists()


def test_status_shows_the_size_of_the_file_that_it_names(built: Site) -> None:
    built.configure(lambda text: text + "  formats: [atom, rss, json]\n")
    built.build()
    for feed in built.run("status", "--json").json["feeds"]:
        assert feed["bytes"] == (built.feeds / feed["file"]).stat().st_size


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("command", WITH_JSON)
def test_json_stands_alone_on_the_output(built: Site, command: str) -> None:
    arguments = [command, *([CODE] if command in WITH_WORDS else []), "--json"]
    result = built.run(*arguments)
    assert (result.code, result.err) == (0, "")
    assert isinstance(result.json, dict | list)
    if command not in ("sources", "search", "similar"):
        assert "-v" in built.run(command, "--help").out
        assert built.run(*arguments, "-v").json.__class__ is result.json.__class__


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_every_command_ends_with_2_without_a_configuration(site: Site, command: str) -> None:
    site.config.unlink()
    result = site.run(command, *([CODE] if command in WITH_WORDS else []))
    assert result.code == 2
    assert result.err.startswith("aggregator: config.yaml: no such file")
    assert result.out == ""
