"""Templates of permalinks, Jekyll's and ours."""

import pytest

from aggregator.config import permalinks


@pytest.mark.parametrize(
    "template",
    [
        *permalinks.STYLES, "/:categories/:year/:title/", "/:year-:i_month-:day", "/posts/:path",
        "{url}{source}/{date:%Y/%m/%d}/{stem}.html", "{url}{slug}", "{url}{code}",
    ],
)  # fmt: skip
def test_a_template_is_what_jekyll_or_we_know(template: str) -> None:
    assert permalinks.check(template) == template


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("/:years/:title", ":years is not one of Jekyll's placeholders: did you mean :year?"),
        ("beautiful", "one of date, pretty"),
        ("{url}{title}", "may use {url}"),
        ("{url", "may use {url}"),
    ],
)
def test_any_other_is_refused(template: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"placeholders|must be") as raised:
        permalinks.check(template)
    assert reason in str(raised.value)
