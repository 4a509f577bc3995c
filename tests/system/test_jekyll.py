"""A blog with many habits, built by Jekyll and by us: the same posts, titles, dates and links."""

import datetime
import json
import os
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from conftest import CONFIG, Site

DATA = Path(__file__).parents[1] / "data" / "blog"
JEKYLL = shutil.which("jekyll")
pytestmark = pytest.mark.skipif(JEKYLL is None, reason="Jekyll is not installed")
# What Jekyll knows of its posts; `link` is their first link.
DUMP = """
Jekyll::Hooks.register :site, :post_render do |site|
  posts = site.posts.docs.map do |post|
    {"path" => post.relative_path, "title" => post.data["title"].to_s, "date" => post.date.iso8601,
     "url" => post.url, "link" => post.output.to_s[/href="([^"]*)"/, 1], "text" => post.content,
     "categories" => post.data["categories"], "tags" => post.data["tags"]}
  end
  File.write(File.join(site.source, "..", "dump.json"), JSON.generate(posts))
end
"""
POSTS = {
    "_posts/2021-03-01-a.md": "---\ntitle: Plain\n---\nText",
    "_posts/2021-03-02-no-Front-matter.md": "Just *text*, 没有.\n",
    "_posts/2021-03-03-dots.md": "---\ntitle: Dots\n...\nText",
    "_posts/2021-03-04-place.md": "---\ntitle: P\npermalink: /custom/place.html\n---\nText",
    "_posts/2021-03-05-template.md": "---\ntitle: P\npermalink: /x/:year/:title/\n---\nText",
    "_posts/2021-03-06-old-name.md": "---\ntitle: S\nslug: other-slug\n---\nText",
    "_posts/2021-03-07-Rails-3-2-10--3-1-9--and-2.md": "---\ntitle: R\n---\nText",
    "_posts/2021-03-08-with blanks & more-.md": "---\ntitle: B\n---\nText",
    "_posts/2021-03-09-中文，标题.md": "---\ntitle: 中文\ncategories: [技术, Web Dev]\n---\nText",
    "_posts/2021-03-10-dev.md": "---\ntitle: D\ncategory: Dev Ops\ntag: one tag\n---\nText",
    "_posts/2021-03-11-words.md": "---\ntitle: W\ncategories: Foo bar\ntags: a b\n---\nText",
    "_posts/2021-03-12-evening.md": "---\ntitle: E\ndate: 2021-03-12 20:30:00 +0800\n---\nText",
    "_posts/2021-03-13-zoneless.md": "---\ntitle: Z\ndate: 2021-03-13 20:30:00\n---\nText",
    "_posts/2021-03-14-minutes.md": "---\ntitle: M\ndate: 2021-03-14 20:30\n---\nText",
    "_posts/2021-03-15-elsewhere.md": "---\ntitle: L\ndate: 2021-03-15 20:30:00 -0800\n---\nText",
    "_posts/2021-03-16-year.md": "---\ntitle: Y\ndate: 2021-03-16 18:30:22 2021 -0800\n---\nText",
    "_posts/2021-03-16-colon.md": "---\ntitle: C\ndate: 2021-03-16 00:10::00 -03:00\n---\nText",
    "_posts/2021-3-6-short.md": "---\ntitle: Short\n---\nText",
    "_posts/2021-03-17-dot.name.md": "---\ntitle: Dot\n---\nText",
    "_posts/2021-03-18-page.html": "---\ntitle: H\n---\n<p>Text</p>",
    "_posts/2021-03-19-hidden.md": "---\ntitle: Hidden\npublished: false\n---\nText",
    "_posts/2021/deep/2021-03-20-deep.markdown": "---\ntitle: Deep\n---\nText",
    "_posts/2021-03-21-untitled-Post.md": "---\nlayout: null\n---\nBest **post** ever",
    "_posts/2021-03-22-links.md": "---\ntitle: 1\n---\n[x]({% post_url 2021-03-09-中文，标题 %})",
    "_posts/2021-03-23-links.md": "---\ntitle: 2\n---\n[x]({% post_url 2021-03-04-place %})",
    "_posts/2021-03-24-links.md": "---\ntitle: 3\n---\n"
    "[x]({% link _posts/2021-03-06-old-name.md %})",
    "_posts/2021-03-25-links.md": "---\ntitle: 4\n---\n"
    "[x]({% post_url 2021/deep/2021-03-20-deep %})",
    "_posts/2021-03-26-links.md": "---\ntitle: 5\n---\n[x]({% post_url en/news/2021-03-27-same %})",
    "_posts/2021-03-28-links.md": "---\ntitle: 6\n---\n[x]({{ '/a/' | relative_url }})",
    "_posts/2021-03-29-links.md": "---\ntitle: 7\n---\n[x]({{ site.baseurl }}/b/)",
    "_posts/template.md": "---\ntitle: Template\n---\nText",
    "_posts/README.md": "# Read me",
    "_posts/2021-03-30-no-ending": "---\ntitle: N\n---\nText",
    "_posts/_old/2021-03-01-old.md": "---\ntitle: Old\n---\nText",
    "_drafts/draft.md": "---\ntitle: Draft\n---\nText",
    "en/news/_posts/2021-03-27-same.md": "---\ntitle: Same\ncategories: [x, News]\n---\nText",
    "ja/news/_posts/2021-03-27-same.md": "---\ntitle: 同じ\n---\n本文",
    "about.md": "---\ntitle: About\n---\nText",
    "2021-03-01-page.md": "---\ntitle: Page\n---\nText",
}
# Jekyll reads a date without a zone as UTC, we as the site's.
OTHER_DATES = {"_posts/2021-03-13-zoneless.md"}
TEMPLATES = [
    "date",
    "weekdate",
    "/:slugified_categories/:short_year/:short_month/:long_day/:y_day/:title:output_ext",
    "/:path/:name/",
]
MORE_TEMPLATES = [
    "pretty",
    "ordinal",
    "none",
    "/:categories/:title",
    "/blog/:year-:i_month-:i_day/:slug.html",
]


