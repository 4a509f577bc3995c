"""Values come out of the store as they went in, or are damage."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from aggregator.model.articles import Article, Enclosure
from aggregator.model.errors import DamagedStoreError
from aggregator.store import schema
from aggregator.store.rows import article_from, insert_rows, instant, pieces, row_of, upsert_rows

ENGINE = create_engine("sqlite://")
texts = st.text(st.characters(codec="utf-8"), max_size=12)
times = st.integers(0, 2**33).map(lambda at: datetime.datetime.fromtimestamp(at, datetime.UTC))
articles = st.builds(
    Article,
    code=texts,
    source=texts,
    source_name=st.none() | texts,
    first_seen=times,
    published=times,
    updated=st.none() | times,
    revision=st.integers(0, 9),
    version=st.integers(0, 9),
    title=texts,
    raw_hash=st.binary(max_size=8),
    link=st.none() | texts,
    categories=st.lists(texts, max_size=3).map(tuple),
    enclosures=st.lists(
        st.builds(Enclosure, texts, st.none() | texts, st.none() | st.integers(0, 2**40)),
        max_size=2,
    ).map(tuple),
    is_full=st.booleans(),
    removed=st.booleans(),
)


@pytest.fixture(scope="module", autouse=True)
def _tables() -> None:
    schema.metadata.create_all(ENGINE)


@given(articles)
def test_an_article_is_read_as_it_was_saved(article: Article) -> None:
    with ENGINE.connect() as connection:  # rolled back at the end
        insert_rows(connection, schema.article, [row_of(article, schema.article)])
        assert article_from(connection.execute(select(schema.article)).one()) == article


@given(articles, articles)
def test_a_row_takes_the_place_of_the_one_with_its_key(one: Article, other: Article) -> None:
    with ENGINE.connect() as connection:
        for item in (one, other):
            upsert_rows(connection, schema.article, [row_of(item, schema.article)], "code")
        rows = connection.execute(select(schema.article).order_by(schema.article.c.article_id))
        found = [article_from(row) for row in rows]
    assert found == ([other] if one.code == other.code else [one, other])


@pytest.mark.parametrize(
    ("column", "value"),
    [("categories", "["), ("enclosures", "[1]"), ("published", 2**62), ("enclosures", "[[]]")],
)
def test_a_row_that_cannot_be_an_article_is_damage(column: str, value: object) -> None:
    now = datetime.datetime(2022, 1, 28, tzinfo=datetime.UTC)
    row = row_of(Article("NW1", "a", None, now, now, None, 1, 1), schema.article)
    with ENGINE.connect() as connection:
        insert_rows(connection, schema.article, [row | {column: value}])
        (found,) = connection.execute(select(schema.article))
    with pytest.raises(DamagedStoreError, match="the record of NW1 cannot be read"):
        article_from(found)


@given(st.integers())
def test_any_number_is_a_time_or_damage(number: int) -> None:
    try:
        found = instant(number)
    except DamagedStoreError:
        return
    assert found.timestamp() == number


@given(st.lists(st.integers(), max_size=2000))
def test_pieces_are_small_and_together_the_whole(values: list[int]) -> None:
    found = list(pieces(values))
    assert [value for piece in found for value in piece] == values
    assert all(0 < len(piece) <= 500 for piece in found)
