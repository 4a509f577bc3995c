"""Whatever an ordinary Jekyll blog of any age holds."""

import html
import re
from pathlib import Path

import pytest
from conftest import Site, article, share_url
from one_post import content, only


@pytest.fixture
def tree(site: Site) -> Site:
    """A site whose posts stand in folders, with every extension."""
    site.configure(lambda text: text.replace("path: posts", 'path: posts\n    glob: "**/*"'))
    return site


@pytest.mark.parametrize(
    ("head", "source", "others"),
    [
        ("categories: tech", "tech", []),
        ("categories: tech web news", "tech", ["web", "news"]),
        ("categories: [tech, Web Dev]", "tech", ["Web Dev"]),
        ("categories:\n  - tech\n  - web", "tech", ["web"]),
        ("category: tech\ntags: null", "tech", []),
        ("category: web\ncategories: tech", "tech", ["web"]),
        ("categories: []\ntags: [a, b]", "", ["a", "b"]),
        ("categories: ~\ntags: a b", "", ["a", "b"]),
        ("categories: 2021", "2021", []),
    ],
)
def test_categories_and_tags(site: Site, head: str, source: str, others: list[str]) -> None:
    site.post("2022-01-27-x.md", f"---\ntitle: Titel\n{head}\n---\nText")
    entry = only(site)
    assert entry.author == (source or "财经新闻")
    assert [tag.term for tag in entry.tags] == [*([source] if source else []), *others]


@pytest.mark.parametrize(
    ("head", "author"),
    [
        ("author: Hux", "Hux"),
        ("author: [Ann, Bob]", "Ann, Bob"),
        ("author: {name: Ann, email: a@b.example}", "Ann"),
        ("authors:\n  - name: Ann\n  - Bob\n  - Ann", "Ann, Bob"),
        ("author: <b>Ann</b>\nauthors: [Bob]", "Ann, Bob"),
        ("author: a@b.example", "tech"),
        ("author: [{url: x}, 7]", "7"),
        ("author:", "tech"),
    ],
)
def test_the_author_of_the_front_matter_is_that_of_the_entry(
    site: Site, head: str, author: str
) -> None:
    site.post("2022-01-27-x.md", f"---\ntitle: Titel\ncategories: tech\n{head}\n---\nText")
    assert only(site).author == author
    assert [tag.term for tag in only(site).tags] == ["tech"]


def test_a_date_in_a_name_that_does_not_exist_is_noted(site: Site) -> None:
    site.configure(lambda text: text.replace("    layout: plain\n", ""))
    site.post("2021-13-45-bad.md", "---\ntitle: Titel\n---\nText")
    site.post("2021-12-31-good.md", "---\ntitle: Titel\n---\nText")
    site.build()
    (problem,) = site.problems()
    assert problem["file"] == "posts/2021-13-45-bad.md"
    assert problem["reason"].startswith("the date in its name does not exist: 20")


@pytest.mark.parametrize("head", ["draft: true", "published: false", 'published: "false"'])
def test_what_is_not_to_be_published_is_not(site: Site, head: str) -> None:
    path = site.post("2022-01-27-x.md", article("Titel", extra=head))
    site.post("2022-01-26-y.md", article("anders"))
    assert only(site).title == "anders"
    path.write_text(article("Titel"))
    site.build()
    assert len(site.entries()) == 2
    path.write_text(article("Titel", extra=head))
    assert only(site).title == "anders"


@pytest.mark.parametrize(
    ("date", "published"),
    [
        (None, "2022-01-27T00:00:00+08:00"),
        ("2020-01-01 +0800", "2020-01-01T00:00:00+08:00"),
        ("2020-01-01", "2020-01-01T00:00:00+08:00"),
        ("2020/1/2 3:04", "2020-01-02T03:04:00+08:00"),
        ("2020-01-01 10:00:00 -0500", "2020-01-01T23:00:00+08:00"),
        ("2020-01-01T10:00:00.123Z", "2020-01-01T18:00:00+08:00"),
        ("99:99::99", "2022-01-27T00:00:00+08:00"),
        ("2020-01-01 99:99::99", "2022-01-27T00:00:00+08:00"),
        ("Fri Sep 9 17:54:00 2011", "2011-09-09T17:54:00+08:00"),
        ("Fri Sep 9", "2022-01-27T00:00:00+08:00"),
        ("soon", "2022-01-27T00:00:00+08:00"),
        ("[2020-01-01]", "2022-01-27T00:00:00+08:00"),
    ],
)
def test_dates(site: Site, date: str | None, published: str) -> None:
    site.post("2022-1-27-x.md", article("Titel", date=date))
    site.build()
    (entry,) = site.entries()
    assert entry.published == published
    # What cannot be read is the name's, and is said.
    is_unread = date is not None and published == "2022-01-27T00:00:00+08:00"
    assert [date in problem["reason"] or "[" in date for problem in site.problems()] == (
        [True] if is_unread else []
    )


def test_a_date_that_is_missing_everywhere_is_that_of_the_code(site: Site) -> None:
    code = "NW202201270000000001"
    site.post("x.md", article("Titel", date=None, share=share_url(code)))
    assert only(site).published == "2022-01-27T00:00:00+08:00"