def by_jekyll(folder: Path, template: str) -> dict[str, dict[str, Any]]:
    """The posts of a folder as Jekyll has them, by path."""
    (folder / "_plugins").mkdir(exist_ok=True)
    (folder / "_plugins" / "dump.rb").write_text(DUMP)
    (folder / "_config.yml").write_text(
        "title: Blog\nurl: https://blog.example.org\nbaseurl: /b\ntimezone: Asia/Shanghai\n"
        f'permalink: "{template}"\n'
    )
    subprocess.run(
        [str(JEKYLL), "build", "--quiet", "--disable-disk-cache", "--destination", "../_built"],
        cwd=folder,
        env={**os.environ, "LANG": "C.UTF-8"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    return {post["path"]: post for post in json.loads((folder.parent / "dump.json").read_text())}


def by_us(site: Site) -> dict[str, Any]:
    """The entries of a site's feed by the path of their posts."""
    site.build("--full")
    entries = {}
    for entry in site.entries():
        code = entry.id.partition(":posts/")[2]
        entries[unquote(code)] = entry
    return entries


def path_of(url: str) -> str:
    """The path of a URL; Jekyll's `relative_url` makes commas of full-width ones."""
    return unicodedata.normalize("NFKC", unquote(urlsplit(url).path))


@pytest.fixture
def blog(site: Site) -> Site:
    for path, text in POSTS.items():
        file = site.root / "blog" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    shutil.copytree(DATA, site.root / "blog", dirs_exist_ok=True)
    return site


def configure(blog: Site, template: str) -> None:
    """Give the site the address and the permalinks that Jekyll's has."""
    text = CONFIG.replace("- path: posts", "- path: blog").replace("https://fin", "https://blog.")
    text = text.replace(
        "url: https://blog.ews.example.org/\n", "url: https://blog.example.org/b/\n"
    )
    text = text.replace("posts:\n", f'  permalink: "{template}"\nposts:\n', 1)
    blog.config.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "template",
    [
        *TEMPLATES,
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in MORE_TEMPLATES),
    ],
)
def test_the_same_posts_titles_dates_and_links(blog: Site, template: str) -> None:
    configure(blog, template)
    expected = by_jekyll(blog.root / "blog", template)
    found = by_us(blog)
    assert set(found) == set(expected)
    for path, post in expected.items():
        entry = found[path]
        assert entry.title == post["title"], path
        assert unquote(entry.link) == unquote(f"https://blog.example.org/b{post['url']}"), path
        # The first category is the source, and its term the name of the feed's file.
        terms = [tag.term for tag in entry.get("tags", [])][bool(post["categories"]) :]
        assert terms == [*post["categories"][1:], *post["tags"]], path
        if path not in OTHER_DATES:
            ours = datetime.datetime.fromisoformat(entry.published)
            assert ours == datetime.datetime.fromisoformat(post["date"]), path
        if path in POSTS and post["link"]:
            href = entry.content[0].value.partition('href="')[2].partition('"')[0]
            assert path_of(href) == path_of(post["link"]), path


