"""Dates in the forms in which sites write them, and what is said of those that can't be read."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from conftest import Site, article
from hypothesis import assume, example, given
from hypothesis import strategies as st
from upstream import Upstream

from aggregator.articles import dates
from aggregator.articles.dates import parse_date

SHANGHAI = ZoneInfo("Asia/Shanghai")
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def read(text: str) -> str | None:
    """The date in the zone of Shanghai, as ISO 8601 without its zone."""
    found = parse_date(text, SHANGHAI)
    return None if found is None else found.astimezone(SHANGHAI).isoformat(" ")[:19]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-01-29 18:30:22 2023 -0800", "2023-01-29 18:30:22"),
        ("2020-01-01 00:10::00 -03:00", "2020-01-01 00:10:00"),
        ("2022年1月27日", "2022-01-27 00:00:00"),
        ("2022年01月27日 22:14", "2022-01-27 22:14:00"),
        ("2022年01月27日 22:14:24", "2022-01-27 22:14:24"),
        ("2022年01月27日22:14", "2022-01-27 22:14:00"),
        ("2022 年 1 月 27 日 22 时 14 分", "2022-01-27 22:14:00"),
        ("2022年1月27日 22时14分", "2022-01-27 22:14:00"),
        ("2022年1月27日 22时14分24秒", "2022-01-27 22:14:24"),
        ("2022年1月27日22时", "2022-01-27 22:00:00"),
        ("2022年1月27日22点", "2022-01-27 22:00:00"),
        ("2022年1月27日22点14分", "2022-01-27 22:14:00"),
        ("2022年1月27日 9点半", "2022-01-27 09:30:00"),
        ("2022年1月27日 9点整", "2022-01-27 09:00:00"),
        ("2022年1月27日 星期四 22:14", "2022-01-27 22:14:00"),
        ("2022年1月27日（周四）下午3:14", "2022-01-27 15:14:00"),
        ("2022年1月27日 下午3时14分", "2022-01-27 15:14:00"),
        ("2022年1月27日 下午3点", "2022-01-27 15:00:00"),
        ("2022-1-27 下午3:14", "2022-01-27 15:14:00"),
        ("2022/1/27 下午3:14:15", "2022-01-27 15:14:15"),
        ("2022-01-27 上午9:05", "2022-01-27 09:05:00"),
        ("2022-01-27 上午12:05", "2022-01-27 00:05:00"),
        ("2022-01-27 凌晨2:05", "2022-01-27 02:05:00"),
        ("2022-01-27 凌晨12:05", "2022-01-27 00:05:00"),
        ("2022-01-27 中午12:05", "2022-01-27 12:05:00"),
        ("2022-01-27 中午1:05", "2022-01-27 13:05:00"),
        ("2022-01-27 中午11点", "2022-01-27 11:00:00"),
        ("2022-01-27 下午12:05", "2022-01-27 12:05:00"),
        ("2022-01-27 下午15:05", "2022-01-27 15:05:00"),
        ("2022-01-27 晚上8:05", "2022-01-27 20:05:00"),
        ("2022-01-27 晚上12点", "2022-01-28 00:00:00"),
        ("2022-01-27 晚上20:05", "2022-01-27 20:05:00"),
        ("2022年1月27日 22:14 +0000", "2022-01-28 06:14:00"),
        ("2022年1月27日 22:14 UTC", "2022-01-28 06:14:00"),
        ("２０２２年１月２７日　２２：１４", "2022-01-27 22:14:00"),
        ("２０２２－０１－２７ ２２：１４：２４", "2022-01-27 22:14:24"),
        ("2022-01-27 24:00", "2022-01-28 00:00:00"),
        ("2022-01-27 24:00:00", "2022-01-28 00:00:00"),
        ("2022-12-31 24:00:00 +0800", "2023-01-01 00:00:00"),
        ("2022年1月31日24时", "2022-02-01 00:00:00"),
        ("1643292864", "2022-01-27 22:14:24"),
        ("1643292864123", "2022-01-27 22:14:24"),
        ("1643292864.123", "2022-01-27 22:14:24"),
        ("20220127221424", "2022-01-27 22:14:24"),
        ("20220127", "2022-01-27 00:00:00"),
    ],
)
def test_the_forms_of_the_upstream(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2022年2月31日",
        "2022年13月1日",
        "1月27日",
        "2022年1月",
        "2022年1月27日 25:00",
        "2022年1月27日 22:60",
        "2022年1月27日 下午",
        "2022年1月27日 上午15点",
        "2022年1月27日 中午7点",
        "2022年1月27日 晚上1点",
        "2022-01-27 24:01",
        "2022-01-27 24:00:01",
        "2022012722",  # the 27th at 22, or a second of 2034
        "9999999999",
        "0000000001",
        "164329286",
        "164329286412",
        "昨天 22:14",
        "3分钟前",
        "刚刚",
    ],
)
def test_what_is_no_whole_date(text: str) -> None:
    assert read(text) is None


moments = st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)
HALVES = (
    ("凌晨", range(0, 6)), ("早上", range(6, 9)), ("上午", range(0, 12)), ("中午", (12,)),
    ("下午", range(13, 19)), ("晚上", range(19, 24)),
)  # fmt: skip


@given(
    moments,
    st.sampled_from(["年月日", "/", "-", "."]),
    st.sampled_from([":", "时分秒", "點分秒"]),
    st.sampled_from(["", " ", "  "]),
    st.booleans(),
    st.booleans(),
)
def test_a_moment_is_read_back_from_each_written_form(
    moment: datetime.datetime, days: str, hours: str, gap: str, padded: bool, wide: bool
) -> None:
    assume(days == "年月日" or gap)
    width = 2 if padded else 1
    marks = days if len(days) == 3 else [days, days, ""]
    numbers = (str(moment.year), f"{moment.month:0{width}d}", f"{moment.day:0{width}d}")
    text = "".join(number + mark for number, mark in zip(numbers, marks, strict=True)) + gap
    marks = hours if len(hours) == 3 else [":", ":", ""]
    numbers = (f"{moment.hour:0{width}d}", f"{moment.minute:02d}", f"{moment.second:02d}")
    text += "".join(number + mark for number, mark in zip(numbers, marks, strict=True))
    if wide:
        text = text.translate(FULL_WIDTH)
    assert parse_date(text, SHANGHAI) == moment.replace(tzinfo=SHANGHAI)


@given(moments, st.sampled_from(HALVES), st.sampled_from(["{}:{:02d}", "{}点{}分", "{}时{:02d}"]))
def test_a_moment_is_read_back_from_half_days(moment: datetime.datetime, half, form: str) -> None:
    name, hours = half
    assume(moment.hour in hours)
    hour = moment.hour - 12 if moment.hour > 12 else moment.hour
    text = f"{moment.year}年{moment.month}月{moment.day}日 {name}" + form.format(
        hour, moment.minute
    )
    assert parse_date(text, SHANGHAI) == moment.replace(second=0, tzinfo=SHANGHAI)


@given(
    st.datetimes(datetime.datetime(2001, 9, 10), datetime.datetime(2032, 12, 31)),
    st.sampled_from(["", "000", "999", ".5"]),
)
def test_a_moment_is_read_back_from_seconds_since_1970(
    moment: datetime.datetime, rest: str
) -> None:
    moment = moment.replace(microsecond=0, tzinfo=datetime.UTC)
    assert parse_date(f"{int(moment.timestamp())}{rest}", SHANGHAI) == moment


@given(moments.map(datetime.datetime.date), st.sampled_from(["24:00", "24:00:00", "24时", "24点"]))
def test_the_end_of_a_day_is_the_start_of_the_next(day: datetime.date, end: str) -> None:
    after = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time())
    assert parse_date(f"{day} {end}", SHANGHAI) == after.replace(tzinfo=SHANGHAI)


@given(st.text("0123456789年月日时分秒点上下午晚凌晨中:-/. ：０１２", max_size=30))
def test_any_text_of_such_characters_is_a_whole_date_or_none(text: str) -> None:
    found = parse_date(text, SHANGHAI)
    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize("date", [
    "soon", "2026-02-31", "'昨天 22:14'", "[2020-01-01]", "{a: b}",
    "2022-1-27 29:39:08",  # Jekyll refuses to build a site with such a date
])  # fmt: skip
def test_a_date_that_cannot_be_read_is_noted_and_the_names_is_taken(site: Site, date: str) -> None:
    site.post("2022-1-27-x.md", article("Titel", date=date))
    site.post("2022-1-28-y.md", article("Titel", date=None))
    site.post("2022-1-29-z.md", article("Titel", date=""))
    site.build()
    assert [entry.published[:10] for entry in site.entries()] == [
        "2022-01-29",
        "2022-01-28",
        "2022-01-27",
    ]
    (problem,) = site.problems()
    assert problem["file"] == "posts/2022-1-27-x.md"
    assert problem["line"] == 4
    assert problem["reason"].startswith("the date ")
    assert problem["reason"].endswith("cannot be read: 2022-01-27 was taken")
    site.post("2022-1-27-x.md", article("Titel", date="2022年1月27日 下午3:14"))
    site.build()
    assert site.problems() == []
    assert site.entries()[2].published == "2022-01-27T15:14:00+08:00"


FETCH = """\
fetch:
  allow_private_addresses: [127.0.0.2/32]
  per_host: {concurrency: 8, delay: 0s}