def test_every_ending_and_folders_of_folders(tree: Site) -> None:
    for name in (
        "a.md",
        "b.markdown",
        "c.html",
        "d",
        "2020/e.md",
        "2020/05/f.md",
        "tech/_posts/g.md",
    ):
        tree.post(name, article(name))
    tree.post("_drafts/h.md", article("draft"))
    tree.post("2020/picture.png", b"\x89PNG\r\n")
    tree.post("style.css", "---\n---\np {}")
    tree.post("LICENSE", "Do what you want.")
    tree.post(".hidden.md", article("hidden"))
    tree.post("backup.md~", article("backup"))
    tree.build()
    assert tree.problems() == []
    titles = {entry.title for entry in tree.entries()}
    assert titles == {
        "a.md", "b.markdown", "c.html", "d", "2020/e.md", "2020/05/f.md", "tech/_posts/g.md",
    }  # fmt: skip


def test_slugs_that_repeat_are_articles_of_their_own(tree: Site) -> None:
    tree.post("2020/2020-01-01-hello.md", article("eins"))
    tree.post("2021/2020-01-01-hello.md", article("zwei"))
    tree.build()
    assert len({entry.id for entry in tree.entries()}) == 2


def test_the_simple_glob_stays_in_its_folder(site: Site) -> None:
    site.post("a.md", article("a"))
    site.post("sub/b.md", article("b"))
    assert only(site).title == "a"


LIQUID = {
    "variables": ("{{ site.url }}/x {{ page.title }} {{ page.nothing }}", "Titel"),
    "site": ("[x]({{ site.url }}/x)", 'href="https://finews.example.org/x"'),
    "baseurl": ("[x]({{ site.baseurl }}/x)", 'href="https://finews.example.org/x"'),
    "raw": ("{% raw %}{{ shown }}{% endraw %}", "{{ shown }}"),
    "highlight": ("{% highlight py %}\nif a < b: c\n{% endhighlight %}", "if a &lt; b: c"),
    "post_url": (
        "[x]({% post_url 2020-01-02-hi %})",
        "https://finews.example.org/2020/01/02/hi.html",
    ),
    "conditions": ("{% if page.title %}ja{% else %}nein{% endif %}", "<p>ja</p>"),
    "comment": ("a{% comment %}b{% endcomment %}c", "<p>ac</p>"),
    "attributes": ("*a*{: .x}\n{: #y}", "<p><em>a</em></p>"),
}


@pytest.mark.parametrize("case", LIQUID)
def test_liquid(site: Site, case: str) -> None:
    body, expected = LIQUID[case]
    found = content(site, body)
    assert expected in found
    if case != "raw":
        assert not re.search(r"\{\{|\}\}|\{%|%\}|\{:", found)


@pytest.mark.parametrize(
    "body",
    [
        "vor {% youtube abc %} nach",
        "vor {% include x.html %} nach",
        "vor {% if %} nach",
        "vor {{ nach",
    ],
)
def test_liquid_that_is_unknown_is_dropped_and_told(site: Site, body: str) -> None:
    site.post("2022-01-27-x.md", f"---\ntitle: Titel\n---\n\n{body}")
    site.build()
    (entry,) = site.entries()
    found = entry.content[0].value
    assert re.fullmatch(r"<p>vor\s+nach</p>", found)
    (problem,) = site.problems()
    assert "Liquid" in problem["reason"]


def test_liquid_without_end_is_refused_in_time(site: Site) -> None:
    site.post("bad.md", "---\ntitle: x\n---\n{% for i in (1..100000000) %}x{% endfor %}")
    site.post("good.md", article("gut"))
    site.build(timeout=15)
    assert [entry.title for entry in site.entries()] == ["gut"]
    assert "limit" in site.problems()[0]["reason"]


def test_addresses_become_absolute(site: Site) -> None:
    found = content(
        site,
        '<p><a href="/a">a</a><a href="b.html">b</a><a href="//c.example/d">c</a>'
        '<a href="mailto:x@e.example">m</a><img src="i.png" srcset="i.png 1x, /j.png 2x">'
        '<video src="/v.mp4" poster="p.jpg"></video></p>',
    )
    assert re.findall(r'(?:href|src|srcset|poster)="([^"]*)"', found) == [
        "https://finews.example.org/a",
        "https://finews.example.org/b.html",
        "https://c.example/d",
        "mailto:x@e.example",
        "https://finews.example.org/i.png",
        "https://finews.example.org/i.png 1x, https://finews.example.org/j.png 2x",
        "https://finews.example.org/v.mp4",
        "https://finews.example.org/p.jpg",
    ]


