"""Single values that cannot be read cost themselves and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from merging import NOW, apply, article, code_of, copy
from sqlalchemy import text

from aggregator.model.packing import unpack
from aggregator.model.polls import Batch, FileState, UrlState
from aggregator.store import problems, repair, schema, urls
from aggregator.store.articles import articles_of, bodies_of
from aggregator.store.copies import copy_locations
from aggregator.store.database import Store
from aggregator.store.origins import file_states

ONE, TWO = code_of(1), code_of(2)


@pytest.fixture
def address(tmp_path: Path) -> Path:
    """Only a file is repaired."""
    return tmp_path / "store.db"


@pytest.fixture
def store(address: Path) -> Iterator[Store]:
    with Store(address) as found:
        yield found


@pytest.fixture
def filled(store: Store) -> Store:
    copies = tuple(copy(f"{n}.md", f"{n}", code=code_of(n)) for n in (1, 2))
    states = tuple(FileState(f"{n}.md", 1, 1, 1, 1, b"x") for n in (1, 2))
    url = UrlState("http://a.example/", NOW)
    apply(store, Batch("posts:a", copies=copies, states=states, urls=(url,)))
    return store


def change(store: Store, statement: str) -> None:
    with store.transaction() as connection:
        assert connection.execute(text(statement)).rowcount == 1


def repaired(store: Store, **found: str) -> tuple[int, dict[str, str]]:
    """How many values were given up, and the problems that are open then."""
    with store.transaction() as connection:
        count = repair.repair(connection, lambda codes: found, NOW)
        listed = problems.open_problems(connection)
    assert {origin for origin, _, _ in listed} <= {problems.STORE}
    return count, {problem.location: problem.reason for _, problem, _ in listed}


def read_again(store: Store) -> set[str]:
    """The files that the next poll reads whatever they look like."""
    return {state.path for state in file_states(store.transaction, "posts:a") if state.size < 0}


def test_a_sound_store_stays_as_it_is(filled: Store) -> None:
    before = article(filled, ONE), article(filled, TWO)
    assert repaired(filled) == (0, {})
    assert (article(filled, ONE), article(filled, TWO)) == before
    assert read_again(filled) == set()


@pytest.mark.parametrize("is_published", [True, False])
def test_a_text_is_read_back_from_the_feeds_if_they_have_it(
    filled: Store, is_published: bool
) -> None:
    number = article(filled, ONE).body_id
    change(filled, f"update body set text = x'00ff' where body_id = {number}")
    count, reasons = repaired(filled, **({ONE: "<p>1</p>"} if is_published else {}))
    assert count == 2  # the article's text, and the copy with it
    assert list(reasons) == [ONE]
    assert ("read back from the published feeds" in reasons[ONE]) is is_published
    after = article(filled, ONE)
    assert (after.body_id is not None) is is_published
    assert read_again(filled) == {"1.md"}
    with filled.transaction() as connection:
        assert copy_locations(connection, "posts:a") == ["2.md"]
        if after.body_id is not None:
            (packed,) = bodies_of(connection, [after.body_id]).values()
            assert unpack(packed) == "<p>1</p>"


def test_a_list_that_is_none_is_emptied(filled: Store) -> None:
    change(filled, f"update article set categories = '[' where code = '{ONE}'")
    count, reasons = repaired(filled)
    assert (count, list(reasons)) == (1, [ONE])
    assert article(filled, ONE).categories == ()
    assert article(filled, ONE).title == "标题"
    assert read_again(filled) == {"1.md"}


def test_a_record_that_cannot_be_mended_is_given_up_and_its_copy_stays(filled: Store) -> None:
    change(filled, f"update article set published = {2**62} where code = '{ONE}'")
    assert repaired(filled)[0] == 1
    with filled.transaction() as connection:
        assert list(articles_of(connection, [ONE, TWO])) == [TWO]
        assert sorted(copy_locations(connection, "posts:a")) == ["1.md", "2.md"]
    assert read_again(filled) == {"1.md"}


def test_text_that_is_not_utf_8_is_kept_as_far_as_it_can_be_read(filled: Store) -> None:
    change(filled, f"update article set title = cast(x'41ff42' as text) where code = '{ONE}'")
    assert repaired(filled)[0] == 1
    assert article(filled, ONE).title == "A\ufffdB"


def test_a_url_that_cannot_be_read_is_as_new(filled: Store) -> None:
    change(filled, f"update url set next_at = {2**62}")
    assert repaired(filled) == (1, {})
    with filled.transaction() as connection:
        assert urls.all_states(connection) == []


def test_everything_is_read_again_where_that_is_said(filled: Store) -> None:
    with filled.transaction() as connection:
        connection.execute(schema.file.delete())
        repair.read_everything_again(connection)
    assert read_again(filled) == {"1.md", "2.md"}
