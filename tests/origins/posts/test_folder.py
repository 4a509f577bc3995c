"""What changed in a posts folder since the last poll."""

import datetime
import os
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from configured import settings_with
from conftest import Site, article

from aggregator.model.errors import OriginError
from aggregator.model.polls import Batch, FileState
from aggregator.origins.from_settings import posts_folders

NOW = datetime.datetime.now(datetime.UTC)
OLD = time.time() - 3600


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """A folder with the posts 1.md, 2.md and 3.md, all an hour old."""
    (tmp_path / "posts").mkdir()
    for number in (1, 2, 3):
        write(tmp_path / "posts" / f"{number}.md", article(f"T{number}"))
    return tmp_path / "posts"


def write(path: Path, text: str, modified: float = OLD) -> None:
    path.write_text(text, "utf-8")
    os.utime(path, (modified, modified))


def poll(
    posts: Path,
    known: Iterable[FileState] = (),
    *,
    settle: bool = False,
    read_all: bool = False,
    allow_empty: bool = False,
) -> list[Batch]:
    (folder,) = posts_folders(
        settings_with(base=posts.parent, posts=[{"path": "posts", "layout": "plain"}]),
        settle=settle,
    )
    return list(
        folder.poll(
            known,
            NOW,
            read_all=read_all,
            allow_empty=allow_empty,
            progress=lambda done, total: None,
        )
    )


def states(posts: Path) -> list[FileState]:
    (batch,) = poll(posts)
    return list(batch.states)


def read(batches: list[Batch]) -> list[str]:
    return [path for batch in batches for path in batch.read]


def test_a_file_that_is_no_post_any_more_keeps_its_article_and_is_a_problem(site: Site) -> None:
    site.configure(
        lambda text: text.replace(
            "path: posts", "path: posts\n    glob: '*.md'\n    when_removed: drop"
        )
    )
    site.post("hello.md", article("甲"))
    site.post("2022-01-26-b.md", article("乙", date="2022-01-26"))
    site.build()
    site.configure(lambda text: text.replace("layout: plain", "layout: jekyll"))
    for _ in range(2):
        site.build()
        assert len(site.entries()) == 2
        (problem,) = site.problems()
        assert problem["file"] == "posts/hello.md"
        assert "layout: plain" in problem["reason"]
    (site.posts / "hello.md").unlink()
    site.build()
    assert ([entry.title for entry in site.entries()], site.problems()) == (["乙"], [])


@pytest.mark.parametrize(("when_removed", "left"), [("keep", 2), ("drop", 1)])
def test_a_folder_in_the_place_of_a_post_removes_it(
    site: Site, when_removed: str, left: int
) -> None:
    site.configure(
        lambda text: text.replace("layout:", f"when_removed: {when_removed}\n    layout:")
    )
    for number in range(2):
        site.post(f"{number}.md", article(f"标题{number}"))
    site.build()
    (site.posts / "1.md").unlink()
    (site.posts / "1.md").mkdir()
    site.build()
    assert len(site.entries()) == left
    assert site.problems() == []


def test_other_rules_of_reading_make_no_correction(site: Site) -> None:
    site.post("2022-01-27-a.md", article("甲", "正文。\n\n编辑：某人"))
    site.post("2022-01-26-b.md", article("乙", "正文。\n\n编辑：某人", date="2022-01-26"))
    site.build()
    before = site.entries()
    site.configure(
        lambda text: text.replace("path: posts", "path: posts\n    drop_lines: ['^编辑']")
    )
    # A correction at the same time stays one.
    site.post("2022-01-26-b.md", article("乙", "别的正文。", date="2022-01-26"))
    site.build()
    after = site.entries()
    assert ["编辑" in entry.content[0].value for entry in (*before, *after)] == [
        True, True, False, False
    ]  # fmt: skip
    assert [one.updated == other.updated for one, other in zip(before, after, strict=True)] == [
        True, False
    ]  # fmt: skip


def test_the_first_poll_reads_every_post(posts: Path) -> None:
    (batch,) = poll(posts)
    assert [copy.title for copy in batch.copies] == ["T1", "T2", "T3"]
    assert [state.path for state in batch.states] == ["1.md", "2.md", "3.md"]
    assert not any(state.young for state in batch.states)


def test_what_is_as_it_was_is_not_read(posts: Path) -> None:
    assert poll(posts, states(posts)) == []
    assert read(poll(posts, states(posts), read_all=True)) == ["1.md", "2.md", "3.md"]


def test_what_changed_is_read_and_what_went_is_gone(posts: Path) -> None:
    known = states(posts)
    write(posts / "2.md", article("neu"))
    write(posts / "25.md", article("T25"))
    (posts / "1.md").unlink()
    (posts / "3.md").rename(posts / "4.md")
    first, second = poll(posts, known)
    assert [copy.title for copy in first.copies] == ["neu", "T25", "T3"]
    assert second.gone == ("1.md", "3.md")


def test_a_file_with_the_same_bytes_is_not_parsed_again(posts: Path) -> None:
    known = states(posts)
    os.utime(posts / "2.md", (OLD + 1, OLD + 1))
    (batch,) = poll(posts, known)
    assert [state.path for state in batch.states] == ["2.md"]
    assert batch.read == ()


def test_a_young_file_is_read_again(posts: Path) -> None:
    write(posts / "2.md", article("jung"), time.time())
    known = states(posts)
    assert [state.path for state in known if state.young] == ["2.md"]
    (batch,) = poll(posts, known)
    assert [state.path for state in batch.states] == ["2.md"]


def test_a_file_that_is_being_written_waits_where_that_is_wanted(posts: Path) -> None:
    known = states(posts)
    with (posts / "2.md").open("a") as file:
        file.write("halb")
        file.flush()
        assert poll(posts, known, settle=True) == []
        assert read(poll(posts, known)) == ["2.md"]
    assert read(poll(posts, known, settle=True)) == ["2.md"]


def test_a_folder_that_is_suddenly_empty_is_an_error(posts: Path) -> None:
    known = states(posts)
    for path in posts.iterdir():
        path.unlink()
    with pytest.raises(OriginError, match="nothing was removed"):
        poll(posts, known)
    (batch,) = poll(posts, known, allow_empty=True)
    assert batch.gone == ("1.md", "2.md", "3.md")
    assert poll(posts) == []


def test_a_draft_is_withdrawn_and_a_bad_post_is_a_problem(posts: Path) -> None:
    write(posts / "1.md", article("T1", extra="published: false"))
    write(posts / "2.md", "---\ntitle: x\n")
    (posts / "3.md").unlink()
    (posts / "3.md").symlink_to("/etc/passwd")
    first, second = poll(posts)
    assert (first.withdrawn, first.copies) == (("1.md",), ())
    assert [(item.location, item.line) for item in first.problems] == [("2.md", 1)]
    assert [item.location for item in second.problems] == ["3.md"]
    assert [state.path for state in second.states] == ["3.md"]
