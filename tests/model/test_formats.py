"""One registry of formats: what is in it is known everywhere."""

import re
import subprocess
import sys

import requests
from conftest import Site, article

# All that a new format is: a module with `render` and `check`, and a line in the registry.
TOY = """
import sys
from aggregator.model.formats import FORMATS, Format

FORMATS["toy"] = Format("Toy", ".toy", "text/x-toy", "toy", "toy:check")


def render(document):
    return "".join(f"{entry.id} {entry.title}\\n" for entry in document.entries).encode()


def check(data, report):
    for line in data.decode().splitlines():
        identifier, _, title = line.partition(" ")
        report.entries.append((title, identifier))
    if b"wrong" in data:
        report.add(1, "is wrong")


if __name__ == "__main__":
    sys.modules["toy"] = sys.modules["__main__"]
    from aggregator.cli import main

    main()
"""


def with_toy(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "toy.py", *arguments],
        cwd=site.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_new_format_is_known_everywhere(site: Site) -> None:
    (site.root / "toy.py").write_text(TOY)
    site.post("1.md", article("eins"))
    site.configure(lambda text: text.replace("feeds:\n", "feeds:\n  formats: [atom, toy]\n"))
    assert "must be 'atom', 'rss', 'json' or 'html'" in site.run("check").err
    done = with_toy(site, "build-feeds")
    assert done.returncode == 0, done.stderr
    assert (site.feeds / "all.toy").read_text("utf-8").endswith(" eins\n")
    page = (site.feeds / "index.html").read_text("utf-8")
    assert ">Toy<" in page
    assert "text/x-toy" in page
    checked = with_toy(site, "check", "--feeds")
    assert checked.returncode == 0, checked.stdout
    (site.feeds / "all.toy").write_text("wrong")
    checked = with_toy(site, "check", "--feeds")
    assert checked.returncode == 1
    assert "feeds/all.toy:1: is wrong" in checked.stdout


def test_a_new_format_is_served(site: Site) -> None:
    (site.root / "toy.py").write_text(TOY)
    site.post("1.md", article("eins"))
    site.configure(lambda text: text.replace("feeds:\n", "feeds:\n  formats: [toy]\n"))
    with_toy(site, "build-feeds")
    with subprocess.Popen(
        [sys.executable, "toy.py", "serve", "--listen", "127.0.0.1:0"],
        cwd=site.root,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            url = re.search(r"http://[\d.:]+", process.stderr.readline())
            assert url is not None
            response = requests.get(f"{url[0]}/all.toy", timeout=10)
        finally:
            process.kill()
    assert response.headers["Content-Type"] == "text/x-toy; charset=utf-8"
    assert response.text.endswith(" eins\n")
