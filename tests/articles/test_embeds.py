"""Players and pages in a text."""

import pytest

from aggregator.articles import embeds
from aggregator.articles.sanitize import HTML, MARKDOWN, sanitize

SITE = "https://e.example/"


@pytest.mark.parametrize(
    ("player", "page", "picture"),
    [
        (
            "https://www.youtube.com/embed/abc-D_1?rel=0",
            "https://www.youtube.com/watch?v=abc-D_1",
            "https://i.ytimg.com/vi/abc-D_1/hqdefault.jpg",
        ),
        (
            "https://www.youtube-nocookie.com/embed/abc",
            "https://www.youtube.com/watch?v=abc",
            "https://i.ytimg.com/vi/abc/hqdefault.jpg",
        ),
        (
            "https://www.youtube.com/embed/videoseries?list=PL1",
            "https://www.youtube.com/playlist?list=PL1",
            "",
        ),
        ("https://player.vimeo.com/video/1?h=2", "https://vimeo.com/1", ""),
        (
            "https://player.bilibili.com/player.html?aid=1&bvid=BV1x&page=1",
            "https://www.bilibili.com/video/BV1x",
            "",
        ),
        (
            "https://www.bilibili.com/blackboard/html5mobileplayer.html?aid=7",
            "https://www.bilibili.com/video/av7",
            "",
        ),
        ("http://player.youku.com/embed/XMTY==", "https://v.youku.com/v_show/id_XMTY==.html", ""),
        (
            "http://player.youku.com/player.php/Type/Folder/sid/XMTY/v.swf",
            "https://v.youku.com/v_show/id_XMTY.html",
            "",
        ),
        (
            "https://www.dailymotion.com/embed/video/x1",
            "https://www.dailymotion.com/video/x1",
            "https://www.dailymotion.com/thumbnail/video/x1",
        ),
        (
            "https://geo.dailymotion.com/player/abc.html?video=x1",
            "https://www.dailymotion.com/video/x1",
            "https://www.dailymotion.com/thumbnail/video/x1",
        ),
        (
            "https://v.qq.com/txp/iframe/player.html?vid=a1",
            "https://v.qq.com/x/page/a1.html",
            "",
        ),
        ("https://player.twitch.tv/?video=1&parent=x", "https://www.twitch.tv/videos/1", ""),
        ("https://embed.ted.com/talks/a_b", "https://www.ted.com/talks/a_b", ""),
        ("https://evil.example/www.youtube.com/embed/a", None, ""),
        ("https://www.youtube.com.evil.example/embed/a", None, ""),
        ("https://www.youtube.com/embed/%22%3E", None, ""),
    ],
)
def test_a_video_has_a_page_and_maybe_a_picture(
    player: str, page: str | None, picture: str
) -> None:
    assert embeds.page_of(player) == (page or player, picture)


@pytest.mark.parametrize(
    ("markup", "link"),
    [
        (
            '<iframe src="//player.vimeo.com/video/1"></iframe>',
            '<a href="https://vimeo.com/1">vimeo.com/1</a>',
        ),
        (
            '<iframe title="A & B" src="/chart.html"></iframe>',
            '<a href="https://e.example/chart.html">A &amp; B</a>',
        ),
        (
            '<iframe data-src="http://a.example/x?b=1&c=2"></iframe>',
            '<a href="http://a.example/x?b=1&amp;c=2">a.example/x?b=1&amp;c=2</a>',
        ),
        (
            '<object><param name="movie" value="x"><embed src="http://a.example/v"></object>',
            '<a href="http://a.example/v">a.example/v</a>',
        ),
    ],
)
def test_an_embedded_page_becomes_a_link(markup: str, link: str) -> None:
    assert sanitize(markup, HTML, SITE) == f"<p>{link}</p>"


def test_a_picture_that_the_address_tells_is_shown() -> None:
    found = sanitize('<iframe src="https://www.youtube.com/embed/a"></iframe>', HTML, SITE)
    assert '<img src="https://i.ytimg.com/vi/a/hqdefault.jpg" alt="">' in found


@pytest.mark.parametrize(
    "markup",
    [
        '<iframe src="javascript:alert(1)"></iframe>',
        '<iframe src="data:text/html,x"></iframe>',
        '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
        '<iframe width="1" height="1" src="http://track.example/"></iframe>',
        '<div style="display:none"><iframe src="http://track.example/"></iframe></div>',
        "<!-- <iframe src='http://a.example/'></iframe> -->",
    ],
)
def test_what_shows_nothing_leaves_nothing(markup: str) -> None:
    assert sanitize(markup, HTML, SITE) == ""


@pytest.mark.parametrize(
    "inside",
    ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</iframe><img onerror=x>"],
)
def test_what_is_in_an_iframe_is_never_markup(inside: str) -> None:
    found = sanitize(f'<iframe src="http://a.example/">{inside}</iframe>b', HTML, SITE)
    assert found.startswith('<p><a href="http://a.example/">a.example</a></p>')
    assert "alert" not in found
    assert "onerror" not in found


def test_an_iframe_that_closes_itself_takes_nothing_with_it() -> None:
    found = sanitize('<iframe src="http://a.example/" />\n\nText', MARKDOWN, SITE)
    assert found.endswith("<p>Text</p>")
    found = sanitize('<p>a</p><iframe src="http://a.example/">', HTML, SITE)
    assert found == '<p>a</p><p><a href="http://a.example/">a.example</a></p>'


def test_code_about_iframes_stays_code() -> None:
    text = '`<iframe src="http://a.example/">` is a tag'
    assert sanitize(text, MARKDOWN, SITE) == (
        '<p><code>&lt;iframe src="http://a.example/"&gt;</code> is a tag</p>'
    )


def test_the_result_is_sanitized_already() -> None:
    once = sanitize('<iframe src="https://www.youtube.com/embed/a"></iframe>', HTML, SITE)
    assert sanitize(once, HTML, SITE) == once