BLOCKS = [
    "p", "div", "section", "ul", "ol", "li", "dl", "dt", "dd", "pre", "blockquote", "table", "tr",
    "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "center", "br", "hr",
]  # fmt: skip


def words(html: str) -> list[str]:
    """The words that a reader sees; kinds of quotes, dashes and dots are one."""
    soup = BeautifulSoup(html, "lxml")
    for box in soup.select("input[type=checkbox]"):
        # Feed readers show no forms: these have a sign.
        box.replace_with("☑ " if box.has_attr("checked") else "☐ ")
    for block in soup.find_all(BLOCKS):
        block.insert_before("\n")
        block.append("\n")
    text = soup.get_text()
    for typographic, plain in (("“”", '"'), ("‘’", "'"), ("–", "--"), ("…", "...")):
        text = re.sub(f"[{typographic}]", plain, text)
    return text.split()


def addresses(html: str, page: str) -> list[str]:
    """What a text links to and shows, in order."""
    soup = BeautifulSoup(html, "lxml")
    found = [tag.get("href") or tag.get("src") for tag in soup.select("a[href], img[src]")]
    return [unquote(urljoin(page, str(url))) for url in found]


# What takes the place of an embedded page, which feed readers do not show.
VIDEOS = {
    "www.youtube.com/embed/abc_DEF-1": (
        "www.youtube.com/watch?v=abc_DEF-1", "i.ytimg.com/vi/abc_DEF-1/hqdefault.jpg"
    ),
    "player.bilibili.com/player.html": ("www.bilibili.com/video/BV1xx411c7mD", ""),
    "maps.example.org/embed": ("maps.example.org/embed?q=a", ""),
    "player.vimeo.com/video/12345": ("vimeo.com/12345", ""),
}  # fmt: skip


def with_our_exceptions(html: str) -> str:
    """The text of Jekyll as we mean to have it: what differs on purpose is named here."""
    soup = BeautifulSoup(html, "lxml")
    for frame in soup.find_all("iframe"):
        page, picture = VIDEOS[str(frame["src"]).partition("//")[2].partition("?")[0]]
        image = f'<img src="https://{picture}">' if picture else ""
        link = f'<p><a href="https://{page}">{image}{page}</a></p>'
        frame.replace_with(BeautifulSoup(link, "lxml"))
    # Files of the site are not read; a problem says so.
    for included in soup.select(".included"):
        included.decompose()
    # A note has its number before it, and no arrow back to a place that a reader cannot go to.
    for arrow in soup.select("a.reversefootnote"):
        arrow.decompose()
    for number, note in enumerate(soup.select(".footnotes li"), 1):
        note.insert(0, f"{number}\n")
    return str(soup)


def test_the_same_texts(blog: Site) -> None:
    configure(blog, "pretty")
    expected = by_jekyll(blog.root / "blog", "pretty")
    found = by_us(blog)
    different = {}
    for path, post in expected.items():
        page = f"https://blog.example.org/b{post['url']}"
        ours, theirs = (
            (words(text), addresses(text, page))
            for text in (found[path].content[0].value, with_our_exceptions(post["text"]))
        )
        if ours != theirs:
            different[path] = ours, theirs
    assert different == {}
    notes = {problem["file"]: problem["reason"] for problem in blog.problems()}
    assert "include" in notes.pop("blog/_posts/2021-05-15-include.md")
    assert notes == {}