"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>甲</title><id>urn:x</id>
<updated>2022-01-01T00:00:00Z</updated>{}</feed>"""
ENTRY = """<entry><title>{}</title><id>urn:{}</id><link href="http://a.example/{}"/>
<content type="html">&lt;p&gt;x&lt;/p&gt;</content>{}</entry>"""


def published(site: Site) -> dict[str, str]:
    return {entry.title: entry.published for entry in site.entries()}


def reasons(site: Site) -> list[str]:
    return sorted(problem["reason"] for problem in site.problems())


def test_dates_of_a_subscription(site: Site, upstream: Upstream) -> None:
    dates = ("", "昨天", "soon", "2022年1月27日 下午3:14", "1643292864")
    entries = "".join(
        ENTRY.format(f"t{n}", n, n, f"<published>{date}</published>" if date else "")
        for n, date in enumerate(dates)
    )
    items = [
        {"id": n, "title": f"j{n}", "content_text": "x", "date_published": date}
        for n, date in enumerate(("2022年1月27日 22时14分", 1643292864, "soon"))
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": 2021, "items": items}
    urls = [
        upstream.document("/atom", ATOM.format(entries), "application/atom+xml"),
        upstream.document("/json", feed),
    ]
    site.configure(
        lambda text: text + FETCH + f"subscriptions: [{{url: '{urls[0]}'}}, {{url: '{urls[1]}'}}]\n"
    )
    assert site.run("poll").code == 0
    site.build("--no-poll")
    found = published(site)
    assert len(found) == len(dates) + len(items)
    assert found["t3"] == "2022-01-27T15:14:00+08:00"
    assert (
        found["t4"] == found["j0"][:17] + "24+08:00" == found["j1"] == "2022-01-27T22:14:24+08:00"
    )
    assert reasons(site) == [
        "the date 'soon' cannot be read",
        "the date '昨天' cannot be read, and 1 more",
    ]


def test_dates_of_a_list_and_of_a_share_page(site: Site, upstream: Upstream) -> None:
    codes = [f"NW20220127000000000{number}" for number in range(3)]
    dates = ["2022年1月27日 下午3:14", "刚刚", 1643292864]
    nodes = [
        {"infocode": code, "title": code, "showtime": date}
        for code, date in zip(codes, dates, strict=True)
    ]
    url = upstream.document("/list", {"nodeList": nodes})
    pages = [upstream.share_url(f"NW20220128000000000{number}") for number in range(2)]
    for page, date in zip(pages, ("soon", 1643378400), strict=True):
        path = upstream.text_path(page.rpartition("=")[2])
        upstream.document(path, {"content": f"<p>{date}</p>", "title": f"{date}", "time": date})
    site.configure(
        lambda text: (
            text
            + FETCH
            + f"lists: [{{url: '{url}', shape: nodeList}}]\n"
            + f"shares: [{{urls: {pages}, text: {{published: time, title: title}}}}]\n"
        )
    )
    site.run("poll")
    site.build("--no-poll")
    found = published(site)
    assert found == {
        codes[0]: "2022-01-27T15:14:00+08:00",
        codes[1]: "2022-01-27T00:00:00+08:00",
        codes[2]: "2022-01-27T22:14:24+08:00",
        "soon": "2022-01-28T00:00:00+08:00",
        "1643378400": "2022-01-28T22:00:00+08:00",
    }
    assert [reason for reason in reasons(site) if "404" not in reason] == [
        "the date 'soon' cannot be read",
        "the date '刚刚' cannot be read",
    ]


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
