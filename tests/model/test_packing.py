"""Texts as they are stored."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model.errors import DamagedStoreError
from aggregator.model.packing import pack, unpack


@given(st.text())
def test_a_text_comes_back(text: str) -> None:
    assert unpack(pack(text)) == text.encode("utf-8", "replace").decode()
    assert pack(text) == pack(text)


@given(st.text(min_size=1), st.data())
def test_a_text_that_is_cut_off_is_damage(text: str, data: st.DataObject) -> None:
    packed = pack(text)
    end = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(DamagedStoreError):
        unpack(packed[:end])


@pytest.mark.parametrize("body", [b"x", b"\x28\xb5\x2f\xfd", None, "text"])
def test_what_is_no_packed_text_is_damage(body: bytes) -> None:
    with pytest.raises(DamagedStoreError):
        unpack(body)


def test_many_threads_pack_at_once() -> None:
    texts = [str(number) * 10_000 for number in range(8)]
    found: dict[str, str] = {}

    def work(text: str) -> None:
        for _ in range(20):
            found[text] = unpack(pack(text))

    threads = [threading.Thread(target=work, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {text: text for text in texts}
