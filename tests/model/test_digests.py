"""Digests that tell whether two things are the same."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from aggregator.model.digests import digest, digest_of


@given(st.binary(), st.binary())
def test_different_bytes_have_different_digests(one: bytes, other: bytes) -> None:
    assert (digest(one) == digest(other)) is (one == other)
    assert len(digest(one)) == 16


def test_values_have_the_same_digest_in_every_process() -> None:
    values = ("北京", 1, None, (b"x", True))
    code = f"from aggregator.model.digests import digest_of; print(digest_of({values!r}).hex())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest_of(values).hex()
    assert digest_of(("ab", "c")) != digest_of(("a", "bc"))
