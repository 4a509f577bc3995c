"""Similar articles of different sources, as their feeds show them (docs/feeds.md)."""

import datetime
from typing import Any

import pytest
from conftest import Site, share_url
from hypothesis import given, settings
from hypothesis import strategies as st
from merging import NOW, apply, copy
from same_story import code_of, dates, post, related, text

from aggregator.build import comparison
from aggregator.model.polls import Batch
from aggregator.store import similar, stories
from aggregator.store.database import Store


@pytest.mark.usefixtures("on_both")
def test_entries_name_the_same_story_of_other_outlets(site: Site) -> None:
    post(site, 1, text(1))
    post(site, 2, text(1) + text(2, 200))
    post(site, 3, text(3))
    site.build()
    assert related(site) == {"标题1": ["标题2"], "标题2": ["标题1"], "标题3": []}
    assert related(site, "sources/outlet1.atom") == {"标题1": ["标题2"]}
    first = site.entries("sources/outlet1.atom")[0]
    assert [link.href for link in first.links if link.rel == "related"] == [share_url(code_of(2))]
    assert first.content[0].value.endswith(
        f'<p>同题报道：<a href="{share_url(code_of(2))}" title="标题2">日报2</a></p>'
    )
    assert "_aggregator" not in site.run("show", code_of(3), "--json").out


def test_articles_of_one_source_stand_for_themselves(site: Site) -> None:
    post(site, 1, text(1), 1)
    post(site, 2, text(1), 1)
    site.build()
    assert related(site) == {"标题1": [], "标题2": []}


def test_a_story_comes_again_after_days(site: Site) -> None:
    post(site, 1, text(1), date="2022-01-20 10:00:00 +0800")
    post(site, 2, text(1), date="2022-01-25 09:59:00 +0800")
    post(site, 3, text(1), date="2022-01-25 11:00:00 +0800")
    site.build()
    assert related(site)["标题1"] == []
    assert related(site)["标题2"] == ["标题3"]


def test_what_was_found_stays_when_articles_get_older(site: Site) -> None:
    post(site, 1, text(1))
    post(site, 2, text(1))
    site.build()
    before = (site.feeds / "sources" / "outlet1.atom").read_bytes()
    post(site, 3, text(3), date="2022-02-27 10:00:00 +0800")
    site.build()
    assert related(site)["标题1"] == ["标题2"]
    assert (site.feeds / "sources" / "outlet1.atom").read_bytes() == before


@pytest.mark.usefixtures("on_both")
def test_another_copy_renews_the_feeds_and_republishes_nothing(site: Site) -> None:
    for number in range(20):
        post(site, number, text(1))
    site.build()
    before = dates(site)
    names = related(site)["标题0"]
    assert names == [f"标题{number}" for number in range(1, 11)]
    assert "另有 9 篇" in site.entries()[-1].content[0].value
    post(site, 20, text(1))
    written = site.build("--json").json["written"]
    assert "sources/outlet3.atom" in written
    after = dates(site)
    assert after.pop("标题20")
    assert after == before
    assert "另有 10 篇" in site.entries()[-1].content[0].value
    assert site.build("--json").json["written"] == []


def test_corrections_and_removals_reach_the_others(site: Site) -> None:
    site.configure(
        lambda text: text.replace("layout: plain", "layout: plain\n    when_removed: drop")
    )
    post(site, 1, text(1))
    second = post(site, 2, text(1))
    post(site, 3, text(3))
    site.build()
    post(site, 2, text(1), title="改题")
    site.build()
    assert related(site, "sources/outlet1.atom") == {"标题1": ["改题"]}
    post(site, 2, text(3))
    site.build()
    assert related(site)["标题1"] == []
    assert related(site)["标题3"] == ["标题2"]
    second.unlink()
    site.build()
    assert related(site, "sources/outlet3.atom") == {"标题3": []}


def test_an_article_held_back_is_named_when_it_is_due(site: Site) -> None:
    post(site, 1, text(1), date="2022-01-27 10:00:00 +0800")
    post(site, 2, text(1), date="2222-01-27 10:00:00 +0800")
    site.build()
    assert related(site) == {"标题1": []}
    with Store(site.root / "var" / "aggregator.db") as store:
        before = datetime.datetime(2022, 1, 28, tzinfo=datetime.UTC)
        with store.transaction() as connection:
            assert similar.similar_to(connection, [code_of(1)], before) == {}


def test_show_compares_nothing_and_forgets(site: Site) -> None:
    site.configure(lambda text: text + "  similar: show\n")
    post(site, 1, text(1))
    post(site, 2, text(1))
    site.build()
    assert related(site) == {"标题1": [], "标题2": []}
    site.configure(lambda text: text.replace("similar: show", "similar: link"))
    site.build()
    assert related(site) == {"标题1": ["标题2"], "标题2": ["标题1"]}
    site.configure(lambda text: text.replace("similar: link", "similar: show"))
    site.build()
    assert related(site) == {"标题1": [], "标题2": []}


