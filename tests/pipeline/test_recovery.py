"""A damaged store is repaired or replaced, and no feed changes."""

import sqlite3
from pathlib import Path

import pytest
from conftest import Site
from revised import revised_site

CODE = "NW202201270000000001"


@pytest.mark.parametrize("damage", ["garbage", "cut", "page", "empty"])
def test_103_a_damaged_store_is_moved_aside_and_built_anew(site: Site, damage: str) -> None:
    before = revised_site(site)
    raw = bytearray(site.store.read_bytes())
    if damage == "garbage":
        raw[:] = b"garbage!" * 1000
    elif damage == "cut":
        del raw[len(raw) // 2 :]
    elif damage == "page":
        raw[4096:] = b"\xa5" * (len(raw) - 4096)
    else:
        raw.clear()
    site.store.write_bytes(raw)
    Path(f"{site.store}.current").unlink(missing_ok=True)
    result = site.build(expect=int(damage != "empty"))
    if damage != "empty":
        assert "damaged" in result.err
        assert len(list(site.store.parent.glob("*.damaged-*"))) == 1
    assert site.feed_bytes() == before
    assert "40 articles" in site.run("status").out


def test_103_any_page_may_be_damaged(site: Site) -> None:
    before = revised_site(site)
    sound = site.store.read_bytes()
    size = int.from_bytes(sound[16:18], "big")
    for page in range(1, len(sound) // size, 4):
        site.store.write_bytes(sound[: page * size] + b"\xa5" * size + sound[(page + 1) * size :])
        Path(f"{site.store}.current").unlink(missing_ok=True)
        for arguments in ([], ["--full"]):
            result = site.run("build-feeds", *arguments)
            assert "Traceback" not in result.err, result.err
            assert result.code == int("articles were saved from it" in result.err), result.err
        assert site.feed_bytes() == before, page


@pytest.mark.parametrize("reason", ["noise", "no feeds"])
def test_103_a_damaged_text_is_damage_too(site: Site, reason: str) -> None:
    before = revised_site(site)
    with sqlite3.connect(site.store) as connection:
        connection.execute("update body set text = x'00' || text")
        connection.execute("update rendition set html = x'00' || html")
    connection.close()
    if reason == "noise":
        path = site.posts / "2022-01-27-NW202201270000000103.md"
        path.write_text(path.read_text().replace("<p>", '<p class="x">', 1))
    else:
        (site.feeds / "sources" / "huaxiashibao.atom").unlink()
    result = site.build()
    assert "damaged" in result.err
    assert site.feed_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [("build-feeds", "--dry-run"), ("status",), ("problems",), ("sources",), ("show", CODE)],
    ids=lambda arguments: arguments[0],
)
def test_103_looking_at_a_damaged_store_leaves_it_alone(
    site: Site, arguments: tuple[str, ...]
) -> None:
    revised_site(site)
    site.store.write_bytes(b"garbage!" * 1000)
    result = site.run(*arguments)
    assert result.code == 1
    assert "aggregator.db: damaged" in result.err
    assert "Traceback" not in result.err
    assert site.store.read_bytes() == b"garbage!" * 1000
    assert list(site.store.parent.glob("*.damaged-*")) == []
