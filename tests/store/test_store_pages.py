"""Which pages and lists are to be written is decided and saved before they are."""

import datetime

from merging import NOW

from aggregator.model.articles import Article
from aggregator.model.feeds import PublishedFile
from aggregator.store import pages
from aggregator.store.articles import articles_of, remember
from aggregator.store.database import Store

DAY = "2022-01-27"


def article(code: str, **values: object) -> Article:
    plain = {"published": NOW, "updated": None, **values}
    return Article(code, "b", None, first_seen=NOW, revision=1, version=1, **plain)  # type: ignore[arg-type]


def file(path: str) -> PublishedFile:
    return PublishedFile(path, 7, 1, 2)


def test_the_month_of_a_page_is_decided_once(store: Store) -> None:
    with store.transaction() as connection:
        remember(connection, [article("a"), article("b")])
        pages.decide(connection, {"a": "2022/01"})
        pages.decide(connection, {"a": "2022/02", "b": "2022/02"})
        months = {code: item.page_month for code, item in articles_of(connection, "ab").items()}
    assert months == {"a": "2022/01", "b": "2022/02"}


def test_what_was_written_is_not_written_again(store: Store) -> None:
    with store.transaction() as connection:
        pages.decide(connection, dict.fromkeys("abc", "2022/01"))
        assert pages.unwritten(connection, "", 2) == ["a", "b"]
        assert pages.unwritten(connection, "b", 2) == ["c"]
        pages.save_written(connection, {"a": DAY, "b": None}, {"a": [file("articles/a.html")]})
        assert pages.unwritten(connection, "", 9) == ["c"]
        assert pages.count_unwritten(connection) == 1
        assert pages.paths_of(connection, ["a", "b", "c"]) == {"a": ["articles/a.html"]}
        pages.decide(connection, {}, ["a"])
        assert pages.unwritten(connection, "", 9) == ["a", "c"]
        pages.write_all_again(connection)
        assert pages.unwritten(connection, "", 9) == ["a", "b", "c"]
        # A page that is gone has no file any more.
        pages.save_written(connection, {"a": None}, {})
        assert pages.paths_of(connection, ["a"]) == {}


def test_a_day_is_listed_when_its_articles_change(store: Store) -> None:
    later = NOW + datetime.timedelta(hours=1)
    with store.transaction() as connection:
        remember(connection, [article("a"), article("b", updated=later)])
        pages.decide(connection, dict.fromkeys("ab", "2022/01"))
        pages.save_written(connection, dict.fromkeys("ab", DAY), {})
        assert pages.unlisted(connection) == [DAY]
        assert pages.count_day(connection, DAY) == pages.ListedDay(DAY, 2, later)
        pages.save_listed(connection, [DAY], [file("articles/index.html")], [])
        assert pages.unlisted(connection) == []
        assert [day.name for day in pages.days(connection)] == [DAY]
        assert [item.code for item in pages.articles_of_day(connection, DAY)] == ["b", "a"]
        # Both the day that an article leaves and the one that it comes to.
        pages.save_written(connection, {"a": "2022-01-28"}, {})
        assert pages.unlisted(connection) == [DAY, "2022-01-28"]
        pages.save_written(connection, {"a": None, "b": None}, {})
        for day in pages.unlisted(connection):
            pages.count_day(connection, day)
        pages.save_listed(connection, [DAY, "2022-01-28"], [], ["articles/index.html"])
        assert pages.days(connection) == []
        assert pages.list_files(connection) == []


def test_folders_and_the_files_in_them(store: Store) -> None:
    with store.transaction() as connection:
        pages.save_folders(connection, {"articles/2022/01": 1, "articles/2022/02": 2})
        pages.save_folders(connection, {"articles/2022/01": 3})
        assert pages.folders(connection) == {"articles/2022/01": 3, "articles/2022/02": 2}
        files = {code: [file(f"articles/2022/0{code}/x.html")] for code in "12"}
        pages.save_written(connection, dict.fromkeys("12", DAY), files)
        assert pages.files_in(connection, "articles/2022/01") == {"1": files["1"]}
        assert pages.all_paths(connection) == [files[code][0].path for code in "12"]
        pages.forget_all(connection)
        assert pages.all_paths(connection) == []
        assert pages.folders(connection) == {}
