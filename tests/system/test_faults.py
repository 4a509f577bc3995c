"""Every system call of a build fails once: nothing is lost, doubled or left over after it.

All of them: `pytest -m exhaustive tests/system`.  One of them, as a failure names it:
`FAULT="archives fsync 12 EIO" pytest -m exhaustive tests/system/test_faults.py -k named`.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from system.disturbance import READING, WRITING, Call, Injection, calls, can_trace, killed_after
from system.documents import torn
from system.situations import (
    CHANGED,
    MISSED,
    Situation,
    faults_after,
    faults_after_the_next,
    prepared,
)

ERRORS = ("ENOSPC", "EIO", "EACCES")
FAULTS = ("first", "incremental", "archives")
KILLS = ("first", "incremental", "archives", "lost", "upgrade")
PARTS = 4
MANY = 200
MANY_KILLS = 8
# A few calls may fall otherwise in a second run; more, and the matrix would test nothing.
MAY_MISS = 0.05

MEMORY = Path("/dev/shm")
ROOM = 50_000_000

pytestmark = pytest.mark.skipif(not can_trace(), reason="strace is missing or may not trace")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is room, since fsync is what most runs wait for.

    That of a named fault stays, to be looked at.
    """
    if "FAULT" in os.environ or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="aggregator-") as name:
        yield Path(name)


def writes(situation: Situation) -> list[Injection]:
    """Each call that changes a file or opens it, failing.

    Calls on published files and on notes fail in each way; where there are many, and on
    the store, which has one way of telling, in turns.
    """
    result, found = calls(situation.site, CHANGED, WRITING, "build-feeds")
    assert result.code == 0, result.err
    turns = cycle(ERRORS)
    is_small = sum(call.place != "store" for call in found) < MANY
    return [
        Injection(call, error)
        for call in found
        for error in (ERRORS if is_small and call.place != "store" else [next(turns)])
    ]


def reads(situation: Situation) -> list[Injection]:
    """Each read of the store, failing."""
    _, found = calls(situation.site, CHANGED, READING, "build-feeds")
    return [Injection(call, "EIO") for call in found if call.place == "store"]


def kills(situation: Situation) -> list[Injection]:
    """Each call that changes a file or opens it, as the last one."""
    _, found = calls(situation.site, CHANGED, WRITING, "build-feeds")
    return [Injection(call, None) for call in found]


def check(situation: Situation, name: str, injections: list[Injection]) -> None:
    """Fail with all that is wrong after any of the injections, each on its own."""
    found = {injection: faults_after(situation, injection) for injection in injections}
    missed = [injection for injection, faults in found.items() if faults[:1] == [MISSED]]
    wrong = [
        f"{name} {injection} ({injection.call.file}):\n    " + "\n    ".join(faults[:6])
        for injection, faults in found.items()
        if faults and injection not in missed
    ]
    assert not wrong, f"{len(wrong)} of {len(found)}:\n" + "\n".join(wrong)
    assert len(missed) <= max(MAY_MISS * len(found), 1), [str(injection) for injection in missed]


def sample(injections: list[Injection], count: int, seed: str) -> list[Injection]:
    """A few, each of another kind."""
    random_ = random.Random(seed)
    random_.shuffle(injections)
    kinds = {(item.call.place, item.call.name): item for item in injections}
    return random_.sample(sorted(kinds.values(), key=str), min(count, len(kinds)))


@pytest.mark.parametrize("name", KILLS)
def test_some_calls_fail_or_are_the_last(name: str, folder: Path) -> None:
    situation = prepared(name, folder)
    chosen = sample(kills(situation), 2, name)
    situation.restore()
    if name in FAULTS:
        chosen += sample(writes(situation), 3, name)
        situation.restore()
        chosen += sample(reads(situation), 1, name)
    check(situation, name, chosen)


def check_kills(situation: Situation, name: str, count: int) -> None:
    """Kill runs with all their processes after some time, and judge what is left."""
    random_ = random.Random(name)
    started = time.monotonic()
    assert situation.run().code == 0
    whole = time.monotonic() - started
    wrong, ends = [], []
    for number in range(count):
        situation.restore()
        moment = random_.uniform(0.05, 0.95) * whole
        whole_group = random_.random() < 0.7
        result = killed_after(
            situation.site, CHANGED, moment, "build-feeds", whole_group=whole_group
        )
        ends.append(result.code)
        faults = [f"torn: {fault}" for fault in torn(situation.site)]
        faults += faults_after_the_next(situation)
        if faults:
            wrong.append(f"{name} {number}, at {moment:.3f} s:\n    " + "\n    ".join(faults[:6]))
    assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong)
    assert count < MANY_KILLS or ends.count(-signal.SIGKILL) > count / 2


@pytest.mark.parametrize("name", ["archives"])
def test_killed_at_some_moments(name: str, folder: Path) -> None:
    check_kills(prepared(name, folder), name, 2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", KILLS)
def test_killed_at_many_moments(name: str, folder: Path) -> None:
    check_kills(prepared(name, folder), name, MANY_KILLS)


@pytest.mark.exhaustive
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", FAULTS)
def test_every_call_fails(name: str, part: int, folder: Path) -> None:
    situation = prepared(name, folder)
    check(situation, name, writes(situation)[part::PARTS])


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", FAULTS)
def test_every_read_of_the_store_fails(name: str, folder: Path) -> None:
    situation = prepared(name, folder)
    check(situation, name, reads(situation))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", KILLS)
def test_killed_at_many_calls(name: str, folder: Path) -> None:
    situation = prepared(name, folder)
    found = kills(situation)
    check(situation, name, random.Random(name).sample(found, min(32, len(found))))


@pytest.mark.exhaustive
@pytest.mark.skipif("FAULT" not in os.environ, reason="none is named")
def test_the_named_fault(folder: Path) -> None:
    name, call, number, error = os.environ["FAULT"].split()
    situation = prepared(name, folder)
    injection = Injection(Call(call, int(number), ""), None if error == "KILL" else error)
    check(situation, name, [injection])
