"""Posts from people who wish us ill or do not care: one test a case.

Each bad post lies beside a good one, which must be published as if nothing was wrong.
"""

import contextlib
import os
import socket
import sqlite3
import threading
from pathlib import Path

import pytest
from conftest import Site, article, share_url

from aggregator.model.errors import UnusableError
from aggregator.origins.posts import scan

GOOD = "2022-01-27-NW202201270000000001.md"
BODY = "---\n<p>正文。</p>\n"
HEAD = '---\ntitle: "标题"\ndate: 2022-01-01 10:00:00 +0800\ncategories: abc\n'


@pytest.fixture(autouse=True)
def _good_post(site: Site) -> None:
    site.post(GOOD, article("好的"))


def published(site: Site) -> dict[str, str]:
    """Title and content of what stands beside the good post, which must be there."""
    entries = {entry.title: entry.content[0].value for entry in site.entries()}
    assert entries.pop("好的") == "<p>正文。</p>"
    return entries


def refused(site: Site, name: str, reason: str, line: int | None = None) -> None:
    """The post is not published and has one problem, which ends when it is fixed."""
    site.build(timeout=15)
    assert published(site) == {}
    (problem,) = site.problems()
    assert problem["file"].endswith(f"posts/{name}")
    assert reason in problem["reason"]
    assert problem["line"] == line
    path = site.posts / name
    if path.is_symlink() or not path.is_file():
        path.rmdir() if path.is_dir() else path.unlink()
    site.post(name, article("标题"))
    site.build()
    assert site.problems() == []
    assert list(published(site)) == ["标题"]


def bomb(level: str) -> str:
    """Nine levels, each of which holds nine times the one before."""
    lines = [f"k{n}: &k{n} " + level.format(",".join([f"*k{n - 1}"] * 9)) for n in range(1, 10)]
    return "\n".join(["k0: &k0 {x: 1}", *lines, "title: *k9"])


YAML = {
    "01 python object": ('title: !!python/object/apply:os.system ["id"]', "the tag", 2),
    "02 alias bomb": (bomb("[{}]"), "anchors", 2),
    "03 merge bomb": (bomb("{{<<: [{}]}}"), "anchors", 2),
    "04 deep nesting": ("title: " + "[" * 50_000, "nested deeper", 2),
    "04 deep nesting of another key": ("x: " + "[" * 50_000, "nested deeper", 2),
    "05 recursive alias": ("title: x\na: &a [*a]", "anchors", 3),
    "06 too large": ("\n".join(f"k{n}: {'v' * 50}" for n in range(2000)), "64 KiB", 1),
    "07 a list": ("- a\n- b", "keys and values", 2),
    "07 a text": ("just text", "keys and values", 2),
    "15 a number without end": ("title: x\nweight: " + "9" * 5000, "5000 digits", 3),
}


@pytest.mark.parametrize("case", YAML)
def test_front_matter_that_is_refused(site: Site, case: str) -> None:
    front, reason, line = YAML[case]
    site.post("bad.md", f"---\n{front}\n{BODY}")
    refused(site, "bad.md", reason, line)


FORMATS = {
    "json": ("{", '"title": "x", "a": ' + "[" * 21, 1),
    "json in the middle": ("{", '"title": "]]",\n"a": ' + '["]]", ' * 50, 2),
    "json, very deep": ("{", '"a":{' * 100_000, 1),
    "toml": ("+++", 'title = "x"\na = ' + "[" * 21, 3),
    "toml behind texts": ("+++", 'a = """]"""""\nb = [' + "[']'," * 40, 3),
    "toml, very deep": ("+++", "a = " + "[" * 60_000, 2),
    "toml, inline tables": ("+++", "a = " + "{a=" * 3_000, 2),
    "toml, a long key": ("+++", "a." * 30_000 + "a = 1", 2),
    "toml, a long table": ("+++", "[" + "a . " * 10_000 + "a]", 2),
}


@pytest.mark.parametrize("case", FORMATS)
def test_04_depth_of_other_front_matter(site: Site, case: str) -> None:
    fence, front, line = FORMATS[case]
    site.post("bad.md", f"+++\n{front}\n+++\n<p>x</p>" if fence == "+++" else f"{{{front}")
    refused(site, "bad.md", "nested deeper than 20 levels", line)


