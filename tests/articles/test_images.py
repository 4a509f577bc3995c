"""The picture that stands for an article."""

import time

import pytest

from aggregator.articles.images import first_image
from aggregator.articles.sanitize import sanitize
from aggregator.model.feeds import Image

BASE = "https://e.example/"


def found(text: str) -> Image | None:
    return first_image(sanitize(text, "text/html", BASE))


def test_the_first_picture_with_its_size_and_type() -> None:
    text = '<p>x</p><img src="/a.JPG?x=1&amp;y=2" width="600" height="400px"><img src="/b.png">'
    assert found(text) == Image("https://e.example/a.JPG?x=1&y=2", 600, 400, "image/jpeg")
    assert found('<img width="100%" src="/a">') == Image("https://e.example/a")
    assert found('<img data-src="/a.webp" src="data:x">') == Image(
        "https://e.example/a.webp", media_type="image/webp"
    )


@pytest.mark.parametrize(
    "small",
    [
        '<img src="/c.gif" width="1" height="1">',
        '<img src="/c.jpg" width="99">',
        '<img src="/c.jpg" height="16" width="600">',
        '<img src="https://feeds.feedburner.com/~r/x/~4/abc">',
        '<img src="https://count.example/pixel.gif">',
        '<img src="/icons/pdf.png">',
        '<img src="/smiley_3.png">',
        '<img src="/logo.svg">',
        '<img src="data:image/png;base64,R0lG">',
        '<img src="https://[x/a.jpg">',
        "<img alt='x src=\"https://e.example/c.jpg\"'>",
        '<video poster="/c.jpg" src="/v.mp4"></video>',
    ],
)
def test_what_is_no_picture_of_the_text_is_passed_over(small: str) -> None:
    assert found(small) is None
    assert found(small + '<img src="/a.jpg">') == Image(
        "https://e.example/a.jpg", media_type="image/jpeg"
    )


def test_a_declared_size_counts_more_than_a_name() -> None:
    assert found('<img src="/icons/skyline.png" width="640" height="300">') is not None


def test_a_text_of_icons_takes_no_time() -> None:
    start = time.perf_counter()
    assert first_image('<img src="https://e.example/icon.png">' * 100_000) is None
    assert first_image("<img " * 100_000) is None
    assert time.perf_counter() - start < 0.5
