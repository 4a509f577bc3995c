"""Pages come from templates, each of which an owner can replace."""

import pytest
from conftest import Site
from read_site import FORMATS, add, page_of, text


@pytest.fixture
def own(site: Site) -> Site:
    """A site with a folder of templates."""
    (site.root / "look").mkdir()
    site.configure(lambda text: text.replace("  tag:", "  templates: look\n  tag:") + FORMATS)
    add(site, 1, title="A <b>&amp; 'title'")
    return site


def test_everything_is_escaped(own: Site) -> None:
    own.build()
    for path in (page_of(1), "all.html", "index.html", "articles/2022/01/index.html"):
        page = text(own, path)
        assert "A <b>" not in page
        assert "A &lt;b&gt;&amp;amp; &#39;title&#39;" in page


def test_one_template_is_replaced(own: Site) -> None:
    (own.root / "look" / "bottom.html").write_text(
        "<footer>Published by {{ frame.title }}</footer>"
    )
    own.build()
    for path in (page_of(1), "all.html", "articles/index.html"):
        assert "<footer>Published by 财经新闻</footer>" in text(own, path)
    # The rest is ours.
    assert 'class="h-entry"' in text(own, page_of(1))


def test_a_template_extends_ours_and_includes_its_own(own: Site) -> None:
    look = own.root / "look"
    (look / "article.html").write_text(
        '{% extends "page.html" %}{% block main %}{% include "byline.html" %}'
        "{{ entry.content | html }}{% endblock %}"
    )
    (look / "byline.html").write_text("<p>by {{ entry.author }}</p>")
    own.build()
    page = text(own, page_of(1))
    assert "<p>by 华夏时报</p><p>正文。</p>" in page
    assert '<header class="top">' in page


def test_the_style_is_replaced_too(own: Site) -> None:
    (own.root / "look" / "feeds.css").write_text("body { color: teal }")
    own.build()
    assert text(own, "feeds.css") == "body { color: teal }"


def test_a_changed_template_is_noticed(own: Site) -> None:
    own.build()
    bottom = own.root / "look" / "bottom.html"
    bottom.write_text("<footer>eins</footer>")
    own.build()
    assert "<footer>eins</footer>" in text(own, page_of(1))
    bottom.write_text("<footer>zwei</footer>")
    own.build()
    assert "<footer>zwei</footer>" in text(own, page_of(1))
    bottom.unlink()
    own.build()
    assert "zwei" not in text(own, page_of(1))


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% if %}", "template article.html, line 1: Expected an expression"),
        ("{{ entry.titel }}", "template article.html, line 1: "),
        (
            "{% extends 'nothing.html' %}",
            "there is no template nothing.html",
        ),
        ("{{ 1 / 0 }}", "template article.html, line 1: ZeroDivisionError: division by zero"),
        ("{{ entry.title + 1 }}", "template article.html, line 1: TypeError: "),
        ("{{ [].pop() }}", "template article.html, line 1: IndexError: "),
        ("{% include 'article.html' %}", "RecursionError: "),
    ],
)
def test_a_mistake_in_a_template_is_said_and_feeds_are_published(
    own: Site, template: str, reason: str
) -> None:
    own.build()
    before = text(own, page_of(1))
    (own.root / "look" / "article.html").write_text(template)
    add(own, 2)
    result = own.build(expect=1)
    assert result.err.count(reason) == 1
    assert len(own.entries()) == 2
    # What was published stays.
    assert text(own, page_of(1)) == before
    (own.root / "look" / "article.html").unlink()
    own.build()
    assert (own.feeds / page_of(2)).is_file()


def test_check_finds_mistakes(own: Site) -> None:
    assert own.run("check").code == 0
    (own.root / "look" / "feed.html").write_text("{% for %}\n")
    result = own.run("check")
    assert result.code == 1
    assert "site: templates: template feed.html, line 1: " in result.err
    assert own.run("check", "--json").json["templates"] != []


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("page.html", b"\xff", "is not UTF-8 text (byte 0)"),
        ("page.html", b"x" * 500_001, "is larger than 500,000 bytes"),
        (None, b"", "cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_read_is_an_error_of_the_configuration(
    own: Site, file: str | None, content: bytes, reason: str
) -> None:
    if file is None:
        (own.root / "look").rmdir()
    else:
        (own.root / "look" / file).write_bytes(content)
    result = own.build(expect=2)
    assert "site.templates: " in result.err
    assert reason in result.err
    assert "config.yaml:" in result.err
