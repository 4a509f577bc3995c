"""The documentation and the program say the same."""

import ast
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from conftest import COMMAND
from pydantic import BaseModel

from aggregator import __version__
from aggregator.articles.identity import source_slug
from aggregator.config.load import _fields_at, load_settings, overridable
from aggregator.config.schema import Settings
from aggregator.model.errors import ConfigError

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text("utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.md"))]


def shown_help(*arguments: str) -> str:
    done = subprocess.run(
        [COMMAND, *arguments, "--help"], capture_output=True, text=True, check=True
    )
    return done.stdout


def commands() -> list[str]:
    listing = shown_help().partition("Commands:")[2]
    return re.findall(r"^  ([a-z-]+)  ", listing, re.MULTILINE)


@pytest.mark.parametrize("readme", [README, CHINESE], ids=["en", "zh"])
def test_the_readme_lists_every_command_and_no_other(readme: str) -> None:
    assert set(re.findall(r"`aggregator ([a-z][a-z-]+)", readme)) == set(commands())


def without_comments(text: str) -> list[str]:
    """The code of a document: what is indented, and what is fenced."""
    blocks = re.findall(r"^```yaml\n(.*?)^```|^    (\S[^\n]*)$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+# [^\n]*", "", fenced or indented) for fenced, indented in blocks]


def test_both_readmes_have_the_same_code_pictures_and_links() -> None:
    assert without_comments(README) == without_comments(CHINESE)
    target = r"\]\((?!README)([^)]+)\)"
    assert sorted(set(re.findall(target, README))) == sorted(set(re.findall(target, CHINESE)))
    assert "(README.zh.md)" in README
    assert "(README.md)" in CHINESE


def test_the_repository_has_one_address() -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
    home = urls["Homepage"]
    assert all(url.startswith(home) for url in urls.values())
    assert f"    git clone {home}\n" in README
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    raw = home.replace("github.com", "raw.githubusercontent.com") + "/main/"
    assert [picture for picture in pictures if not picture.startswith(raw)] == []
    assert all((ROOT / picture.removeprefix(raw)).is_file() for picture in pictures)


def recipes() -> dict[str, list[str]]:
    """The lines of each recipe of CONTRIBUTING.md."""
    part = CONTRIBUTING.partition("## Recipes\n")[2].partition("\n## ")[0]
    return {
        title: [line for line in text.splitlines() if line]
        for title, text in re.findall(r"^### (.*)\n((?:(?!### ).*\n)*)", part, re.MULTILINE)
    }


def where(path: str) -> Path:
    """A file or folder as CONTRIBUTING.md names it."""
    package = ROOT / "aggregator" / path
    return package if package.exists() else ROOT / path


def names_of(line: str) -> tuple[list[str], list[str]]:
    """The paths and the identifiers that a line has in code quotes."""
    quoted = re.findall(r"`([^`]+)`", line)
    paths = [word for word in quoted if re.fullmatch(r"[\w./]*(/|\.py|\.md)", word)]
    return paths, re.findall(r"`([A-Za-z_]\w+)(?:\([a-z, ]*\))?`", line)


def test_recipes_are_short() -> None:
    assert list(recipes()) == ["A format", "An origin", "A column", "A command", "A metric"]
    for title, lines in recipes().items():
        assert len(lines) <= 6, title
        assert [line[:3] for line in lines] == [f"{n}. " for n in range(1, len(lines) + 1)], title


def test_what_contributors_are_sent_to_exists() -> None:
    """Every file, and every name in one of the files that its line names."""
    table = re.findall(r"^\| .*$", CONTRIBUTING, re.MULTILINE)
    lines = [line for recipe in recipes().values() for line in recipe] + table
    assert len(lines) > 25
    for line in lines:
        paths, names = names_of(line)
        files = [where(path) for path in paths if "NAME" not in path]
        assert [str(path) for path in files if not path.exists()] == [], line
        texts = [
            file.read_text("utf-8")
            for path in files
            for file in ([path] if path.is_file() else path.rglob("*.py"))
        ]
        for name in names:
            assert any(re.search(rf"\b{name}\b", text) for text in texts), f"{name}: {line}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_that_is_named_exists(document: Path) -> None:
    known = set(re.findall(r"--[a-z-]+", "".join(shown_help(command) for command in commands())))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", document.read_text("utf-8")))
    assert named - known <= {"--now", "--create"}  # systemd's


