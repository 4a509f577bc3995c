"""Pictures by the owner's rules."""

from typing import NamedTuple

import pytest

from aggregator.articles.image_rules import of_image, with_rules
from aggregator.articles.sanitize import sanitize
from aggregator.model.feeds import Image

PROXY = "https://proxy.example/?u={url}"


class Rule(NamedTuple):
    hosts: tuple[str, ...] = ()
    referrerpolicy: str | None = None
    proxy: str | None = None


def shown(text: str, *rules: Rule) -> str:
    return with_rules(sanitize(text, "text/html", "https://e.example/"), rules)


def test_referrerpolicy_of_all_pictures_and_only_of_them() -> None:
    found = shown(
        '<a href="/x"><img src="/a.jpg"></a><video src="/v.mp4" poster="/p.jpg"></video>',
        Rule(referrerpolicy="no-referrer"),
    )
    assert '<img src="https://e.example/a.jpg" referrerpolicy="no-referrer">' in found
    assert found.count("referrerpolicy") == 1


def test_a_proxy_for_every_picture_of_a_text() -> None:
    found = shown(
        '<img src="/a.jpg?x=1&amp;y=ü,2" srcset="/b.jpg 1x, /c,d.jpg 2x" alt="a">'
        '<picture><source srcset="/e.webp" type="image/webp"><img src="/f.jpg"></picture>'
        '<video src="/v.mp4" poster="/p.jpg"></video><audio src="/s.mp3"></audio>',
        Rule(proxy=PROXY),
    )
    start = "https://proxy.example/?u=https%3A%2F%2Fe.example%2F"
    assert f'src="{start}a.jpg%3Fx%3D1%26y%3D%C3%BC%2C2"' in found
    assert f'srcset="{start}b.jpg 1x, {start}c%2Cd.jpg 2x"' in found
    assert f'srcset="{start}e.webp"' in found
    assert f'poster="{start}p.jpg"' in found
    assert 'src="https://e.example/v.mp4"' in found
    assert 'src="https://e.example/s.mp3"' in found
    assert sanitize(found, "text/html", "https://e.example/") == found


@pytest.mark.parametrize(
    ("host", "is_meant"),
    [
        ("a.example", True),
        ("A.EXAMPLE:8080", True),
        ("b.a.example", False),
        ("b.example", True),
        ("c.b.example", True),
        ("d.c.b.example", True),
        ("cb.example", False),
        ("b.example.org", False),
    ],
)
def test_rules_by_host(host: str, is_meant: bool) -> None:
    rule = Rule(("a.example", "*.b.example"), proxy=PROXY)
    assert ("proxy.example" in shown(f'<img src="https://{host}/x.jpg">', rule)) == is_meant


def test_the_first_rule_for_a_host_counts() -> None:
    rules = (Rule(("e.example",), "origin"), Rule((), "no-referrer", PROXY))
    assert "origin" in shown('<img src="/a.jpg">', *rules)
    assert "proxy" not in shown('<img src="/a.jpg">', *rules)
    other = shown('<img src="https://f.example/a.jpg">', *rules)
    assert "proxy" in other
    assert "no-referrer" in other


def test_what_the_proxy_serves_already_stays() -> None:
    text = '<img src="https://proxy.example/?u=x">'
    assert shown(text, Rule(proxy=PROXY)) == text


def test_the_picture_of_an_entry() -> None:
    image = Image("https://e.example/a.jpg", 600, 400, "image/jpeg")
    loaded = of_image(image, [Rule(proxy="https://p.example/{url}")])
    assert loaded == Image(
        "https://p.example/https%3A%2F%2Fe.example%2Fa.jpg", 600, 400, "image/jpeg"
    )
    assert of_image(image, []) is image
    assert of_image(None, [Rule(proxy=PROXY)]) is None


def test_texts_without_pictures_or_rules_stay() -> None:
    text = "<p>&lt;img src=x></p>"
    assert with_rules(text, [Rule(proxy=PROXY)]) is text
    picture = '<img src="https://e.example/a.jpg">'
    assert with_rules(picture, []) is picture