def test_archives_name_nobody(site: Site) -> None:
    site.configure(lambda text: text + "  combined_entries: 1\n  entries: 1\n")
    for number in range(3):
        post(site, number, text(1))
    site.build()
    (path,) = (site.feeds / "archives").glob("all.1.atom")
    before = path.read_bytes()
    assert b'rel="related"' not in before
    post(site, 3, text(1), date="2022-01-27 09:00:00 +0800")
    site.build()
    assert path.read_bytes() == before


def test_a_form_that_an_outlet_fills_in_is_no_story(site: Site) -> None:
    """What stands in an outlet again and again says nothing, once it does."""
    form = text(9, 300)
    for number in range(16):
        post(site, number, form + text(20 + number, 300), number % 2)
    site.build()
    assert not any(related(site).values())


# Texts of a few kinds, by few outlets, some of them forms that many have in common.
ARTICLES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 1), st.integers(0, 9)),
    min_size=9,
    max_size=11,
)


def copies(articles: list[tuple[int, int, int, int]]) -> list[Any]:
    forms = ["", text(90, 250)]
    return [
        copy(
            f"{number}.md",
            forms[form] + text(story, 300) + (text(50 + number, 100) if hour % 3 == 0 else ""),
            code=code_of(number),
            source=f"outlet{outlet}",
            published=NOW - datetime.timedelta(hours=hour * 11),
        )
        for number, (outlet, story, form, hour) in enumerate(articles)
    ]


def pairs(store: Store) -> dict[str, dict[str, tuple[int, int]]]:
    with store.transaction() as connection:
        return similar.pairs_of(connection, map(code_of, range(20)))


@settings(max_examples=6, deadline=None)
@given(ARTICLES, st.data())
def test_the_same_is_found_however_articles_come(
    tmp_path_factory: pytest.TempPathFactory,
    articles: list[tuple[int, int, int, int]],
    data: st.DataObject,
) -> None:
    """At once, one by one in any order, and with texts that are corrected on the way."""
    made = copies(articles)
    folder = tmp_path_factory.mktemp("stores")
    with Store(folder / "once.db") as once, Store(folder / "by one.db") as by_one:
        apply(once, Batch("posts:a", copies=tuple(made)))
        comparison.update(once, "link", NOW)
        order = data.draw(st.permutations(range(len(made))))
        early = data.draw(st.integers(0, len(made) - 1))
        # One has another text at first.
        first = copies([(made_of[0], 7, 0, made_of[3]) for made_of in articles])[early]
        apply(by_one, Batch("posts:a", copies=(first,)))
        comparison.update(by_one, "link", NOW)
        for poll, number in enumerate(order, 2):
            apply(by_one, Batch("posts:a", copies=(made[number],)), poll)
            comparison.update(by_one, "link", NOW)
        assert pairs(by_one) == pairs(once)
        comparison.update(once, "link", NOW)
        assert pairs(by_one) == pairs(once)


def tables(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All that was decided."""
    with store.transaction() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(table.select())))
            for table in (*similar.TABLES, stories.story)
        }


@pytest.mark.parametrize("lost", [0, 3, 9])
def test_a_comparison_that_was_stopped_is_repeated(store: Store, lost: int) -> None:
    """Sketches are saved in steps, and how far they came at the end."""
    made = copies([(number, number % 2, 0, number) for number in range(9)])
    apply(store, Batch("posts:a", copies=tuple(made)))
    comparison.update(store, "collapse", NOW)
    done = tables(store)
    assert len(done["similar"]) > 20
    with store.transaction() as connection:
        stopped = similar.sketches(connection, map(code_of, range(lost)))
        similar.remove_sketches(connection, stopped.values())
        for table in (similar.comparing, *([stories.story] if lost else [])):
            connection.execute(table.delete())
    comparison.update(store, "collapse", NOW)
    assert tables(store) == done


def test_a_text_that_changes_has_its_sketch_replaced(store: Store) -> None:
    made = copies([(number, 1, 0, 1) for number in range(3)])
    apply(store, Batch("posts:a", copies=tuple(made)))
    comparison.update(store, "link", NOW)
    first = pairs(store)
    assert [len(first[code_of(number)]) for number in range(3)] == [2, 2, 2]
    other = copies([(0, 2, 0, 1)])
    apply(store, Batch("posts:a", copies=tuple(other)), 2, 1)
    comparison.update(store, "link", NOW)
    assert pairs(store) == {
        code_of(1): {code_of(2): first[code_of(1)][code_of(2)]},
        code_of(2): {code_of(1): first[code_of(1)][code_of(2)]},
    }
    apply(store, Batch("posts:a", copies=(made[0],)), 3, 2)
    comparison.update(store, "link", NOW)
    assert pairs(store) == first
