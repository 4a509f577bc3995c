"""What public validators warn of is found by `aggregator check --feeds`, and not in our feeds."""

import html

import pytest
from conftest import Site, article
from one_feed import NOW, document, entry

from aggregator.model.feeds import ArchivePlace, Image
from aggregator.publish import atom, rss
from aggregator.publish.validate import validate

DOCUMENT = document(
    entry(
        title="A &amp; B, S&P500 </b>",
        alternate="https://a.example/文|1",
        image=Image("https://a.example/ü.jpg", 600, 400, "image/jpeg"),
        summary="1 &lt; 2 </p>",
    ),
    page="https://a.example/index.html",
    hubs=("https://hub.example/",),
    rights="© 2022 A & B",
    license="https://creativecommons.org/licenses/by/4.0/",
    logo="https://a.example/logo.png",
    archive=ArchivePlace(previous="https://a.example/archives/all.1.atom"),
)
FEEDS = {".atom": atom.render(DOCUMENT).decode(), ".rss": rss.render(DOCUMENT).decode()}


def reasons(extension: str, text: str) -> list[str]:
    return [reason for _, reason in validate(text.encode(), extension, NOW).problems]


@pytest.mark.parametrize("extension", FEEDS)
def test_our_feeds_give_no_cause(extension: str) -> None:
    assert reasons(extension, FEEDS[extension]) == []


XHTML = '<p xmlns="http://www.w3.org/1999/xhtml">x</p>'
SPOILT = [
    (".atom", "  <entry>\n", f"  {XHTML}<entry>\n", "<p> of XHTML"),
    (".rss", "    <item>\n", f"    {XHTML}<item>\n", "<p> of XHTML"),
    (".atom", "    <id>", f"    {XHTML}<id>", "<p> of XHTML"),
    (".atom", "  <entry>\n", '  <x xmlns="urn:x"/><entry>\n', "readers do not know urn:x"),
    (".atom", "</feed>", "<icon>x</icon></feed>", "icon: stands behind an entry"),
    (".rss", "</channel>", "<ttl>1</ttl></channel>", "ttl: stands behind an entry"),
    (".atom", 'xml:lang="zh-CN"', 'xml:lang="Chinese (simplified)"', "language"),
    (".rss", "<language>zh-CN", "<language>Chinese", "language"),
    (".atom", 'rel="via"', 'rel="origin"', "no such relation"),
    (".atom", 'rel="via"', 'rel="current"', "is for feeds"),
    (".atom", "%E6%96%87", "文", "must be percent-encoded"),
    (".rss", "%E6%96%87", "文", "must be percent-encoded"),
    (".rss", '<media:thumbnail url="https', '<media:thumbnail url="', "media:thumbnail"),
    (".atom", 'width="600"', 'width="60%"', "no number of pixels"),
    (".atom", ' type="html">A', ">A", "looks like HTML"),
    (".rss", "\u2060", "", "looks like HTML"),
    (".rss", "<description>1", "<x>1", "not well-formed"),
    (".rss", "<dc:creator>", "<author>x</author><dc:creator>", "say the same"),
    (".rss", "logo.png", "logo.webp", "may not show"),
    (".rss", "<image>", "<image><title>y</title>", "its title is not"),
]  # fmt: skip


@pytest.mark.parametrize(("extension", "old", "new", "reason"), SPOILT)
def test_what_validators_warn_of(extension: str, old: str, new: str, reason: str) -> None:
    assert old in FEEDS[extension]
    found = reasons(extension, FEEDS[extension].replace(old, new))
    assert any(reason in one for one in found), found


def test_content_needs_a_description_before_it() -> None:
    start, end = FEEDS[".rss"].index("<description>1"), FEEDS[".rss"].index("<media:thumbnail")
    text = FEEDS[".rss"][:start] + FEEDS[".rss"][end:]
    assert any("needs a description" in one for one in reasons(".rss", text))


def test_a_site_with_everything_gives_no_cause(site: Site) -> None:
    site.configure(
        lambda text: (
            text.replace(
                "  tag:", "  rights: '© A & B </b>'\n  license: https://a.example/l\n  tag:"
            )
            + "  formats: [atom, rss]\n  entries: 2\n  combined_entries: 2\n  tags: true\n"
            + "  hubs: [https://hub.example/]\n  extra: {light: {excerpt: true}}\n"
        )
    )
    nasty = html.escape("Q&A: S&P500 &copy; </b> <i> ]]> \u2060 &#39;")
    for number in range(6):
        text = f"<p>{nasty}</p><img src='/文 {number}|.jpg' width='300'><bdo dir=rtl>x</bdo>"
        site.post(f"{number}.md", article(f"{number} Q&A </b> &lt; &#39;", text))
    site.build()
    done = site.run("check", "--feeds")
    assert done.code == 0, done.out
