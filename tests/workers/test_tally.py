"""What polls did, summed up."""

from conftest import Clock

from aggregator.model.summaries import OriginSummary
from aggregator.pipeline.polling import PollOutcome
from aggregator.workers.tally import EVERY, Tally


def test_polls_are_recorded_now_and_then_and_at_the_end(clock: Clock) -> None:
    found: list[PollOutcome] = []
    tally = Tally(found.append, clock)
    for _ in range(3):
        tally.add([OriginSummary(name="shares", requested=2, new=1)], is_last=False)
    assert found == []
    clock.now += EVERY + 1
    tally.add([OriginSummary(name="lists:a", requested=1, failed=1)], is_last=False)
    (outcome,) = found
    assert [(origin.name, origin.requested, origin.new) for origin in outcome.origins] == [
        ("shares", 6, 3),
        ("lists:a", 1, 0),
    ]
    tally.add([OriginSummary(name="shares", requested=1)], is_last=True)
    assert found[1].origins[0].requested == 1
    tally.record()
    assert len(found) == 2


def test_failures_are_those_of_the_last_poll(clock: Clock) -> None:
    found: list[PollOutcome] = []
    tally = Tally(found.append, clock)
    tally.add([OriginSummary(name="a", failed=1, failures=["a: status 500"])], is_last=False)
    tally.add([OriginSummary(name="a", requested=1)], is_last=True)
    assert found[0].failures == []