def sections(model: type[BaseModel], path: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """The keys of every top-level section, nested ones with their parents'."""
    found: dict[str, set[str]] = {}
    for key in _fields_at(path):
        inner = set(_fields_at((*path, key)))
        found.setdefault(path[0] if path else key, set()).add(key)
        if inner and inner != set(_fields_at(path)):
            for name, keys in sections(model, (*path, key)).items():
                found.setdefault(name, set()).update(keys)
    return found


def test_every_key_is_documented_in_its_section() -> None:
    for section, keys in sections(Settings).items():
        heading = f"## {section}\n"
        part = CONFIGURATION.partition(heading)[2].partition("\n## ")[0]
        assert part, section
        for key in keys - {section}:
            assert re.search(rf"\b{key}\b", part), f"{section}: {key}"


def test_every_documented_key_exists() -> None:
    known = set().union(*sections(Settings).values())
    for row in re.findall(r"^\| (`[a-z_`, ]+`) \|", CONFIGURATION, re.MULTILINE):
        for key in re.findall(r"[a-z_]+", row):
            assert key in known, key


def test_documented_environment_variables_exist() -> None:
    known = {*overridable(), "AGGREGATOR_CONFIG", "AGGREGATOR_COMPLETE"}
    for document in DOCUMENTS:
        assert set(re.findall(r"AGGREGATOR_[A-Z_]*[A-Z]", document.read_text("utf-8"))) <= known


def test_the_command_line_completes_as_documented() -> None:
    assert 'eval "$(_AGGREGATOR_COMPLETE=bash_source .venv/bin/aggregator)"' in README
    found = subprocess.run(
        [COMMAND],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "_AGGREGATOR_COMPLETE": "bash_complete",
            "COMP_WORDS": "aggregator bu",
            "COMP_CWORD": "1",
        },
    )
    assert found.stdout == "plain,build-feeds\n"


def test_messages_in_the_documentation_are_the_programs() -> None:
    """Each is a row of docs/troubleshooting.md, with … for what differs."""
    sources = [path.read_text("utf-8") for path in (ROOT / "aggregator").rglob("*.py")]
    constants = [
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    constants.append((ROOT / "bootstrap.sh").read_text("utf-8"))
    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").partition("| message |")[2]
    messages = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)[1:]
    assert len(messages) > 8
    for message in messages:
        for piece in re.split("…", message.removeprefix("bootstrap.sh: ")):
            assert any(piece.strip() in constant for constant in constants), message


def test_ci_runs_the_second_command_word_for_word() -> None:
    blocks = [line.strip() for line in README.splitlines() if line.startswith("    ")]
    first, second = (line for line in blocks if line.startswith("sh bootstrap.sh"))
    assert first == "sh bootstrap.sh && .venv/bin/aggregator build-feeds"
    assert second == "sh bootstrap.sh test && .venv/bin/pytest"
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == second


def test_the_configurations_that_come_with_it_are_fine() -> None:
    sample, starter = ROOT / "config.yaml", ROOT / "aggregator" / "cli" / "starter.yaml"
    assert load_settings(sample, {}).feeds.formats == ("atom", "rss", "json", "html")
    with pytest.raises(ConfigError) as error:
        load_settings(starter, {})
    assert [problem.split(": ")[1] for problem in error.value.problems] == [
        "site.title",
        "site.url",
        "site.tag",
        "feeds.url",
    ]
    example = README.partition("```yaml\n")[2].partition("```")[0]
    assert "when_removed" in example


def test_the_example_of_the_readme_is_fine(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(README.partition("```yaml\n")[2].partition("```")[0], "utf-8")
    assert load_settings(config, {}).feeds_address == Path("/srv/site/feeds")


def test_the_documented_file_name_of_a_source_is_the_real_one() -> None:
    assert f"`{source_slug('ALL')}` for `ALL`" in (ROOT / "docs" / "feeds.md").read_text("utf-8")


@pytest.mark.parametrize("command", ["poll", "build-feeds"])
def test_every_option_of_a_run_is_documented(command: str) -> None:
    options = set(re.findall(r"--[a-z-]+", shown_help(command).partition("Options:")[2]))
    text = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    assert {option for option in options if option not in text} == set()


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.findall(r"^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)[0]
    assert project["version"] == __version__ == newest


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_within_the_project_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8")):
        if not target.startswith("."):
            assert (document.parent / target).exists(), target


def test_how_it_works_names_every_module() -> None:
    table = (ROOT / "docs" / "how-it-works.md").read_text("utf-8").partition("## The house")[2]
    roofs = {
        path.stem
        for path in (ROOT / "aggregator").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    rows = dict(re.findall(r"^\| `([a-z_]+)/?` \| (.*) \|$", table, re.MULTILINE))
    assert rows.keys() == roofs - {"__init__", "__main__"}
    # Those that it names, there are.
    for roof, row in rows.items():
        folder = ROOT / "aggregator" / roof
        for name in re.findall(r"`([a-z_]+)/?`", row):
            assert (folder / f"{name}.py").exists() or (folder / name).is_dir(), f"{roof}/{name}"
