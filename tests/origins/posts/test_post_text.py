"""A post's body, less boilerplate and the links to itself."""

import re

from configured import settings_with

from aggregator.origins.from_settings import identity_rules
from aggregator.origins.posts.post_text import (
    MAX_MATCHED,
    without_boilerplate,
    without_trailing_links,
)

RULES = identity_rules(settings_with())
SHARE = "http://e.example/html_News/NewsShare.html?infoCode=NW202201272264567295"
ARTICLE = "http://finance.eastmoney.com/news/11158,202201272264567295.html"


def test_lines_that_a_pattern_matches_are_dropped() -> None:
    patterns = (re.compile("^# "), re.compile("advert"))
    assert without_boilerplate("# a\nb # a\nan advert\nc", patterns) == "b # a\nc"
    long = "advert" + "x" * MAX_MATCHED
    assert without_boilerplate(long, patterns) == long


def test_links_to_the_post_itself_come_after_the_text() -> None:
    text = f"Words\n\n<{SHARE}>\n\n{ARTICLE}\n<>\n\n"
    assert without_trailing_links(text, RULES) == ("Words", SHARE, ARTICLE)


def test_other_links_and_those_in_the_text_are_text() -> None:
    for text in (f"<{SHARE}>\nWords", f"Words {SHARE}", "Words\n<https://e.example/>"):
        assert without_trailing_links(text, RULES) == (text, None, None)
    assert without_trailing_links("", RULES) == ("", None, None)
