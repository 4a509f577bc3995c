"""Style, types, and what a run loads."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Site, article

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]], ids=" ".join
)
def test_style_and_types(command: list[str]) -> None:
    done = subprocess.run(
        [str(SCRIPTS / command[0]), *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def loaded(site: Site) -> set[str]:
    """The top-level packages that a build imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "aggregator", "build-feeds"],
        cwd=site.root,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}


def test_a_run_with_nothing_to_do_loads_next_to_nothing(site: Site) -> None:
    import os

    os.utime(site.post("1.md", article()), (0, 0))
    site.build()
    heavy = {"sqlalchemy", "pydantic", "feedgen", "lxml", "bs4", "requests", "apscheduler", "nh3"}
    assert not loaded(site) & (heavy | {"rich", "liquid", "dateutil", "concurrent"})
    os.utime(site.posts / "1.md", (1, 1))
    assert not loaded(site) & {"feedgen", "bs4", "requests", "apscheduler"}


def test_no_file_names_a_package_registry_or_leaves_work_open() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split("\0")[:-1] or [
        str(path) for path in ROOT.rglob("*.py") if ".venv" not in path.parts
    ]
    words = ["pypi" + ".org", "python" + "hosted", "npm" + "js", "TO" + "DO", "FIX" + "ME"]
    for name in names:
        if (ROOT / name).is_dir():  # a link to a folder
            continue
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        assert not [word for word in words if word in text], name