def test_04_json_and_toml_that_only_look_deep(site: Site) -> None:
    texts = "[" * 500
    numbers = ", ".join(["[1.5, 2.5]"] * 50)
    posts = [
        f'{{"title": "J", "x": "{texts}\\"{texts}"}}\n<p>x</p>{texts}',
        f"+++\ntitle='T' # {texts}\nx='{texts}'\ny='''{texts}'{texts}'''\n+++\n<p>x</p>",
        f'+++\ntitle="U"\nx="\\"{texts}"\ny="""{texts}"{texts}""""\nz=""\n+++\n<p>x</p>',
        f"+++\ntitle='V'\nx=[{numbers}]\n+++\n<p>x</p>",
    ]
    for number, post in enumerate(posts):
        site.post(f"{number}.md", post)
    site.build()
    assert published(site).keys() == {"J", "T", "U", "V"}
    assert site.problems() == []


def test_08_duplicate_keys_the_last_one_wins_and_it_is_told(site: Site) -> None:
    site.post("bad.md", f"---\ntitle: eins\ntitle: zwei\ndate: 2022-01-01\n{BODY}")
    site.build()
    assert list(published(site)) == ["zwei"]
    (problem,) = site.problems()
    assert (problem["line"], "twice" in problem["reason"]) == (3, True)
    site.post("bad.md", f"---\ntitle: zwei\ndate: 2022-01-01\n{BODY}")
    site.build()
    assert site.problems() == []


def test_09_missing_end_fence(site: Site) -> None:
    site.post("bad.md", "---\ntitle: x\ndate: 2022-01-01\n<p>正文</p>\n")
    refused(site, "bad.md", "is not closed", 1)


CHINESE = (
    f"{HEAD.replace('标题', '中国的市场')}---\n<p>这是用旧编码写的正文，有一些常用的字。</p>\n"
)
ENCODINGS = {
    "10 BOM": CHINESE.encode("utf-8-sig"),
    "11 CRLF": CHINESE.replace("\n", "\r\n").encode(),
    "12 GB18030": CHINESE.encode("gb18030"),
    "12 UTF-16": CHINESE.encode("utf-16"),
    "12 Big5": CHINESE.replace("国", "國").replace("场", "場").replace("这", "這")
    .replace("旧", "舊").replace("编", "編").replace("码", "碼").replace("写", "寫").encode("big5"),
}  # fmt: skip


@pytest.mark.parametrize("case", ENCODINGS)
def test_encodings(site: Site, case: str) -> None:
    site.post("old.md", ENCODINGS[case])
    site.build()
    ((title, content),) = published(site).items()
    assert title[0] == "中"
    assert content.startswith("<p>")
    assert content.endswith("常用的字。</p>")
    assert site.problems() == []


def test_12_bytes_in_no_encoding(site: Site) -> None:
    site.post("bad.md", bytes(range(256)) * 20)
    refused(site, "bad.md", "not text", 1)


def test_13_nul_and_control_characters(site: Site) -> None:
    head = HEAD.replace("标题", "标\0题\x08")
    site.post("odd.md", head + "---\n<p>a\0b\x0bc\x1bd</p>")
    site.build()
    assert published(site) == {"标题": "<p>abcd</p>"}
    assert site.problems() == []


def test_14_a_date_that_does_not_exist_is_as_none_and_noted(site: Site) -> None:
    site.post("2022-01-05-x.md", HEAD.replace("2022-01-01 10", "2026-02-31 10") + BODY)
    site.build()
    (entry,) = [entry for entry in site.entries() if entry.title == "标题"]
    assert entry.published == "2022-01-05T00:00:00+08:00"
    (problem,) = site.problems()
    assert "2026-02-31 10" in problem["reason"]


@pytest.mark.parametrize(
    "value",
    ["[NW202112162216485766]", "true", "0777", "{a: b}", "1.5", "NW12", "../../x", "%2e%2e"],
)
def test_16_what_is_no_code(site: Site, value: str) -> None:
    site.post("bad.md", f"{HEAD}infoCode: {value}\n{BODY}")
    refused(site, "bad.md", "code", 5)


def test_17_too_large(site: Site) -> None:
    site.post("bad.md", f"{HEAD}---\n<p>{'x' * 5_000_000}</p>")
    refused(site, "bad.md", "larger than 5,000,000 bytes")


def test_18_a_link_out_of_the_folder(site: Site) -> None:
    outside = site.root / "outside.md"
    outside.write_text(article("geheim"))
    (site.posts / "bad.md").symlink_to(outside)
    refused(site, "bad.md", "outside the posts folder")


def test_18_a_link_within_the_folder_is_followed(site: Site) -> None:
    site.post("sub/real.md", article("echt"))
    (site.posts / "link.md").symlink_to("sub/real.md")
    site.build()
    assert list(published(site)) == ["echt"]


