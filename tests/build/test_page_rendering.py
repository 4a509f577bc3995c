"""Drafts of pages become files, in any process."""

import datetime
from pathlib import Path

from one_feed import entry

from aggregator.build.page_rendering import Draft, produce
from aggregator.build.rendering import Body
from aggregator.model.articles import Revision
from aggregator.model.frame import Frame
from aggregator.model.packing import pack, unpack
from aggregator.model.pages import ArticlePage
from aggregator.publish.files import Folder

SEEN = datetime.datetime(2022, 1, 28, tzinfo=datetime.UTC)
FRAME = Frame("站", "https://a.example/", "https://a.example/feeds/", "zh-CN")


def draft(path: str = "articles/2022/01/x.html", **values: object) -> Draft:
    body = Body(("x", 2), pack("<p onclick=x>neu</p>"), "text/html", "https://a.example/")
    page = ArticlePage(FRAME, path, entry(content=""))
    return Draft("x", page, body, **values)  # type: ignore[arg-type]


def test_a_text_is_cleaned_and_kept(tmp_path: Path) -> None:
    codes, (written,) = produce(
        Folder(tmp_path), (), False, ({"x": "2022-01-27", "y": None}, (draft(),))
    )
    assert codes == {"x": "2022-01-27", "y": None}
    assert written.failure is None
    assert written.text is not None
    assert unpack(written.text.html) == "<p>neu</p>"
    (file,) = written.files
    assert file.temporary is not None
    assert "<p>neu</p>" in file.temporary.read_text("utf-8")


def test_corrections_come_from_the_revisions(tmp_path: Path) -> None:
    earlier = (
        Revision("x", 1, SEEN, "alt", "<p>alt</p>", "text/html"),
        Revision("x", 2, SEEN, "标题", "<p onclick=x>neu</p>", "text/html"),
    )
    _, (written,) = produce(Folder(tmp_path), (), False, (["x"], (draft(revisions=earlier),)))
    (file,) = written.files
    assert file.temporary is not None
    page = file.temporary.read_text("utf-8")
    assert "<del>alt</del><ins>neu</ins>" in page
    assert page.count("<del>alt</del>") == 2  # the title, too


def test_a_page_that_cannot_be_written_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "articles").write_text("a file in the way")
    drafts = (draft(), draft("other/x.html"))
    _, (failed, written) = produce(Folder(tmp_path), (), False, (["x"], drafts))
    assert failed.failure is not None
    assert "articles/2022/01/x.html: cannot be written" in failed.failure
    assert written.failure is None
