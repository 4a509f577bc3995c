"""One registry of kinds of origins: a new one is known everywhere."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Site
from upstream import Upstream

import aggregator

# All that a new kind of origin is: a module, its section, and a line in the registry.
MODULE = '''
"""Lines of text, each the title of an article."""

from aggregator.origins.copies import make_copy
from aggregator.origins.endpoint import EndpointOrigin
from aggregator.origins.interface import Reading


def from_settings(settings, codes, readers):
    return [Toy(toy, settings, codes, readers) for toy in settings.toys]


class Toy(EndpointOrigin):
    accept = "text/plain"

    def read(self, url, response, sources, now):
        copies, problems = self.collect(
            ((line, line) for line in response.body.decode().splitlines()),
            lambda title: (self._copy(url, title, now), ""),
        )
        return Reading(tuple(copies), tuple(problems))

    def _copy(self, url, title, now):
        name = f"{url}#{title}"
        return make_copy(self.name, name, name, f"<p>{title}</p>", self.zone, now, title=title)
'''
SECTION = '''

class Toy(Endpoint):
    """Lines of text."""

    kind = "toys"
'''
LINES = {
    "config/schema.py": (
        ("    subscriptions: tuple[Subscription, ...] = ()\n", "    toys: tuple[Toy, ...] = ()\n"),
        ("    subscriptions: Interval = datetime.timedelta(minutes=30)\n",
         "    toys: Interval = datetime.timedelta(minutes=1)\n"),
        ("from aggregator.config.origins import (\n", "    Toy,\n"),
    ),
    "model/kinds.py": (
        ('        "subscriptions": "aggregator.origins.subscriptions",\n',
         '        "toys": "aggregator.origins.toys",\n'),
    ),
}  # fmt: skip


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy of the program with the new kind in it."""
    package = tmp_path / "program" / "aggregator"
    shutil.copytree(Path(aggregator.__file__).parent, package)
    (package / "origins" / "toys.py").write_text(MODULE)
    with (package / "config" / "origins.py").open("a") as file:
        file.write(SECTION)
    for name, additions in LINES.items():
        text = (package / name).read_text("utf-8")
        for anchor, line in additions:
            assert text.count(anchor) == 1, anchor
            text = text.replace(anchor, anchor + line)
        (package / name).write_text(text, "utf-8")
    return package.parent


def test_a_new_kind_of_origin_is_known_everywhere(site: Site, program: Path) -> None:
    with contextlib.closing(Upstream()) as upstream:
        _is_known(site, program, upstream.document("/toys", "eins\nzwei\n", "text/plain"))


def _is_known(site: Site, program: Path, url: str) -> None:
    def run(*arguments: str, expect: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "aggregator", *arguments],
            cwd=site.root,
            env={**os.environ, "PYTHONPATH": str(program)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == expect, done.stderr
        return done.stdout + done.stderr

    more = f"toys:\n  - {{url: '{url}'}}\nfetch: {{allow_private_addresses: true}}\n"
    site.configure(lambda text: text + more)
    assert "toys: unknown key" in site.run("check").err
    assert "toys[0].urk" in run("check", "--config", str(_misspelt(site)), expect=2)
    run("check")
    assert f"toys:{url}: 1 request, 1 read, 2 new" in run("poll", "--only", "toys")
    run("build-feeds")
    assert "toys:" in run("status")
    assert sorted(entry.title for entry in site.entries()) == ["eins", "zwei"]
    assert ">eins<" in (site.feeds / "index.html").read_text("utf-8")
    run("check", "--feeds")


def _misspelt(site: Site) -> Path:
    path = site.root / "misspelt.yaml"
    path.write_text(site.config.read_text("utf-8").replace("- {url", "- {urk"), "utf-8")
    return path
