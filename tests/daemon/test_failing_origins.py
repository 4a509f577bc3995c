"""Which origins fail."""

from aggregator.daemon.failing_origins import FailingOrigins
from aggregator.model.summaries import OriginSummary


def test_an_origin_fails_until_it_succeeds_or_is_gone() -> None:
    failing = FailingOrigins()
    bad = OriginSummary(name="a", requested=1, failed=1, failures=["a: status 500"])
    assert failing.update([bad], ["a", "b"]) == ["a: status 500"]
    assert failing.update([OriginSummary(name="a")], ["a", "b"]) == ["a: status 500"]
    assert failing.update([OriginSummary(name="b", requested=1)], ["a", "b"]) == ["a: status 500"]
    assert failing.update([OriginSummary(name="a", requested=1)], ["a", "b"]) == []
    failing.update([bad], ["a"])
    assert failing.update([], ["b"]) == []
