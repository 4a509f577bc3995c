"""The section `content` of config.yaml."""

from typing import Any

import pytest
from pydantic import ValidationError

from aggregator.config.content import Content


def test_one_rule_and_a_list_of_rules() -> None:
    rule: dict[str, Any] = {"referrerpolicy": "no-referrer"}
    assert Content.model_validate({"images": rule}) == Content.model_validate({"images": [rule]})
    found = Content.model_validate(
        {
            "images": [
                {"hosts": ["*.Example.org", "图片.example"], "proxy": "https://p.example/{url}"}
            ]
        }
    )
    assert found.images[0].hosts == ("*.example.org", "xn--wcsw84d.example")
    assert Content().images == ()


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({}, "needs referrerpolicy or proxy"),
        ({"hosts": ["a.example"]}, "needs referrerpolicy or proxy"),
        ({"referrerpolicy": "never"}, "no-referrer"),
        ({"proxy": "https://p.example/"}, "must contain {url}"),
        ({"proxy": "https://p.example/{url}{raw}"}, "no other braces"),
        ({"proxy": "{url}"}, "http"),
        ({"proxy": "https://{url}/"}, "after the host"),
        ({"proxy": "javascript:{url}"}, "http"),
        ({"hosts": ["https://a.example/"], "proxy": "https://p.example/{url}"}, "must be a host"),
        ({"hosts": ["a*.example"], "referrerpolicy": "origin"}, "must be a host"),
    ],
)
def test_what_is_no_rule(rule: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem.replace("{", r"\{")):
        Content.model_validate({"images": rule})
