"""Imports point down only (docs/how-it-works.md): one list of the roofs of the house."""

import ast
import re
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "aggregator"

# From the top; a roof may import what stands in a lower line, and nothing else.
LAYERS = [
    "__main__",
    "cli",
    "daemon",
    "workers",
    "pipeline",
    "build poll serve",
    "origins publish",
    "fetch store",
    "articles config",
    "processes",
    "model",
]
# What of publish/ does input or output.
DOES = {
    "compiled_templates", "destination", "files", "object_storage", "storage_client", "websub",
}  # fmt: skip
RANK = {name: rank for rank, line in enumerate(LAYERS) for name in line.split()}


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def files() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"]


def test_every_module_has_its_layer() -> None:
    assert {module_of(path) for path in files()} == set(RANK)


def test_imports_point_down() -> None:
    for path in files():
        module = module_of(path)
        for name in imported(path):
            parts = name.split(".")
            if parts[0] != "aggregator" or len(parts) < 2 or parts[1] not in RANK:
                continue
            other = parts[1]
            if other != module:
                assert RANK[module] < RANK[other], f"{module} imports {other}"


def test_sql_is_spoken_in_the_store_only() -> None:
    for path in files():
        names = {name for name in imported(path) if name.split(".")[0] == "sqlalchemy"}
        if module_of(path) == "store":
            continue
        # Elsewhere a connection is handed on, and nothing else is done with it.
        assert names <= {"sqlalchemy", "sqlalchemy.Connection"}, path


def test_modules_that_decide_do_no_input_or_output() -> None:
    forbidden = {"os", "pathlib", "socket", "subprocess", "sqlite3", "sqlalchemy", "time", "shutil"}
    said = [
        path
        for path in files()
        if "Pure." in (ast.get_docstring(ast.parse(path.read_text())) or "")
    ]
    paths = {
        *said,
        *(PACKAGE / "articles").glob("*.py"),
        *(PACKAGE / "publish" / "validate").glob("*.py"),
        *(path for path in (PACKAGE / "publish").glob("*.py") if path.stem not in DOES),
    }
    assert len(said) > 20
    for path in paths:
        names = {name.split(".")[0] for name in imported(path)}
        assert not names & forbidden, path


def test_files_stay_short() -> None:
    long = {path.name: count for path in files() if (count := path.read_text().count("\n")) > 300}
    assert long == {}


def test_the_picture_for_contributors_is_true() -> None:
    """Its arrows are the imports between roofs, without those that others imply."""
    arrows: dict[str, set[str]] = {}
    for path in files():
        roof = module_of(path)
        others = {name.split(".")[1] for name in imported(path) if name.startswith("aggregator.")}
        arrows.setdefault(roof, set()).update((others & set(RANK)) - {roof})

    def below(roof: str) -> set[str]:
        return arrows[roof].union(*(below(other) for other in arrows[roof]))

    direct = {
        (roof, other)
        for roof, others in arrows.items()
        for other in others
        if not any(other in below(between) for between in others)
    }
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text("utf-8")
    drawn = re.findall(r"^    (\w+) --> (\w+)$", text, re.MULTILINE)
    assert sorted(drawn) == sorted(direct)
    assert sum(map(len, arrows.values())) <= 73


def test_no_two_test_files_have_one_name() -> None:
    """pytest imports them by their names alone, and stops at the second."""
    names = [path.name for path in (PACKAGE.parent / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


# They decide nothing: values, names, tables, an interface, the options of commands.
WITHOUT_A_TEST = {
    "build/context",
    "cli/options",
    "config/paths",
    "model/feeds",
    "model/frame",
    "model/overview",
    "model/pages",
    "model/polls",
    "model/reports",
    "origins/interface",
    "origins/parsers/feed_items",
    "store/archive_migrations",  # steps, which test_migrations takes
    "store/article_migrations",  # steps, which test_migrations takes
    "store/cluster_migrations",  # steps, which test_migrations takes
    "store/index_migrations",  # steps, which test_migrations takes
    "store/page_migrations",  # steps, which test_migrations takes
    "store/schema",
    "store/similar_migrations",  # steps as well
    "store/url_migrations",  # steps as well
}


def test_every_module_that_decides_has_a_test_of_its_name() -> None:
    """Modules that share a name have their folder in the name of the test, too."""
    modules = [path for path in files() if not path.stem.startswith("__")]
    stems = Counter(path.stem for path in modules)
    tests = PACKAGE.parent / "tests"
    missing = set()
    for path in modules:
        module = path.relative_to(PACKAGE).with_suffix("")
        roof = f"{path.parent.name}_" if stems[path.stem] > 1 else ""
        if not (tests / module.parent / f"test_{roof}{path.stem}.py").exists():
            missing.add(str(module))
    assert sorted(missing) == sorted(WITHOUT_A_TEST)
