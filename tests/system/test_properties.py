"""What must hold for every input: identity, slugs, dates, cleaning, merging, YAML."""

import datetime
import itertools
import os
import re
import sqlite3
import tempfile
import unicodedata
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from aggregator.articles import dates, identity, merge, sanitize
from aggregator.config import safe_yaml
from aggregator.model.articles import Clues, StoredCopy
from aggregator.model.errors import UnusableError
from aggregator.origins.posts import scan

RULES = identity.make_rules(
    "infoCode",
    [r"/html_News/NewsShare\.html\?infoCode=(?P<code>NW\d{18})"],
    [r",(?P<code>\d{18})\.html", r"/a/(?P<code>\d{18})\.html"],
    [r"\d{4}-\d{1,2}-\d{1,2}-(?P<code>NW\d{18})", r"\d{4}-\d{1,2}-\d{1,2}-(?P<code>\d{18})"],
)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime.datetime(2022, 1, 28, tzinfo=datetime.UTC)

digits = st.text("0123456789", min_size=18, max_size=18)
hosts = st.from_regex(r"[a-z]{1,8}(\.[a-z]{2,6}){1,2}", fullmatch=True)
PIECES = [
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<div>",
    "</div>",
    "<a",
    "href='x'>",
    "</a>",
    "<img",
    "src=//h/i.png>",
    "<br>",
    "&nbsp;",
    "&amp",
    "<script>",
    "</script>",
    "<style>",
    "<svg>",
    "<math>",
    "<!--",
    "-->",
    "<p/>",
    "<p",
    "style='display:none'>",
    "hidden",
    "<table>",
    "<td>",
    "<span>",
    "</span>",
    "<ul><li>",
    "<pre>",
    "</pre>",
    "]]>",
    "\x08",
    "\ufffe",
    "\x00",
    "<",
    ">",
    "&#0;",
    "<img",
    "srcset='a",
    "1x,",
    "b",
    "2x'>",
    "<iframe",
    "srcdoc=x>",
    "<a",
    "href='jav&#9;ascript:alert(1)'>",
]
html_text = st.lists(st.one_of(st.text(max_size=20), st.sampled_from(PIECES)), max_size=25).map(
    "".join
)


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


@given(st.text(max_size=70))
@example("2026-02-31")
@example("99:99::99")
@example("9999-12-31 23:59:59 -2300")
def test_any_text_is_a_whole_date_or_none(text) -> None:
    found = dates.parse_date(text, SHANGHAI)
    assert found is None or (dates.EARLIEST <= found < dates.LATEST and found.tzinfo is not None)


@given(
    st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2100, 1, 1)),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]),
    st.integers(-23, 23),
)
def test_a_date_with_a_zone_is_the_instant_it_names(moment, form, hours) -> None:
    moment = moment.replace(microsecond=0)
    text = moment.strftime(form) + f" {'+' if hours >= 0 else '-'}{abs(hours):02d}00"
    expected = moment.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=hours)))
    assert dates.parse_date(text, SHANGHAI) == expected


@pytest.mark.parametrize("text", ["Fri Sep 9", "Sep 2011", "12:30", "2011", "tomorrow"])
def test_half_a_date_is_none_on_any_day(text) -> None:
    assert dates.parse_date(text, SHANGHAI) is None


@settings(deadline=None)
@given(html_text, st.sampled_from([sanitize.HTML, sanitize.MARKDOWN]))
@example("\x1b", sanitize.MARKDOWN)
@example("<p>&#x1b;</p>", sanitize.HTML)
@example("<div><p>\x08</p></div>", sanitize.HTML)
@example("a\n\n&#1;", sanitize.MARKDOWN)
def test_clean_html_is_safe_stays_as_it_is_and_fits_xml(text, kind) -> None:
    clean = sanitize.clean(text, kind, "https://site.example.org/")
    assert sanitize.clean(clean, sanitize.HTML, "https://site.example.org/") == clean
    assert not re.search(r"<(script|style|svg|math|iframe)\b|\son\w+=|javascript:", clean, re.I)
    assert sanitize.without_forbidden(clean) == clean
    element = etree.Element("content")
    element.text = clean
    assert etree.fromstring(etree.tostring(element)).text == (clean or None)


@pytest.mark.parametrize(
    "text", ["\x1b", "<p>&#x1b;</p>", "<div><p>\x08</p></div>", "\x1b\n\n\x08"]
)
@pytest.mark.parametrize("kind", [sanitize.HTML, sanitize.MARKDOWN])
def test_nothing_is_left_of_what_xml_has_no_place_for(text: str, kind: str) -> None:
    assert sanitize.clean(text, kind, "https://site.example.org/") == ""


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200))
def test_no_character_of_a_text_is_lost(text) -> None:
    assume(sanitize.without_forbidden(text) == text)
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    clean = sanitize.clean(f"<p>{escaped}。</p>", sanitize.HTML, "https://site.example.org/")
    assert re.sub(r"\s+", " ", sanitize.plain_text(clean)) == " ".join((text + "。").split())


@given(st.text(max_size=60), st.sampled_from(["https://h.example/a/b", "http://h.example"]))
def test_an_absolute_url_is_of_an_allowed_scheme(url, base) -> None:
    found = sanitize.absolute_url(url, base)
    assert found is None or re.match(r"(https?://[^/]|mailto:|tel:)", found)