def test_19_links_in_a_circle(site: Site) -> None:
    (site.posts / "bad.md").symlink_to("bad.md")
    refused(site, "bad.md", "loop of links")


def test_20_pipe(site: Site) -> None:
    os.mkfifo(site.posts / "bad.md")
    refused(site, "bad.md", "a pipe")


def test_20_socket(site: Site) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(site.posts)
        listener.bind("bad.md")
        os.chdir(here)
        refused(site, "bad.md", "a socket")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/tty", "/dev/fd/0"])
def test_20_a_device_behind_a_link(site: Site, device: str) -> None:
    (site.posts / "bad.md").symlink_to(device)
    site.build(timeout=15)
    assert published(site) == {}
    assert len(site.problems()) == 1


def test_20_a_folder_that_is_named_like_a_post_is_none(site: Site) -> None:
    (site.posts / "bad.md").mkdir()
    site.build()
    assert published(site) == {}
    assert site.problems() == []


@pytest.mark.sqlite
def test_21_unreadable_file(site: Site) -> None:
    path = site.post("bad.md", article("einst"))
    site.build()
    path.write_text(article("jetzt"))
    path.chmod(0)
    drop = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
    site.build(prefix=drop if os.geteuid() == 0 else ())
    assert list(published(site)) == ["einst"]
    (problem,) = site.problems()
    assert "Permission denied" in problem["reason"]
    path.chmod(0o644)
    site.build()
    assert site.problems() == []
    assert list(published(site)) == ["jetzt"]


def test_22_replaced_by_a_link_between_stat_and_open(site: Site) -> None:
    secret = site.root / "secret"
    secret.write_text("geheim")
    path = site.post("bad.md", article())
    assert scan.file_stat(str(site.posts), "bad.md", scan.PostsDigest()) is not None
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(UnusableError, match="outside the posts folder"):
        scan.read_file(str(site.posts), "bad.md", 1000)


def test_22_replaced_by_a_pipe_between_stat_and_open(site: Site) -> None:
    path = site.post("bad.md", article())
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UnusableError, match="something that is not a file"):
        scan.read_file(str(site.posts), "bad.md", 1000)


def test_22_a_folder_replaced_by_a_link_between_stat_and_open(site: Site) -> None:
    site.post("sub/bad.md", "inside")
    outside = site.root / "outside"
    outside.mkdir()
    (outside / "bad.md").write_text("geheim")
    (site.posts / "sub").rename(site.root / "moved")
    (site.posts / "sub").symlink_to(outside)
    with pytest.raises(UnusableError, match="outside the posts folder"):
        scan.read_file(str(site.posts), "sub/bad.md", 1000)


def test_22_nothing_outside_is_read_while_post_and_link_take_turns(site: Site) -> None:
    secret = site.root / "secret"
    secret.write_text("geheim")
    path, spare = site.post("bad.md", "inside"), site.posts / ".spare"
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            spare.symlink_to(secret)
            spare.replace(path)
            spare.write_text("inside")
            spare.replace(path)

    swapper = threading.Thread(target=swap)
    swapper.start()
    outcomes: set[bytes | str | None] = set()
    try:
        for _ in range(20_000):
            try:
                outcomes.add(scan.read_file(str(site.posts), "bad.md", 1000))
            except UnusableError:
                outcomes.add("refused")
    finally:
        done.set()
        swapper.join()
    assert outcomes == {b"inside", "refused"}


def test_23_a_torn_post_heals_at_the_next_poll(site: Site) -> None:
    path = site.post("torn.md", article("ganz", "<p>eins</p>......"))
    site.build()
    write_in_the_same_tick(site, path, article("ganz", "<p>eins, zwei</p>"))
    site.build()
    assert published(site)["ganz"] == "<p>eins, zwei</p>"


def test_23_what_was_old_when_it_was_read_is_not_read_again(site: Site) -> None:
    path = site.post("whole.md", article("ganz", "<p>eins</p>......"))
    os.utime(path, (1_643_000_000, 1_643_000_000))
    site.build()
    write_in_the_same_tick(site, path, article("ganz", "<p>eins, zwei</p>"))
    site.build()
    assert published(site)["ganz"] == "<p>eins</p>......"


