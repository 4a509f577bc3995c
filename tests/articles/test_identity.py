"""The code of an article by its clues, fallbacks, and file names of sources."""

import re
import unicodedata

import pytest
from byte_names import byte_names
from hypothesis import assume, example, given
from hypothesis import strategies as st

from aggregator.articles import identity
from aggregator.model.articles import Clues
from aggregator.model.errors import UnusableError

RULES = identity.make_rules(
    "infoCode",
    [r"/html_News/NewsShare\.html\?infoCode=(?P<code>NW\d{18})"],
    [r",(?P<code>\d{18})\.html", r"/a/(?P<code>\d{18})\.html"],
    [r"\d{4}-\d{1,2}-\d{1,2}-(?P<code>NW\d{18})", r"\d{4}-\d{1,2}-\d{1,2}-(?P<code>\d{18})"],
)
digits = st.text("0123456789", min_size=18, max_size=18)
hosts = st.from_regex(r"[a-z]{1,8}(\.[a-z]{2,6}){1,2}", fullmatch=True)


@given(digits, hosts, st.sampled_from(["infoCode", "INFOCODE", "infocode"]))
def test_the_same_article_wherever_and_however_it_is_named(number, host, parameter) -> None:
    code = "NW" + number
    clues = [
        Clues(front_matter=number),
        Clues(front_matter=code),
        Clues(share_url=f"http://{host}/html_News/NewsShare.html?infoCode={code}"),
        Clues(share_url=f"https://{host}/x?a=1&{parameter}={number}"),
        Clues(article_url=f"http://{host}/news/11158,{number}.html"),
        Clues(article_url=f"http://{host}/a/{number}.html"),
        Clues(file_name=f"2022-01-27-{number}"),
        Clues(file_name=f"2022-1-27-{code}"),
    ]
    assert {identity.resolve(clue, RULES).code for clue in clues} == {code}


@given(digits, digits)
def test_the_surer_rule_wins_and_the_other_is_told(one, other) -> None:
    assume(one != other)
    found = identity.resolve(Clues(front_matter=one, file_name=f"2022-01-27-{other}"), RULES)
    assert found.code == "NW" + one
    assert len(found.disagreements) == 1
    assert other in found.disagreements[0]


@given(st.text(max_size=40))
def test_what_is_no_code_is_never_taken_for_one(text) -> None:
    code = identity.normal_code(text)
    assert code is None or re.fullmatch(r"NW\d{18}", code, re.ASCII)


@given(st.binary(min_size=1, max_size=60))
def test_a_fallback_is_a_plain_ascii_name_and_no_code(path) -> None:
    fallback = identity.path_fallback(path)
    assert re.fullmatch(r"posts/[A-Za-z0-9/._~%-]*", fallback)
    assert identity.normal_code(fallback) is None


@given(st.lists(st.text(min_size=1, max_size=300), min_size=2, max_size=8, unique=True))
@example(["Tech", "tech", "TECH", "te-ch"])
@example(["caf\u00e9", "cafe\u0301", "cafe"])
@example(["../../etc/x", "etc-x", "con", "CON", "aux", "北京商报", "a" * 200, "-", "a--b"])
def test_slugs_are_safe_and_never_clash(keys) -> None:
    slugs = [identity.source_slug(key) for key in keys]
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)
    assert all(len(slug) <= identity.MAX_SLUG for slug in slugs)
    assert len({slug.casefold() for slug in slugs}) == len(keys)


@given(st.text("abcdefgh-0123456789", min_size=1, max_size=30))
def test_a_made_slug_cannot_be_claimed_by_another_source(key) -> None:
    made = identity.source_slug(key.upper() + "!")
    assert identity.source_slug(made) != made


def normal_form(name: bytes) -> bytes:
    try:
        return unicodedata.normalize("NFC", name.decode()).encode()
    except UnicodeDecodeError:
        return name


@given(byte_names, byte_names)
@example(b"latin-\xe9.md", b"latin-\\xe9.md")
@example("é".encode(), "e\u0301".encode())
@example(b"a%20b", b"a b")
def test_two_names_are_one_article_only_in_two_normal_forms(one: bytes, other: bytes) -> None:
    same = identity.path_fallback(one) == identity.path_fallback(other)
    assert same == (normal_form(one) == normal_form(other))


@given(st.text(min_size=1, max_size=700), st.sampled_from(["http", "https", "HTTPS"]))
def test_a_guid_that_is_a_url_is_the_same_in_every_feed(path, scheme) -> None:
    assume(not set(path) & set("#?[]\\"))
    guid = f"{scheme}://News.example/{path}"
    found = {identity.guid_fallback(f"https://{host}.example/feed", guid) for host in "ab"}
    assert found == {identity.url_fallback(f"https://news.example/{path}#x")}
    (fallback,) = found
    assert len(fallback) <= identity.MAX_FALLBACK
    assert not identity.is_code(fallback)


@given(st.text(min_size=1, max_size=700))
def test_another_guid_belongs_to_its_feed(guid) -> None:
    assume(not guid.lower().startswith(("http://", "https://")))
    one, other = (identity.guid_fallback(f"https://{host}.example/", guid) for host in "ab")
    assert one != other
    assert max(len(one), len(other)) <= identity.MAX_FALLBACK


def test_what_is_no_code_in_front_matter_and_a_lack_of_clues_are_refused() -> None:
    with pytest.raises(UnusableError, match="not a code"):
        identity.resolve(Clues(front_matter="../../x"), RULES)
    with pytest.raises(UnusableError, match="nothing identifies"):
        identity.resolve(Clues(), RULES)
    assert identity.resolve(Clues(fallback="posts/x"), RULES).code == "posts/x"


@given(st.text(max_size=40))
def test_an_entry_id_is_read_back(code) -> None:
    identifier = identity.entry_id("a.example,2021", code)
    assert identity.code_of_entry_id("a.example,2021", identifier) == code
    assert identity.code_of_entry_id("b.example,2021", identifier) is None