ODD_VALUES = [
    "null",
    "true",
    "no",
    "0777",
    "1_000",
    "1e3",
    "12:30",
    "2021-12-16",
    "-5",
    "0x1f",
    ".5",
    "~",
    "''",
    '"a',
    'b"',
]
flat_values = st.one_of(
    st.text("ab :#'\"[]{}&*!|>%@`-+0123456789.~\\北京", max_size=12), st.sampled_from(ODD_VALUES)
)
flat_pairs = st.lists(st.tuples(st.sampled_from(["title", "date", "x-y", "_z"]), flat_values))


@given(flat_pairs)
def test_the_short_way_through_plain_lines_agrees_with_the_parser(pairs) -> None:
    text = "\n" + "".join(f"{key}: {value}\n" for key, value in pairs)
    short, long = safe_yaml.Document(), safe_yaml.Document()
    assume(safe_yaml._load_flat(text, short))
    safe_yaml._build(text, long)
    assert short.value == long.value
    assert short.lines == {path: line for path, line in long.lines.items() if path}
    assert short.duplicates == long.duplicates


@settings(deadline=None)
@given(st.text("ab: -[]{}&*?!|>'\"\n#<~", max_size=60))
def test_any_yaml_is_plain_data_or_unusable(text) -> None:
    try:
        found = safe_yaml.load(text).value
    except UnusableError:
        return
    assert yaml.safe_load(yaml.safe_dump(found)) == found


def facts(number: int, **changes: object) -> StoredCopy:
    values: dict[str, object] = {
        "body_id": number,
        "code": "NW202201272264567295",
        "origin": "posts:posts",
        "location": f"{number}.md",
        "source": "a",
        "source_name": None,
        "title": "标题",
        "published": NOW - datetime.timedelta(hours=number % 3),
        "published_guess": NOW,
        "raw_hash": bytes([number % 2]),
        "is_full": number % 4 != 0,
        "link": None,
        "share_url": f"http://h{number}.example/" if number % 2 else None,
        "categories": (),
        "changed": None,
        "media_type": "text/html",
    }
    return StoredCopy(**{**values, **changes})  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4, unique=True))
def test_what_is_shown_does_not_depend_on_the_order_of_copies(numbers) -> None:
    copies = [facts(number) for number in numbers]
    together = merge.decide(None, copies, {}, 1, NOW)
    for order in itertools.permutations(copies):
        article = None
        for end in range(1, len(order) + 1):
            change = merge.decide(article, order[:end], {}, 1, NOW)
            article = change.article if change is not None else article
        assert article is not None
        assert together is not None
        shown = {"version": 0}
        assert _fields(article, shown) == _fields(together.article, shown)


def _fields(article: object, replaced: dict[str, object]) -> dict[str, object]:
    names = article.__dataclass_fields__  # type: ignore[attr-defined]
    return {name: replaced.get(name, getattr(article, name)) for name in names}


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.integers(0, 3)), min_size=1, max_size=8))
def test_updated_never_goes_back_whatever_the_clock_says(steps) -> None:
    change = merge.decide(None, [facts(1)], {}, 1, NOW)
    assert change is not None
    article = change.article
    for poll, (days, text) in enumerate(steps, 2):
        before = article.updated or article.published
        now = NOW + datetime.timedelta(days=days)
        copy = facts(1, raw_hash=bytes([text]))
        change = merge.decide(article, [copy], {}, poll, now)
        if change is None:
            continue
        article = change.article
        after = article.updated or article.published
        assert after > before
        assert after >= now


NAME_PIECES = [
    *(b"\\", b"x", b"u", b"e9", b"0085", b"0a", b" ", b"a"),
    *(b"\xe9", b"\xc3", b"\xc3\xa9", b"\xc2\x85", b"\n", b"\x1b[31m", b"\x7f"),
    *(b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xed\xa0\x80", "文".encode(), "𠀀".encode()),
]
byte_names = st.one_of(
    st.binary(min_size=1, max_size=20),
    st.lists(st.sampled_from(NAME_PIECES), min_size=1).map(b"".join),
).filter(lambda name: not set(b"/\0") & set(name))
_ESCAPE = re.compile(r"\\(?:(\\)|x([0-9a-f]{2})|u([0-9a-f]{4}))")


def name_at(location: str) -> bytes:
    """The name that is kept at a location: reading an escape is what Python's own means."""
    pieces, end = [], 0
    for match in _ESCAPE.finditer(location):
        pieces.append(location[end : match.start()].encode())
        backslash, byte, character = match.groups()
        if backslash or byte:
            pieces.append(b"\\" if backslash else bytes.fromhex(byte))
        else:
            pieces.append(chr(int(character, 16)).encode())
        end = match.end()
    return b"".join(pieces) + location[end:].encode()


@given(byte_names)
@example(b"latin-\xe9.md")
@example(b"latin-\\xe9.md")
def test_a_location_says_which_name_it_is_of(name: bytes) -> None:
    location = scan.location(os.fsdecode(name))
    assert name_at(location) == name
    assert not [
        character
        for character in location
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI")
    ]


@given(st.text(min_size=1).filter(lambda name: name.isprintable() and "\\" not in name))
def test_an_ordinary_name_is_its_own_location(name: str) -> None:
    assert scan.location(name) == name


@given(st.lists(byte_names.filter(lambda name: len(name) < 200), unique=True, max_size=12))
def test_the_walk_is_in_the_order_of_the_store(names: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(":memory:") as database:
        for name in names:
            Path(os.fsdecode(os.fsencode(folder) + b"/p" + name)).touch()
        walked = [scan.location(path) for path in scan.list_posts(Path(folder), "*")]
        database.execute("create table file (path varchar)")
        rows = [(place,) for place in reversed(walked)]
        database.executemany("insert into file values (?)", rows)
        stored = [row[0] for row in database.execute("select path from file order by path")]
        assert walked == stored
    database.close()


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
