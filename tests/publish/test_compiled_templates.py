"""Compiled templates are kept in a file, which is never needed."""

import os
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest
from jinja2 import DictLoader, Environment

from aggregator.publish.compiled_templates import CompiledTemplates

TEXT = "{% for name in names %}{{ name }}, {% endfor %}"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The names of the templates that were compiled."""
    names: list[str | None] = []
    compile_ = Environment.compile

    def compile_and_note(
        self: Environment, source: str, name: str | None = None, *rest: str
    ) -> object:
        names.append(name)
        return compile_(self, source, name, *rest)

    monkeypatch.setattr(jinja2.Environment, "compile", compile_and_note)
    return names


def render(file: Path, text: str = TEXT, name: str = "list.html") -> str:
    """Render as a new process would."""
    compiled = CompiledTemplates()
    compiled.keep_in(file)
    environment = Environment(loader=DictLoader({name: text}), bytecode_cache=compiled)
    return environment.get_template(name).render(names=["a", "b"])


def test_a_template_is_compiled_once(tmp_path: Path, compilations: list[str]) -> None:
    file = tmp_path / "templates"
    assert render(file) == "a, b, "
    assert render(file) == "a, b, "
    assert compilations == ["list.html"]
    render(file, name="other.html")
    render(file)
    assert compilations == ["list.html", "other.html"]


def test_a_template_that_changed_is_compiled_again(tmp_path: Path, compilations: list[str]) -> None:
    file = tmp_path / "templates"
    render(file)
    assert render(file, "{{ names[0] }}") == "a"
    assert len(compilations) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + b"x",
        lambda data: os.urandom(len(data)),
    ],
)
def test_a_damaged_file_is_made_again(
    tmp_path: Path, compilations: list[str], damage: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "templates"
    render(file)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert render(file) == "a, b, "
    assert len(compilations) == 2
    assert file.read_bytes() == whole


def test_a_file_that_cannot_be_written_is_not_needed(tmp_path: Path) -> None:
    for file in (tmp_path / "missing" / "templates", tmp_path):
        assert render(file) == "a, b, "
