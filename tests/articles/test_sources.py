"""The key of a source by the name of its outlet."""

import pytest

from aggregator.articles import sources


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("北京商报", "beijingshangbao"),
        ("北京商报新闻", "beijingshangbao"),
        (" 华夏 时报 ", "huaxiashibao"),
        ("Reuters", "reuters"),
        ("Börse", "borse"),
        ("重庆日报", "chongqingribao"),
        ("", ""),
    ],
)
def test_a_source_by_its_sound(name: str, key: str) -> None:
    assert sources.SourceKeys().key_of(name) == key


def test_a_known_source_goes_before_its_sound() -> None:
    known = sources.SourceKeys({"北京商报": "bjsb"}, {"北京商报": "x", "华夏时报": "hxsb"})
    assert known.key_of("北京商报新闻") == "bjsb"
    assert known.key_of("华夏时报") == "hxsb"
