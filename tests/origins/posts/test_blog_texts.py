"""Texts of ordinary blogs, from the post to the feed."""

import pytest
from conftest import Site
from one_post import content, only


def test_links_within_a_text_lead_to_the_page_of_the_post(site: Site) -> None:
    """In every format; where the page is not known the words stay."""
    text = "See [below](#below) and a note[^1].\n\n# Below\n\n[^1]: The note\n"
    site.post("2022-01-27-x.md", f"---\ntitle: Titel\n---\n{text}")
    expected = "<p>See below and a note<sup>1</sup>.</p>"
    site.configure(lambda text: text + "  formats: [atom, rss, json]\n")
    assert only(site).content[0].value.startswith(expected)
    site.configure(lambda text: text.replace("posts:\n", "  permalink: pretty\nposts:\n", 1))
    site.build()
    page = "https://finews.example.org/2022/01/27/x/"
    for path in ("all.atom", "all.rss"):
        (entry,) = site.entries(path)
        value = entry.content[0].value
        assert f'<a href="{page}#below">below</a>' in value
        assert f'<sup><a href="{page}#fn:1">1</a></sup>' in value
    assert f"{page}#below" in (site.feeds / "all.json").read_text("utf-8")
    # Nothing was revised: the text is what it was.
    assert site.entries()[0].updated == site.entries()[0].published


def test_a_post_that_is_a_video_is_not_empty(site: Site) -> None:
    body = '<iframe src="//www.youtube.com/embed/a1" allowfullscreen></iframe>'
    assert content(site, body) == (
        '<p><a href="https://www.youtube.com/watch?v=a1">'
        '<img src="https://i.ytimg.com/vi/a1/hqdefault.jpg" alt=""><br>'
        "www.youtube.com/watch?v=a1</a></p>"
    )
    assert site.problems() == []


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("title:", "Text", "Java Email 04 Java Http"),
        ("title: Best **post** ever", "Text", "Best **post** ever"),
        (
            'title: ""',
            "## 邮件 [java](https://e.example/) `code` **bold**\n\nText",
            "邮件 java code bold Text",
        ),
        ('title: ""', "- a\n- *b* &amp; c", "a b & c"),
    ],
)
def test_a_title_is_never_the_markup_of_the_text(
    site: Site, head: str, body: str, title: str
) -> None:
    """What front matter says is text, stars and all: so do Jekyll's pages and its feed."""
    site.configure(lambda text: text.replace("    layout: plain\n", ""))
    site.post("2019-01-01-java-email-04-java-http.md", f"---\n{head}\n---\n{body}\n")
    assert only(site).title == title


def test_liquid_knows_the_date_and_the_title_of_a_post_without_them(site: Site) -> None:
    site.configure(lambda text: text.replace("    layout: plain\n", ""))
    site.post(
        "2022-01-27-my-name.md",
        "---\nlayout: post\n---\n{{ page.title }} {{ page.date | date: '%Y/%m/%d' }}",
    )
    assert "<p>My Name 2022/01/27</p>" in only(site).content[0].value


def test_links_of_other_kinds_stay_links(site: Site) -> None:
    links = ("ftp://e.example/a", "ircs://e.example/b", "javascript:alert(1)")
    found = content(site, "".join(f'<p><a href="{link}">x</a></p>' for link in links))
    assert 'href="ftp://e.example/a"' in found
    assert 'href="ircs://e.example/b"' in found
    assert "javascript" not in found
