"""Content rules that cannot work."""

import pytest
from conftest import Site

from aggregator.config.load import load_settings
from aggregator.model.errors import ConfigError


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{sources: [a]}", r"rules\[0\]: needs remove, replace or exclude"),
        ("{exclude: {}}", r"rules\[0\].exclude: needs words, titles or authors"),
        ("{remove: ['p[']}", "not a CSS selector: Malformed attribute selector"),
        ("{replace: [['(a', '']]}", "not a regular expression"),
        (r"{replace: [['a', '\1']]}", r"cannot take the place of a: invalid group reference"),
        ("{replace: [['a']]}", r"rules\[0\].replace\[0\]"),
        (
            "{origins: [postings], remove: [p]}",
            r'rules\[0\].origins: "postings" is not an origin; write posts, shares',
        ),
    ],
)
def test_a_rule_that_cannot_work_is_an_error_with_its_line(
    site: Site, rule: str, message: str
) -> None:
    site.configure(lambda text: f"{text}rules:\n  - {rule}\n")
    line = site.config.read_text("utf-8").count("\n")
    with pytest.raises(ConfigError, match=message) as raised:
        load_settings(site.config)
    assert f"config.yaml:{line}: " in str(raised.value)


def test_headers_of_share_pages_need_a_host(site: Site) -> None:
    keys = r"shares: [{match: '/x\?infoCode=(?P<code>\d+)', headers: {X-Token: secret}}]"
    site.configure(lambda text: f"{text}{keys}\n")
    with pytest.raises(ConfigError, match=r"shares\[0\]: headers: would go to any host"):
        load_settings(site.config)
    site.configure(lambda text: text.replace("match: '", "match: '^https://a.example"))
    assert load_settings(site.config).shares[0].headers == {"X-Token": "secret"}