def test_markdown_with_tables_code_and_raw_html(site: Site) -> None:
    found = content(
        site, "# H\n\n* a\n* **b**\n\n|x|y|\n|-|-|\n|1|2|\n\n<div>roh</div>\n\n~~weg~~ `c`"
    )
    for piece in (
        "<h1>H</h1>",
        "<strong>b</strong>",
        "<td>1</td>",
        "<div>roh</div>",
        "<del>weg</del>",
    ):
        assert piece in found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "**加粗：**后面的字，**“引号”**后面。",
            "<p><strong>加粗：</strong>后面的字，<strong>“引号”</strong>后面。</p>",
        ),
        ("这是**“引号”**后面", "<p>这是<strong>“引号”</strong>后面</p>"),
        ("**UPDATE:**Fixed *it*", "<p><strong>UPDATE:</strong>Fixed <em>it</em></p>"),
        ("**plain** and **（*both*）**字", "<p><strong>plain</strong> and "
         "<strong>（<em>both</em>）</strong>字</p>"),
        ("`**a：**b` 2 ** 3 ** 4", "<p><code>**a：**b</code> 2 ** 3 ** 4</p>"),
        ("```\n**a：**b\n```", "<pre><code>**a：**b\n</code></pre>"),
    ],
)  # fmt: skip
def test_bold_beside_punctuation(site: Site, body: str, expected: str) -> None:
    assert content(site, body) == expected


def test_a_scraped_body_is_not_taken_for_markdown(site: Site) -> None:
    body = "<p>5*3*2 = 30</p>\n\n    <p>eingerückt_und_mit_strichen</p>\n\n<p>1. Punkt</p>"
    found = content(site, body)
    assert "<code>" not in found
    assert "<em>" not in found
    assert "5*3*2" in found


def test_an_html_post_is_not_taken_for_markdown(tree: Site) -> None:
    assert content(tree, "5 *mal* 3\n\n# 15", "2022-01-27-x.html") == "5 *mal* 3\n\n# 15"


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"], ids=["CRLF", "CR", "LF"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "BOM"])
def test_line_ends_and_byte_order_marks_change_nothing(site: Site, start: str, end: str) -> None:
    code = "NW202201270000000001"
    text = article("Titel", "<p>eins\nzwei</p>\n\n<p>drei</p>", share=share_url(code))
    site.post("x.md", start + text.replace("\n", end))
    entry = only(site)
    assert entry.id.endswith(f":{code}")
    assert (entry.title, entry.author) == ("Titel", "华夏时报")
    assert entry.content[0].value == "<p>eins\nzwei</p>\n\n<p>drei</p>"


def test_rolling_news_and_its_twin_are_one_entry_with_the_longer_text(site: Site) -> None:
    digits = "202201272264567295"
    link = f"<http://finance.example.com/news/11158,{digits}.html>"
    rolling = f"---\ntitle: Titel\ndate: 2022-01-27 09:00:00\n---\n> Kurz.\n\n{link}\n\n<>\n"
    path = site.post(f"2022-01-27-{digits}.md", rolling)
    entry = only(site)
    assert entry.content[0].value == "<blockquote>\n<p>Kurz.</p>\n</blockquote>"
    assert entry.link == f"http://finance.example.com/news/11158,{digits}.html"
    whole = article("Titel", "<p>Lang.</p>", share=share_url("NW" + digits))
    site.post(f"2022-01-27-NW{digits}.md", whole)
    assert only(site).content[0].value == "<p>Lang.</p>"
    path.unlink()
    assert only(site).content[0].value == "<p>Lang.</p>"


def test_an_address_that_names_no_article_is_text(site: Site) -> None:
    assert "https://example.com/" in content(site, "<p>Text</p>\n\n<https://example.com/>")


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ('title: "Er sagte "nein" dazu"', 'Er sagte "nein" dazu'),
        ("title: a: b: c", "a: b: c"),
        ("title: 'it's'", "it's"),
        ("title: [快讯] 涨了", "[快讯] 涨了"),
        ("title: @x", "@x"),
        ('title: "a\\b"', "a\\b"),
        ("title: 100%", "100%"),
        ("title: 2021", "2021"),
        ("title: yes", "yes"),
        ('title: "<b>fett</b> & 1 < 2"', "<b>fett</b> & 1 < 2"),
    ],
)
def test_titles(site: Site, line: str, title: str) -> None:
    site.post("2022-01-27-x.md", f"---\n{line}\ndate: 2022-01-27\n---\nText")
    site.build()
    (entry,) = site.entries()
    if "\\b" in line:
        title = "a"  # an escape of YAML: a backspace, which XML has no place for
    shown = entry.title
    if entry.title_detail.type == "text/html":
        shown = html.unescape(shown)
    assert shown == title
    assert site.problems() == []


def test_posts_of_two_folders_with_one_code(site: Site, tmp_path: Path) -> None:
    site.configure(
        lambda text: text.replace(
            "- path: posts", "- path: old\n    layout: plain\n  - path: posts"
        )
    )
    code = "NW202201270000000001"
    (site.root / "old").mkdir()
    path = site.post(f"2022-01-27-{code}.md", article("Titel"))
    entry = only(site)
    path.rename(site.root / "old" / path.name)
    site.post("other.md", article("anders"))
    site.build()
    moved = next(found for found in site.entries() if found.title == "Titel")
    assert (moved.id, moved.updated) == (entry.id, entry.updated)
