"""A child process that parses: what comes back from it, and what it may do wrong."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aggregator.model.errors import UnusableError
from aggregator.origins.parsers.sandbox import Confined

CHILD = """#!{python}
import os, sys, time
sys.stdout.write("null\\n")
sys.stdout.flush()
sys.stdin.buffer.readline()
{answer}
sys.stdout.flush()
time.sleep(60)
"""


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(UnusableError) as error:
        call()
    return error.value.reason


@pytest.mark.parametrize(
    "answer",
    [
        "print('garbage')",
        "print('[1]')",
        'print(\'["", "", null, {"a": 1}]\')',
        "print('[\"unusable\", 5, null, null]')",
        "os.write(1, bytes(range(256)))",
        "print('[' * 50_000 + ']' * 50_000)",
        "print('{\"a\":' * 50_000 + '1' + '}' * 50_000)",
        "print('[\"\", \"\", null, ' + '9' * 5_000 + ']')",
        'print(\'["", "", null, ["a"]]\' + \'\\n\' + \'["", "", null, ["b"]]\')',
        "[os.write(1, b'x' * 1_000_000) for _ in range(201)]",
        'print(\'["", "", null, ["a"\'); sys.stdout.flush(); os._exit(0)',
        'sys.stdout.write(\'["", "", null, ["a"]]\'); sys.stdout.flush(); os._exit(0)',
        "os._exit(0)",
    ],
)
def test_whatever_a_child_answers_costs_one_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    python = sys.executable
    child = tmp_path / "child"
    child.write_text(CHILD.format(python=python, answer=answer))
    child.chmod(0o755)
    with Confined("json:loads", list[str]) as confined:
        monkeypatch.setattr(sys, "executable", str(child))
        reason = reason_of(lambda: confined.call(b"[]"))
        assert reason == "it cannot be read: the parser broke down"
        monkeypatch.setattr(sys, "executable", python)
        assert confined.call(b'["next"]') == ["next"]


@pytest.mark.parametrize("answer", ["", 'sys.stdout.write(\'["", "", null, ["half a li\')'])
def test_a_child_that_does_not_answer_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    child = tmp_path / "child"
    child.write_text(CHILD.format(python=sys.executable, answer=answer))
    child.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(child))
    with Confined("json:loads", list[str], seconds=0.5) as confined:
        assert reason_of(lambda: confined.call(b"[]")) == "reading it takes longer than 0.5 s"


def test_a_child_that_never_reads_is_ended_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child"
    answer = CHILD.format(python=sys.executable, answer="")
    child.write_text(answer.replace("sys.stdin.buffer.readline()\n", ""))
    child.chmod(0o755)
    python = sys.executable
    with Confined("json:loads", list[int], seconds=0.5) as confined:
        monkeypatch.setattr(sys, "executable", str(child))
        reason = reason_of(lambda: confined.call(b" " * 5_000_000))
        assert reason == "reading it takes longer than 0.5 s"
        monkeypatch.setattr(sys, "executable", python)
        assert confined.call(b" " * 5_000_000 + b"[1]") == [1]


def test_memory_is_limited() -> None:
    with Confined("operator:mul", list, megabytes=100) as confined:
        reason = reason_of(lambda: confined.call(b"x" * 1000, 1_000_000))
        assert reason == "reading it takes more than 100 MB"


def test_what_a_parser_raises_is_told() -> None:
    with Confined("json:loads", list[str]) as confined:
        assert reason_of(lambda: confined.call(b"{")).startswith(
            "it cannot be read: JSONDecodeError: Expecting property name"
        )
        assert confined.call(b'["\\ud800", "\\u4e2d", "\\n"]') == ["?", "中", "\n"]
