"""The image and the compose file of docs/many-machines.md, as far as they can be tried here."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner
from conftest import Site

from aggregator.cli.run_commands import run
from aggregator.config.load import load_settings
from aggregator.daemon.daemon import ROLES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "many-machines.md").read_text("utf-8")


def compose() -> dict[str, Any]:
    (found,) = [
        block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if "services:" in block
    ]
    parsed: dict[str, Any] = yaml.safe_load(found)
    return parsed


def instructions() -> list[tuple[str, str]]:
    """The lines of the Containerfile: instruction and arguments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)
    joined = text.replace("\\\n", " ")
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())
    ]


def test_each_service_runs_a_command_that_there_is() -> None:
    services = compose()["services"]
    ours = {name: found for name, found in services.items() if "build" in found}
    assert set(ours) == {"worker", "posts"}
    roles: set[str] = set()
    for found in ours.values():
        assert (ROOT / found["build"]["dockerfile"]).is_file()
        command, *arguments = shlex.split(found["command"])
        assert command == "run"
        assert CliRunner().invoke(run, [*arguments, "--help"]).exit_code == 0
        roles |= set(arguments[arguments.index("--roles") + 1].split(","))
        # What it waits for a machine that stops must be more than that takes.
        assert int(found["stop_grace_period"].removesuffix("s")) > 10
    assert roles == ROLES
    volumes = {entry.split(":")[0] for found in services.values() for entry in found["volumes"]}
    assert {name for name in volumes if not name.startswith(".")} == set(compose()["volumes"])


def test_its_environment_is_read(site: Site, monkeypatch: Any) -> None:
    environment = compose()["services"]["worker"]["environment"]
    for name, value in environment.items():
        monkeypatch.setenv(name, value.replace("${DATABASE_PASSWORD}", "x"))
    settings = load_settings(site.config)
    assert settings.store_address == "postgresql://aggregator:x@database/aggregator"
    assert settings.feeds_address == "s3://feeds"


def test_the_image_is_made_of_what_there_is() -> None:
    found = instructions()
    words = [word for word, _ in found]
    assert words[0] == "FROM"
    known = {
        "FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "EXPOSE", "STOPSIGNAL",
        "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    assert set(words) <= known
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (installs,) = [rest for word, rest in found if word == "RUN"]
    extras = re.findall(r"bootstrap\.sh ([a-z ]+?) +&&", installs)[0].split()
    assert set(extras) <= set(project["optional-dependencies"])
    (version,) = re.findall(r"python:(\d\.\d+)", found[0][1])
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]
    (entry,) = [json.loads(rest) for word, rest in found if word == "ENTRYPOINT"]
    assert set(entry) <= set(project["scripts"])
    (command,) = [json.loads(rest) for word, rest in found if word == "CMD"]
    assert CliRunner().invoke(run, [*command[1:], "--help"]).exit_code == 0


def test_what_is_left_out_of_the_image_is_nothing_that_it_needs() -> None:
    left_out = (ROOT / ".containerignore").read_text("utf-8").split()
    needed = {"aggregator", "bootstrap.sh", "pyproject.toml", "constraints.txt", "README.md"}
    assert not needed & set(left_out)
