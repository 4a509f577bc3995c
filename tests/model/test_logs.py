"""Log lines: one an event, for journald, a terminal or a program."""

import json
import logging
import os
import re
from collections.abc import Callable, Iterator

import pytest

from aggregator.model import logs


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[str]]]:
    """Returns the lines on standard error; the logger is as before at the end."""
    logger = logs.LOGGER
    before = logger.handlers[:], logger.level, logger.propagate
    yield lambda: capfd.readouterr().err.splitlines()
    logger.handlers[:], logger.level, logger.propagate = before


def test_journald_gets_a_level_and_no_time(lines: Callable[[], list[str]]) -> None:
    logs.set_up("text", logging.DEBUG, {"JOURNAL_STREAM": "1:2"})
    for level in (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG):
        logs.LOGGER.log(level, "a\nb\x1b[31m")
    assert lines() == [f"<{mark}>a b\\x1b[31m" for mark in (3, 4, 6, 7)]


def test_a_terminal_gets_the_time(lines: Callable[[], list[str]]) -> None:
    logs.set_up("text", logging.INFO, {})
    logs.LOGGER.info("%s x", 1)
    logs.LOGGER.debug("not this")
    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d info: 1 x", line)


def test_a_line_after_a_torn_one_begins_anew(
    lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.set_up("text", logging.INFO, {"JOURNAL_STREAM": "1:2"})
    write = os.write
    monkeypatch.setattr(os, "write", lambda number, data: write(number, data[:4]))
    logs.LOGGER.info("first")
    monkeypatch.setattr(os, "write", write)
    logs.LOGGER.info("second")
    assert lines() == ["<6>f", "<6>second"]


def test_json_is_an_object_a_line_with_values_and_exceptions(
    lines: Callable[[], list[str]],
) -> None:
    logs.set_up("json", logging.INFO, {})
    logs.LOGGER.info("a\nb", extra={"values": {"count": 7}})
    try:
        raise ValueError("x")
    except ValueError:
        logs.LOGGER.exception("failed")
    first, second = map(json.loads, lines())
    assert (first["level"], first["message"], first["count"]) == ("info", "a\nb", 7)
    assert "exception" not in first
    assert second["exception"].endswith("ValueError: x")
