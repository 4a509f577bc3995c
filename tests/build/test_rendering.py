"""A document and its texts become files, and clean texts."""

import json

import pytest
from one_feed import document, entry

from aggregator.build.rendering import Body, DocumentState, Job, SanitizedText, load, render
from aggregator.model.formats import FORMATS
from aggregator.model.packing import pack, unpack

DIRTY = "<p onclick=x>eins <a href='/a'>a</a></p>"
CLEAN = '<p>eins <a href="https://a.example/a">a</a></p>'
STATE = DocumentState("all", 1, b"f")


def job(*bodies: Body, **paths: str) -> Job:
    entries = [entry(id=str(number), content="") for number in range(len(bodies))]
    return Job(STATE, document(*entries), paths, bodies)


def test_a_text_is_cleaned_once_for_every_format_and_kept() -> None:
    bodies = (
        Body(("a", 2), pack(DIRTY), "text/html", "https://a.example/"),
        Body(("b", 1), pack("x")),
    )
    files, cleaned = render(job(*bodies, atom="all.atom", json="all.json"))
    assert list(files) == ["all.atom", "all.json"]
    items = json.loads(files["all.json"])["items"]
    assert [item["content_html"] for item in items] == [CLEAN, "x"]
    assert files["all.atom"].count(b"<entry>") == 2
    assert cleaned == [SanitizedText("a", 2, pack(CLEAN))]
    assert unpack(cleaned[0].html) == CLEAN


def test_what_is_clean_is_not_cleaned_and_an_old_revision_not_kept() -> None:
    old = Body(("a", 1), pack(DIRTY), "text/html", "https://a.example/", is_kept=False)
    clean = Body(("b", 1), pack("<p onclick=x>"))
    files, cleaned = render(job(old, clean, json="x"))
    assert [item["content_html"] for item in json.loads(files["x"])["items"]] == [
        CLEAN, "<p onclick=x>"
    ]  # fmt: skip
    assert cleaned == []


def test_links_within_a_text_lead_to_its_page_and_are_kept_as_they_are() -> None:
    text = '<a href="#x">a</a>'
    bodies = (
        Body(("a", 1), pack(text), "text/html", "https://a.example/", page="https://a.example/p"),
        Body(("b", 1), pack(text)),
    )
    files, cleaned = render(job(*bodies, json="x"))
    assert [item["content_html"] for item in json.loads(files["x"])["items"]] == [
        '<a href="https://a.example/p#x">a</a>', "a"
    ]  # fmt: skip
    assert [unpack(text.html) for text in cleaned] == [text]


def test_a_body_for_each_entry() -> None:
    with pytest.raises(ValueError, match="zip"):
        render(Job(STATE, document(), {"json": "x"}, ()))


def test_every_format_can_be_written() -> None:
    assert {name: write(document())[:1] for name, write in load(tuple(FORMATS)).items()} == {
        "atom": b"<", "rss": b"<", "json": b"{", "html": b"<"
    }  # fmt: skip