def write_in_the_same_tick(site: Site, path: Path, text: str) -> None:
    """Go on writing within one tick of the clock: nothing that stat tells has changed."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    # The tick has passed by now, so it is put back where the store keeps it.
    with contextlib.closing(sqlite3.connect(site.store)) as store, store:
        changed = store.execute(
            "UPDATE file SET ctime_ns = ? WHERE path = ?", (after.st_ctime_ns, path.name)
        )
        assert changed.rowcount == 1


def test_23_settle_waits_until_the_folder_is_quiet(site: Site) -> None:
    writing = threading.Event()

    def write() -> None:
        for number in range(8):
            site.post("slow.md", article(f"Fassung {number}"))
            writing.set()
            threading.Event().wait(0.1)

    writer = threading.Thread(target=write)
    writer.start()
    writing.wait()
    site.build("--settle", "0.5")
    writer.join()
    assert list(published(site)) == ["Fassung 7"]


def test_24_deleted_before_it_is_read_is_as_gone(site: Site) -> None:
    assert scan.read_file(str(site.posts), "never.md", 1000) is None
    assert scan.file_stat(str(site.posts), "never.md", scan.PostsDigest()) is None


def test_25_folder_vanished(site: Site) -> None:
    site.build()
    before = site.feed_bytes()
    site.posts.rename(site.root / "elsewhere")
    result = site.build(expect=1)
    assert "no such folder" in result.err
    assert site.feed_bytes() == before
    (site.root / "elsewhere").rename(site.posts)
    site.build()
    assert site.feed_bytes() == before


@pytest.mark.parametrize("name", ["a\nb.md", 'it\'s "x".md', "x" * 252 + ".md", "空 格.md"])
def test_26_odd_names(site: Site, name: str) -> None:
    site.post(name, article("标题"))
    site.post("z" + name[:-4] + ".md", "kein Kopf")
    site.build()
    assert list(published(site)) == ["标题"]
    assert len(site.run("problems").out.splitlines()) == 1


def test_26_a_name_that_is_not_utf_8(site: Site) -> None:
    path = os.fsencode(site.posts) + b"/caf\xe9.md"
    Path(os.fsdecode(path)).write_text(article("标题"))
    site.build()
    (entry,) = [entry for entry in site.entries() if entry.title == "标题"]
    assert entry.id.endswith(":posts/caf%E9.md")
    before = site.feed_bytes()
    site.build()
    assert site.feed_bytes() == before
    assert site.problems() == []


def latin(folder: Path) -> Path:
    """A name in Latin-1, whose shown form is the name of another file."""
    return Path(os.fsdecode(os.fsencode(folder) + b"/latin-\xe9.md"))


def test_26_two_names_that_look_alike_are_two_files(site: Site) -> None:
    latin(site.posts).write_text(article("Byte"))
    site.post("latin-\\xe9.md", article("Text"))
    site.post("good.md", article("gut"))
    site.build()
    assert set(published(site)) == {"Byte", "Text", "gut"}
    before = site.feed_bytes()
    site.build("--full")
    assert site.feed_bytes() == before
    latin(site.posts).unlink()
    site.post("latin-\\xe9.md", article("Text, neu"))
    site.build()
    assert set(published(site)) == {"Byte", "Text, neu", "gut"}


@pytest.mark.parametrize("removed", ["keep", "drop"])
@pytest.mark.parametrize("same", [False, True])
def test_26_a_store_that_kept_a_name_as_it_was_shown(site: Site, removed: str, same: bool) -> None:
    """A backslash and a line break stood in locations as they are until 0.1.0."""
    site.configure(
        lambda text: text.replace("path: posts", f"path: posts\n    when_removed: {removed}")
    )
    site.post("latin-\\xe9.md", article("Text"))
    site.post("a\nb.md", article("Zeile"))
    site.post("a.md", article("gut"))
    site.build()
    before = site.feed_bytes()
    with sqlite3.connect(site.store) as connection:
        for table, column in (("copy", "location"), ("file", "path")):
            for new, old in (("latin-\\\\xe9.md", "latin-\\xe9.md"), ("a\\x0ab.md", "a\nb.md")):
                changed = connection.execute(
                    f"update {table} set {column} = ? where {column} = ?", (old, new)
                )
                assert changed.rowcount == 1
    connection.close()
    site.post("z.md", "kein Kopf")
    site.build()
    assert site.feed_bytes() == before
    site.build("--full")
    assert site.feed_bytes() == before
    latin(site.posts).write_text(article("Text" if same else "Byte"))
    site.build()
    assert sorted(entry.title for entry in site.entries()) == sorted(
        ["Text", "Text" if same else "Byte", "Zeile", "gut", "好的"]
    )
    assert all(entry.updated == entry.published for entry in site.entries())


@pytest.mark.parametrize("same", [False, True])
def test_26_a_name_that_takes_the_place_of_another_in_an_old_store(site: Site, same: bool) -> None:
    site.post("latin-\\xe9.md", article("Text"))
    site.build()
    with sqlite3.connect(site.store) as connection:
        for table, column in (("copy", "location"), ("file", "path")):
            connection.execute(
                f"update {table} set {column} = 'latin-\\xe9.md' where {column} like 'latin%'"
            )
    connection.close()
    latin(site.posts).write_text(article("Text" if same else "Byte"))
    site.build()
    assert sorted(entry.title for entry in site.entries()) == sorted(
        ["Text", "Text" if same else "Byte", "好的"]
    )


@pytest.mark.parametrize("year", [1800, 2300, 9999])
def test_28_a_time_that_64_bits_do_not_hold(site: Site, year: int) -> None:
    site.post("good.md", article("gut"))
    path = site.post("far.md", article("fern", date=None))
    seconds = (year - 1970) * 31_556_952
    os.utime(path, ns=(seconds * 10**9, seconds * 10**9))
    site.build()
    assert set(published(site)) == {"gut", "fern"}
    before = site.feed_bytes()
    site.build()
    assert site.feed_bytes() == before


def test_27_two_files_with_one_code_are_one_entry(site: Site) -> None:
    code = "NW202201272264567295"
    for stem, host in ((code, "a.example.org"), (code[2:], "b.example.net")):
        text = article("zwei", share=share_url(code, host))
        site.post(f"2022-01-27-{stem}.md", text)
    site.build()
    assert list(published(site)) == ["zwei"]
    assert len(site.run("show", code, "--json").json["copies"]) == 2


def test_28_a_time_in_2100(site: Site) -> None:
    path = site.post("future.md", article("标题", date=None))
    os.utime(path, (4_102_444_800, 4_102_444_800))
    site.build()
    assert list(published(site)) == ["标题"]
    before = site.feed_bytes()
    site.build()
    assert site.feed_bytes() == before
    path.write_text(article("neu", date=None))
    os.utime(path, (4_102_444_800, 4_102_444_800))
    site.build()
    assert list(published(site)) == ["neu"]


def test_29_a_title_of_a_megabyte_is_cut_with_a_note(site: Site) -> None:
    site.post("long.md", article("长" * 350_000))
    site.build()
    ((title, _),) = published(site).items()
    assert 900 < len(title) < 1100
    (problem,) = site.problems()
    assert "cut" in problem["reason"]


def test_30_a_code_in_the_text_is_about_another_article(site: Site) -> None:
    other = "NW202201270000000099"
    body = f"<p>见<a href='{share_url(other)}'>前文</a> {share_url(other)}</p>"
    site.post("2022-01-28-NW202201280000000002.md", article("dies", body))
    site.post("note.md", article("Notiz", f"<p>x</p>\n\n<{share_url(other)}>\n\n<p>ende</p>"))
    site.build()
    ids = {entry.title: entry.id.rpartition(":")[2] for entry in site.entries()}
    assert ids["dies"] == "NW202201280000000002"
    assert ids["Notiz"] == "posts/note.md"


BECOMES_BAD = {
    **{case.replace(" ", "-"): f"---\n{front}\n{BODY}" for case, (front, _, _) in YAML.items()},
    "09-end": "---\ntitle: x\n<p>y</p>",
    "12-bytes": bytes(range(256)) * 20,
    "15-json": '{"title": "x", "weight": ' + "9" * 5000 + "}\ny",
    "15-toml": '+++\ntitle = "x"\nweight = ' + "9" * 5000 + "\n+++\ny",
    "04-json": '{"title": ' + "[" * 50_000 + "]" * 50_000 + "}\ny",
    "04-toml": "+++\ntitle = " + "[" * 20_000 + "\n+++\ny",
    "16-code": f"{HEAD}infoCode: [x]\n{BODY}",
    "17-size": f"{HEAD}---\n{'x' * 5_000_000}",
    "yaml": "---\ntitle: x\n  - y: [\n" + BODY,
    "empty": "",
    "no-head": "<p>x</p>",
}


def test_posts_that_become_bad_stay_as_they_were(site: Site) -> None:
    names = {f"{case}.md": text for case, text in BECOMES_BAD.items()}
    for name in names:
        site.post(name, article(f"einst {name}"))
    site.build()
    before = published(site)
    assert set(before) == {f"einst {name}" for name in names}
    for name, text in names.items():
        site.post(name, text)
    site.build(timeout=30)
    assert published(site) == before
    problems = site.problems()
    assert sorted(Path(problem["file"]).name for problem in problems) == sorted(names)
    assert all(problem["reason"] for problem in problems)
    for name in names:
        site.post(name, article(f"jetzt {name}"))
    site.build()
    assert set(published(site)) == {f"jetzt {name}" for name in names}
    assert site.problems() == []


def test_the_problem_of_a_post_that_is_deleted_ends(site: Site) -> None:
    path = site.post("bad.md", "no head")
    site.build()
    assert len(site.problems()) == 1
    path.unlink()
    site.build()
    assert site.problems() == []


# Each of these takes minutes, or all memory, where the work grows faster than the text.
COSTLY = {
    "a line that looks like boilerplate": f"{HEAD}---\nText\n\n[返回{'](' * 500_000}",
    "empty links": f"{HEAD}---\nText\n" + "<>\n" * 1_500_000,
    "open outputs": f"{HEAD}---\n" + "{{ " * 1_000_000,
    "open tags": f"{HEAD}---\n" + "{% " * 1_000_000,
    "open raw": f"{HEAD}---\n" + "{% raw %}" * 400_000,
    "replacing": f'{HEAD}---\n{{{{ "{"a" * 10}"' + f' | replace: "a", "{"a" * 10}"' * 9 + " }}",
    "a long range": f"{HEAD}---\n" + '{{ (1..1000000000) | join: "" }}',
}


@pytest.mark.parametrize("case", COSTLY)
def test_what_costs_too_much_delays_no_other_post(site: Site, case: str) -> None:
    site.post("bad.md", COSTLY[case])
    site.build(timeout=10, prefix=("prlimit", "--as=2000000000"))
    published(site)


def test_a_long_line_is_mended_in_time(site: Site) -> None:
    site.post("bad.md", f"---\nx: a{' ' * 60_000}b\ntitle: [lang] ja\n---\nText")
    site.build(timeout=5)
    assert published(site) == {"[lang] ja": "<p>Text</p>"}


FAILING = [
    '{{ "1e999" | ceil }}',
    '{{ "nan" | round }}',
    "{{ 10" + " | times: 99999999999999999999999" * 300 + " }}",
    '{{ "99999999999999999999999" | date: "%Y" }}',
    '{{ -99999999999999 | date: "%Y" }}',
    '{{ "/w==" | base64_decode }}',
    "{{ page.tags | sum }}",
    "{{ 1 | divided_by: 0 }}",
    "{% if x %}" * 10_000,
    "{{ page" + "[page" * 10_000 + " }}",
]


@pytest.mark.parametrize("liquid", FAILING, ids=lambda liquid: liquid[:40])
def test_liquid_that_fails_spoils_no_other_post(site: Site, liquid: str) -> None:
    site.post("bad.md", f"---\ntitle: schlecht\ntags: [a, b]\n---\nvor {liquid} nach")
    site.build(timeout=15)
    published(site)
    (problem,) = site.problems()
    assert problem["file"].endswith("bad.md")
    assert "Liquid" in problem["reason"]


@pytest.mark.parametrize("key", ["title", "categories", "category", "tags", "layout", "infoCode"])
def test_half_a_character_in_json_front_matter(site: Site, key: str) -> None:
    site.post("half.md", f'{{"date": "2022-01-01", "{key}": "Wort\\ud800新闻"}}\nText')
    site.build()
    if key != "infoCode":  # which is a code, or it is refused
        ((_, text),) = published(site).items()
        assert text == "<p>Text</p>"
        assert site.problems() == []


def test_control_characters_that_yaml_escapes(site: Site) -> None:
    site.post("odd.md", '---\ntitle: "a\\bb"\ncategories: "c\\0d"\ntags: "e\\x01f新闻"\n---\nText')
    site.build()
    (entry,) = [entry for entry in site.entries() if entry.title == "ab"]
    assert entry.author == "ef"
    assert entry.tags[0].term == "cd"


def test_two_rules_that_disagree_are_told_and_the_surer_one_is_believed(site: Site) -> None:
    one, other = "NW202201270000000011", "NW202201270000000012"
    site.post(f"2022-01-27-{one}.md", article("x", share=share_url(other)))
    site.build()
    assert any(entry.id.endswith(other) for entry in site.entries())
    (problem,) = site.problems()
    assert one in problem["reason"]
    assert other in problem["reason"]
