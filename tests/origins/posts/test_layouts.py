"""Which files of a folder are posts, by the rules of the program that the blog is made for."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CONFIG, Site, article

Configure = Callable[[str], Site]


@pytest.fixture
def blog(site: Site) -> Configure:
    """A site with other keys for its posts folder."""

    def configure(keys: str = "path: posts") -> Site:
        text = CONFIG.replace("  - path: posts\n", f"  - {{{keys}}}\n")
        site.config.write_text(text, encoding="utf-8")
        return site

    return configure


def titles(site: Site) -> set[str]:
    return {entry.title for entry in site.entries()}


def test_only_dated_names_are_posts_and_the_others_are_counted(blog: Configure) -> None:
    site = blog()
    site.post("2022-01-27-post.md", article("Post"))
    site.post("2022-01-27-other.markdown", article("Other"))
    site.post("2021/2021-1-2-below.html", article("Below"))
    site.post("template.md", article("Template"))
    site.post("README.md", "# Read me")
    site.post("2022-10-09-no-ending", article("No ending"))
    site.post("_drafts/draft.md", article("Draft"))
    site.post("2022-01-28-hidden.md", article("Hidden", extra="published: false"))
    result = site.build()
    assert titles(site) == {"Post", "Other", "Below"}
    assert "4 files are not posts" in result.out
    assert "1 draft not published" in result.out
    assert site.problems() == []
    assert "4 files are not posts" in site.run("check").out
    (origin,) = (
        origin
        for origin in site.run("status", "--json").json["origins"]
        if origin["origin"].startswith("posts:")
    )
    assert (origin["others"], origin["drafts"]) == (4, 1)
    assert "4 files are not posts" in site.run("status").out


def test_one_file_that_is_no_post_is_told_in_the_singular(blog: Configure) -> None:
    site = blog()
    site.post("2022-01-27-post.md", article("Post"))
    site.post("README.md", "# Read me")
    assert "1 file is not a post" in site.build().out


def test_a_post_without_front_matter_has_the_title_of_its_name(blog: Configure) -> None:
    site = blog()
    site.post("2022-01-27-java-email-04-Java-HTTP.md", "Text without a **title**.\n\n- a\n")
    site.build()
    (entry,) = site.entries()
    assert entry.title == "Java Email 04 Java Http"
    assert entry.published == "2022-01-27T00:00:00+08:00"
    assert site.problems() == []


def test_front_matter_may_end_with_dots(blog: Configure) -> None:
    site = blog()
    site.post("2022-01-27-dots.md", "---\ntitle: Dots\n...\nText\n\n---\n\nmore\n")
    site.build()
    (entry,) = site.entries()
    assert entry.title == "Dots"
    assert entry.content[0].value.startswith("<p>Text</p>")
    assert site.problems() == []


@pytest.mark.parametrize("mark", ["_config.yml", "_posts"])
def test_of_a_site_every_folder_of_posts_is_read(blog: Configure, mark: str) -> None:
    site = blog("path: ., layout: jekyll")
    if mark == "_config.yml":
        (site.root / mark).write_text("title: x\n")
    for path in (
        "en/news/_posts/2022-01-27-a.md",
        "_posts/2021/2022-01-27-b.md",
        "2022-01-27-page.md",
        "about/2022-01-27-page.md",
        "_site/_posts/2022-01-27-built.md",
        "vendor/bundle/_posts/2022-01-27-gem.md",
        "_layouts/2022-01-27-layout.md",
    ):
        site.post(f"../{path}", f"---\ntitle: {path}\ncategories: x\n---\nText")
    site.build()
    assert titles(site) == {"en/news/_posts/2022-01-27-a.md", "_posts/2021/2022-01-27-b.md"}
    terms = {entry.title[:2]: [tag.term for tag in entry.tags] for entry in site.entries()}
    assert terms == {"en": ["en", "news", "x"], "_p": ["x"]}


def test_hugo_posts_have_their_dates_in_front_matter(blog: Configure) -> None:
    site = blog("path: posts, layout: hugo")
    head = '+++\ntitle = "{}"\ndate = 2022-01-27T10:00:00+08:00\n{}+++\nText'
    site.post("first.md", head.format("First", ""))
    site.post("tech/second/index.md", head.format("Second", 'slug = "two"\n'))
    site.post("third.md", head.format("Third", "draft = true\n"))
    site.post("_index.md", head.format("Section", ""))
    site.post("call.md", head.format("Call", "") + " {{< figure src=x >}}end {{% note %}}")
    site.configure(
        lambda text: text.replace("posts:\n", '  permalink: "/posts/:path/"\nposts:\n', 1)
    )
    result = site.build()
    assert titles(site) == {"First", "Second", "Call"}
    assert "1 file is not a post" in result.out
    links = {entry.title: entry.link for entry in site.entries()}
    assert links["First"] == "https://finews.example.org/posts/first/"
    assert links["Second"] == "https://finews.example.org/posts/tech/second/"
    assert all(entry.published.startswith("2022-01-27T10") for entry in site.entries())
    assert site.problems() == []


@pytest.mark.parametrize("key", ["date", "created", "pubDate"])
def test_plain_posts_are_all_files_that_the_glob_matches(blog: Configure, key: str) -> None:
    site = blog('path: posts, layout: plain, glob: "**/*.md"')
    site.post("notes/Note one.md", f"---\ntitle: Note\n{key}: 2022-01-27 10:00\n---\nText")
    site.build()
    (entry,) = site.entries()
    assert (entry.title, entry.published) == ("Note", "2022-01-27T10:00:00+08:00")


def test_the_time_of_a_file_never_dates_a_post(blog: Configure, tmp_path: Path) -> None:
    site = blog()
    site.post("notes.md", "---\ntitle: x\n---\nx")
    site.post("2022-01-27-a.md", "---\ntitle: a\n---\nx")
    site.build()
    assert [entry.published[:10] for entry in site.entries()] == ["2022-01-27"]


def test_posts_without_a_category_belong_to_the_site(blog: Configure) -> None:
    site = blog()
    first = site.post("2022-01-27-a.md", "---\ntitle: A\n---\nx")
    site.configure(lambda text: text + "  formats: [atom, rss, json]\n")
    site.build()
    (entry,) = site.entries()
    assert (entry.author, entry.get("tags", [])) == ("财经新闻", [])
    assert "source" not in entry
    assert not list(site.feeds.glob("sources/*"))
    assert site.run("sources", "--json").json == []
    site.post("2022-01-28-b.md", "---\ntitle: B\ncategories: news\n---\nx")
    first.write_text("---\ntitle: A\n---\nnew\n", "utf-8")
    site.build()
    by_title = {entry.title: entry for entry in site.entries()}
    assert "new" in by_title["A"].content[0].value
    assert by_title["B"].author == "news"
    assert [path.name for path in site.feeds.glob("sources/*.atom")] == ["news.atom"]
    # A post that loses its category becomes the site's, one that gets one leaves it.
    first.write_text("---\ntitle: A\ncategory: news\n---\nnew\n", "utf-8")
    (site.posts / "2022-01-28-b.md").write_text("---\ntitle: B\n---\nx", "utf-8")
    site.build()
    by_title = {entry.title: entry.author for entry in site.entries()}
    assert by_title == {"A": "news", "B": "财经新闻"}
    assert [entry.title for entry in site.entries("sources/news.atom")] == ["A"]


def test_a_folder_may_name_the_source_of_its_posts(blog: Configure) -> None:
    site = blog("path: posts, source: notes")
    site.configure(lambda text: f"{text}sources: {{notes: {{name: Notizen}}}}\n")
    site.post("2022-01-27-a.md", "---\ntitle: A\ncategories: [x, y]\n---\nx")
    site.build()
    (entry,) = site.entries("sources/notes.atom")
    assert entry.author == "Notizen"
    assert [tag.term for tag in entry.tags] == ["notes", "x", "y"]


def test_two_posts_with_one_path_in_two_folders_are_two_articles(blog: Configure) -> None:
    site = blog("path: en")
    site.configure(lambda text: text.replace("posts:\n", "posts:\n  - path: ja\n"))
    for folder, title, text in (("en", "English", "Words"), ("ja", "日本語", "言葉")):
        site.post(f"../{folder}/2022-01-27-a.md", f"---\ntitle: {title}\n---\n{text}")
        site.post(f"../{folder}/2022-01-27-b.md", f"---\ntitle: Same\n---\n{text}")
    site.build()
    before = {entry.title: entry.id for entry in site.entries()}
    assert set(before) == {"English", "日本語", "Same"}
    assert len(set(before.values())) == 3
    (problem,) = site.problems()
    assert problem["file"] == "en/2022-01-27-a.md"
    assert "both are published" in problem["reason"]
    # It stays so: whatever is edited, and after the store is lost.
    site.post("../ja/2022-01-27-a.md", "---\ntitle: English\n---\nWords")
    site.build()
    assert {entry.id for entry in site.entries()} == set(before.values())
    site.post("../ja/2022-01-27-a.md", "---\ntitle: 日本語\n---\n言葉")
    site.build()
    site.store.unlink()
    site.build()
    assert {entry.title: entry.id for entry in site.entries()} == before


def test_a_post_that_moves_to_another_folder_stays_the_same_article(blog: Configure) -> None:
    site = blog("path: old")
    site.configure(lambda text: text.replace("posts:\n", "posts:\n  - path: new\n"))
    path = site.post("../new/2022-01-27-a.md", "---\ntitle: A\n---\nWords")
    site.post("../old/2022-01-20-b.md", "---\ntitle: B\n---\nText")
    site.post("../new/2022-01-20-c.md", "---\ntitle: C\n---\nText")
    site.build()
    before = {entry.title: entry.id for entry in site.entries()}
    path.unlink()
    site.post("../old/2022-01-27-a.md", "---\ntitle: A new\n---\nWords")
    site.build()
    after = {entry.title: entry.id for entry in site.entries()}
    assert after == {"A new": before["A"], "B": before["B"], "C": before["C"]}
    assert site.problems() == []


def test_what_was_published_and_is_no_post_leaves_the_feeds(blog: Configure) -> None:
    """With another layout, and where the glob was that of earlier versions."""
    site = blog('path: posts, layout: plain, glob: "*.md"')
    site.post("2022-01-27-a.md", "---\ntitle: A\n---\nx")
    site.post("template.md", "---\ntitle: Template\n---\nx")
    moved = site.post("2022-01-28-moved.md", "---\ntitle: Moved\n---\nx")
    site.build()
    before = {entry.title: (entry.id, entry.updated) for entry in site.entries()}
    assert set(before) == {"A", "Template", "Moved"}
    # So earlier versions published posts without a category.
    with contextlib.closing(sqlite3.connect(site.store)) as connection, connection:
        for table in ("article", "copy"):
            connection.execute(f"update {table} set source = 'unsorted'")
        connection.execute("insert into dirty_source values ('unsorted')")
    site.build("--no-poll")
    assert (site.feeds / "sources" / "unsorted.atom").exists()
    moved.unlink()
    blog()
    result = site.build()
    assert "draft" not in result.out
    del before["Template"]
    assert {entry.title: (entry.id, entry.updated) for entry in site.entries()} == before
    authors = {entry.title: entry.author for entry in site.entries()}
    assert authors["A"] == "财经新闻"
