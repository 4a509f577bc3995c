"""A query, answered from the store and the index."""

import pytest
from conftest import Site, article

from aggregator.articles.search_query import parse
from aggregator.config.load import load_settings
from aggregator.model.errors import StoreError
from aggregator.serve.search_results import results


def test_texts_are_those_of_the_feeds(site: Site) -> None:
    """Also of articles that no feed shows any more: they were never sanitized."""
    site.configure(
        lambda text: (
            text
            + "  entries: 1\n  combined_entries: 1\n  archives: false\n"
            + "rules:\n  - {remove: ['.ad']}\n"
        )
    )
    for number in (1, 2):
        text = f"<p onclick='x'>正文{number}</p><script>x</script><p class='ad'>广告</p>"
        site.post(f"2022-01-0{number}-a.md", article("港口", text, date=f"2022-01-0{number}"))
    site.build()
    shown = [entry.content[0].value for entry in site.entries("sources/huaxiashibao.atom")]
    assert shown == ["<p>正文2</p>"]
    settings = load_settings(site.config)
    document = results(settings, parse("港口"))
    assert [entry.content for entry in document.entries] == shown  # one, as in other feeds
    assert [entry.content for entry in results(settings, parse("正文1")).entries] == [
        "<p>正文1</p>"
    ]


@pytest.mark.sqlite
def test_without_a_store_none_is_made(site: Site) -> None:
    with pytest.raises(StoreError, match="no store yet"):
        results(load_settings(site.config), parse("a"))
    assert not site.store.exists()
