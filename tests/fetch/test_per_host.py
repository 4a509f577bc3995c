"""Which request of a host may be sent now."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch.per_host import HostQueue


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.integers(1, 3))
def test_a_host_has_so_many_at_once_and_so_far_apart(hosts: list[str], at_once: int) -> None:
    queue: HostQueue[int] = HostQueue(at_once, 5.0, lambda: 1.0)
    for number, host in enumerate(hosts):
        assert queue.add(host, number) is None
    now, running, starts, seen = 0.0, [], {}, []
    while len(seen) < len(hosts):
        taken = queue.take(now)
        if isinstance(taken, tuple):
            host, number = taken
            assert now - starts.get(host, -5.0) >= 5.0
            starts[host] = now
            running.append(host)
            seen.append(number)
            assert running.count(host) <= at_once
        elif taken is None:
            assert queue.done(running.pop(0), answered=True) == []
        else:
            assert taken > 0
            now += taken
    assert sorted(seen) == list(range(len(hosts)))
    assert queue.size == 0


def test_a_host_that_does_not_answer_is_given_up_and_no_other() -> None:
    queue: HostQueue[int] = HostQueue(1, 0.0, lambda: 1.0)
    for number in range(10):
        queue.add("a", number)
    queue.add("b", 99)
    given_up: list[int] = []
    for _ in range(3):
        taken = queue.take(0.0)
        assert isinstance(taken, tuple)
        if taken[0] == "b":
            queue.done("b", answered=True)
            taken = queue.take(0.0)
            assert isinstance(taken, tuple)
        given_up += queue.done("a", answered=False)
    assert given_up == list(range(3, 10))
    assert queue.add("a", 5) is not None
