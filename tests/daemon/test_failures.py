"""What the daemon cannot do now."""

import logging
import re

from hypothesis import given
from hypothesis import strategies as st

from aggregator.daemon.failures import OpenFailures, failures_of
from aggregator.model.errors import AggregatorError
from aggregator.model.logs import LOGGER
from aggregator.serve.http_conditions import byte_range

messages = st.lists(
    st.tuples(st.sampled_from("abc"), st.text("xyz", max_size=2)).map(": ".join), max_size=4
)


@given(st.lists(st.tuples(st.sampled_from(["posts", "hubs"]), messages), max_size=12))
def test_a_failure_is_logged_when_it_starts_and_when_it_ends(
    updates: list[tuple[str, list[str]]],
) -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    before, level, spreads = LOGGER.handlers[:], LOGGER.level, LOGGER.propagate
    LOGGER.handlers[:], LOGGER.propagate = [handler], False
    LOGGER.setLevel(logging.INFO)
    try:
        failures = OpenFailures()
        places: dict[str, set[str]] = {"posts": set(), "hubs": set()}
        for about, found in updates:
            lines.clear()
            failures.replace(about, found)
            now = {message.partition(": ")[0] for message in found}
            started = [
                line.partition(": ")[0] for line in lines if not line.startswith("resolved: ")
            ]
            ended = [line.split(": ")[1] for line in lines if line.startswith("resolved: ")]
            # What fails in two stages at one place is one failure to a reader.
            others = {place for stage, found in places.items() if stage != about for place in found}
            assert sorted(started) == sorted(now - places[about] - others)
            assert sorted(ended) == sorted(places[about] - now - others)
            places[about] = now
            assert len(failures.messages()) == sum(map(len, places.values()))
    finally:
        LOGGER.handlers[:], LOGGER.propagate = before, spreads
        LOGGER.setLevel(level)


def test_a_bug_is_a_failure_that_says_where() -> None:
    def bug() -> list[str]:
        raise KeyError("a\nb")

    (found,) = failures_of("posts", bug)
    assert re.fullmatch(r"posts: KeyError: 'a\\nb' \(test_failures\.py:\d+\)", found)


def test_an_error_of_the_program_is_its_message() -> None:
    def foreseen() -> list[str]:
        raise AggregatorError("/srv/posts: no such folder")

    assert failures_of("posts", foreseen) == ["/srv/posts: no such folder"]
    assert failures_of("posts", lambda: ["a", "b"]) == ["a", "b"]


def test_the_line_is_the_last_one_of_this_program() -> None:
    def in_the_package() -> list[str]:
        return [byte_range(None, 1)]  # type: ignore[arg-type, list-item]

    (found,) = failures_of("posts", in_the_package)
    assert re.search(r"\(serve/http_conditions\.py:\d+\)$", found)
