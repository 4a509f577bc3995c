"""`excerpt: true`: a light twin of a feed."""

import json

from conftest import Site, article

PICTURE = "https://finews.example.org/a.jpg"


def test_an_excerpt_of_all_articles_has_summaries_and_pictures(site: Site) -> None:
    site.configure(
        lambda text: (
            text + "  combined_entries: 3\n  entries: 1\n  formats: [atom, rss, json]\n"
            "  extra:\n    light: {title: Leicht, excerpt: true}\n"
            "    few: {words: [zwei], excerpt: true}\n"
        )
    )
    for number, name in enumerate(("eins", "zwei", "drei", "vier")):
        text = f"<p>1 &lt; 2, {name}.</p><p><img src='/a.jpg' width='200'>{'Wort ' * 100}</p>"
        site.post(f"{number}.md", article(name, text, date=f"2022-01-27 0{number}:00"))
    site.build()
    whole, light = site.feed("all.atom").entries, site.feed("extra/light.atom").entries
    assert [entry.id for entry in light] == [entry.id for entry in whole]
    assert len(light) == 3
    for entry in light:
        assert "content" not in entry
        assert entry.summary.startswith(f"1 < 2, {entry.title}. Wort")
        assert entry.summary.endswith("…")
        assert entry.media_thumbnail[0]["url"] == PICTURE
    assert [entry.title for entry in site.feed("extra/few.atom").entries] == ["zwei"]
    for item in site.feed("extra/light.rss").entries:
        assert "content" not in item
        assert item.summary.startswith("1 &lt; 2")
        assert item.media_thumbnail[0]["url"] == PICTURE
    for item in json.loads((site.feeds / "extra" / "light.json").read_bytes())["items"]:
        assert "content_html" not in item
        assert "summary" not in item
        assert item["content_text"].startswith("1 < 2")
        assert item["image"] == PICTURE
    assert site.run("check", "--feeds").code == 0
    (older,) = site.feed("archives/extra/light.1.atom").entries
    assert (older.title, "content" in older) == ("eins", False)


def test_an_article_without_words_has_its_title_as_summary(site: Site) -> None:
    site.configure(lambda text: text + "  extra:\n    light: {excerpt: true}\n")
    site.post("1.md", article("Bild", "<img src='/a.jpg'>"))
    site.build()
    (entry,) = site.entries("extra/light.atom")
    assert entry.summary == "Bild"
    assert "summary" not in site.entries()[0] or site.entries()[0].summary != "Bild"


def test_a_feed_without_a_criterion_is_an_excerpt(site: Site) -> None:
    site.configure(lambda text: text + "  extra:\n    all: {title: Alles}\n")
    done = site.run("check")
    assert done.code == 2
    assert "needs sources, tags, words, title_words, stocks, search, not, or excerpt" in done.err
