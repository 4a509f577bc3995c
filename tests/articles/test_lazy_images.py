"""Pictures that a page shows by a script are in the text."""

import time

import pytest

from aggregator.articles import lazy_images
from aggregator.articles.sanitize import sanitize

BASE = "https://e.example/"


def clean(text: str) -> str:
    found = sanitize(text, "text/html", BASE)
    assert sanitize(found, "text/html", BASE) == found
    return found


PICTURE = '<img src="https://e.example/a.jpg">'


@pytest.mark.parametrize(
    "text",
    [
        *(f'<img src="data:image/gif;base64,R0" {name}="/a.jpg">' for name in lazy_images.SOURCES),
        '<img data-src="//e.example/a.jpg" src="/loading.gif">',
        '<IMG DATA-SRC="/a.jpg">',
        '<img data-src=" /a.jpg ">',
        # What is no URL, or none that is safe, does not replace the picture.
        '<img data-src="gallery-1" src="/a.jpg">',
        '<img data-src="javascript:alert(1.0)" src="/a.jpg">',
        '<img data-src="jav&#9;ascript:alert(1.0)" src="/a.jpg">',
        '<img data-src="data:image/gif;base64,R0/l." src="/a.jpg">',
        """<img data-src='{"a": "b.c"}' src="/a.jpg">""",
        '<noscript><img src="/a.jpg"></noscript>',
        '<NOSCRIPT ><p><img src="/a.jpg"></p></NOSCRIPT >',
        '<img data-src="/a.jpg"><noscript><img src="/a.jpg"></noscript>',
        '<noscript><img src="/a.jpg"></noscript><img data-src="/a.jpg">',
        # The one that needs no script is the right one.
        '<img src="/grey.png" class="lazy"> <noscript><img src="/a.jpg"></noscript>',
        '<img data-src="/a-300.jpg"><noscript><img src="/a.jpg"></noscript>',
    ],
)
def test_a_lazy_image_is_shown_once(text: str) -> None:
    assert clean(text) == PICTURE


def test_an_address_may_have_a_space() -> None:
    assert clean('<img data-src="/port 2.jpg">') == '<img src="https://e.example/port%202.jpg">'
    assert clean('<img data-src="see fig. 2" src="/a.jpg">') == PICTURE


def test_only_images_of_a_noscript_are_shown() -> None:
    text = (
        "<p>Vorher</p><noscript>Please <b>enable</b> scripts</noscript>"
        '<noscript><img src="https://count.example/t?x" height="1" width="1"></noscript>'
        '<noscript><img src=""></noscript><p>Nachher</p>'
    )
    assert clean(text) == "<p>Vorher</p><p>Nachher</p>"
    assert clean("<p>a</p><noscript><p>offen</p>") == "<p>a</p><p>offen</p>"


def test_images_that_are_not_beside_a_noscript_stay() -> None:
    text = '<img src="/1.jpg"><p>x</p><noscript><img src="/2.jpg"></noscript>'
    assert clean(text).count("<img") == 2
    three = "".join(f'<noscript><img src="/{number}.jpg"></noscript>' for number in range(3))
    assert clean(three).count("<img") == 3


def test_srcset_is_understood() -> None:
    found = clean(
        '<img src="/p.gif" data-srcset="/a.jpg 300w, /b.jpg 900w" width="900" height="600">'
    )
    assert 'src="https://e.example/b.jpg"' in found
    assert 'srcset="https://e.example/a.jpg 300w, https://e.example/b.jpg 900w"' in found
    assert 'width="900" height="600"' in found
    both = clean('<img src="/p.gif" data-src="/c.jpg" data-srcset="/a.jpg 300w, data:x 2x">')
    assert 'src="https://e.example/c.jpg"' in both
    assert 'srcset="https://e.example/a.jpg 300w"' in both


def test_a_picture_has_an_image() -> None:
    found = clean(
        '<picture><source data-srcset="/a.webp 2x" type="image/webp"><source srcset="/b.jpg">'
        '<img src="data:image/gif;base64,R0" alt="Hafen"></picture>'
        '<picture><source srcset="/c.webp"><img src="/c.jpg"></picture>'
    )
    assert 'type="image/webp" srcset="https://e.example/a.webp 2x"' in found
    assert '<img alt="Hafen" src="https://e.example/b.jpg">' in found
    assert '<img src="https://e.example/c.jpg">' in found


@pytest.mark.parametrize(
    "text",
    [
        "<img data-src='" + "/a" * 500_000 + "'>",
        '<img data-srcset="' + "a.jpg 1x," * 7_000 + '">',
        "<noscript>" * 100_000,
        "<noscript><img src=a></noscript>" * 20_000,
        "<noscript><img " * 50_000,
        "<img data-src='" * 50_000,
        "</noscript>" * 90_000,
        "<picture><source srcset=a>" * 150,
    ],
)  # fmt: skip
def test_hostile_markup_takes_no_time(text: str) -> None:
    start = time.perf_counter()
    clean(text)
    assert time.perf_counter() - start < 3


def test_ordinary_texts_are_not_looked_at() -> None:
    assert not lazy_images.has_lazy_images('<p><a data-code="1">x</a><img src="a.jpg"></p>')
    assert lazy_images.has_lazy_images('<img data-src="a.jpg">')
