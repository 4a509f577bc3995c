"""`init` and `check`: nothing is published under a name that is nobody's."""

import datetime
from pathlib import Path

import pytest
from conftest import Site, article

OPTIONS = ("--title", "我的新闻", "--url", "https://news.mysite.cn", "--tag", "mysite.cn,2021")


@pytest.fixture
def new(site: Site) -> Site:
    """What `init` writes without options."""
    assert site.run("init", "new").code == 0
    made = Site(site.root / "other")
    made.root, made.config = site.root / "new", site.root / "new" / "config.yaml"
    made.posts, made.feeds = made.root / "posts", made.root / "feeds"
    return made


def line_of(path: Path, start: str) -> int:
    lines = path.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip().startswith(start))


def test_what_only_the_owner_knows_is_left_to_fill_in(new: Site) -> None:
    new.post("1.md", article())
    for command in ("check", "build-feeds", "poll", "status", "serve", "run"):
        result = new.run(command)
        assert result.code == 2, command
        lines = result.err.splitlines()
        assert len(lines) == 4
        for line, key in zip(lines, ("title", "url", "tag", "url"), strict=True):
            assert "is empty: fill it in" in line
            assert f".{key}: " in line
        assert f"config.yaml:{line_of(new.config, 'tag:')}: site.tag: " in result.err
    assert not new.store.exists()


def test_init_names_what_is_left_to_fill_in(site: Site) -> None:
    found = site.run("init", "new", "--title", "新闻", "--url", "https://news.kanbao.org/")
    assert "next: fill in tag in " in found.out


def test_options_of_init_fill_it_in(site: Site) -> None:
    posts = site.root / "jekyll" / "_posts"
    posts.mkdir(parents=True)
    (posts / "2022-01-27-1.md").write_text(article("eins"), "utf-8")
    result = site.run("init", "new", *OPTIONS, "--posts", posts, "--language", "de")
    assert result.code == 0, result.err
    config = site.root / "new" / "config.yaml"
    assert not (site.root / "new" / "posts").exists()
    check = site.run("check", "--config", config)
    assert (check.code, check.err) == (0, "")
    assert f"posts: 1 post matches {posts}/**/*" in check.out
    assert check.out.splitlines()[-1].endswith("config.yaml: OK")
    assert site.run("build-feeds", "--config", config).code == 0
    feed = (site.root / "new" / "feeds" / "all.atom").read_text("utf-8")
    assert "<title>我的新闻</title>" in feed
    assert "tag:mysite.cn,2021:" in feed
    assert 'xml:lang="de"' in feed
    assert "https://news.mysite.cn/feeds/all.atom" in feed


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--url", "news.mysite.cn", "must be a full URL"),
        ("--tag", "mysite.cn", "must be a domain and a year"),
        ("--tag", "mysite.cn,2999", "in the future"),
        ("--title", "", "must not be empty"),
    ],
)
def test_init_refuses_what_the_configuration_would(
    site: Site, option: str, value: str, reason: str
) -> None:
    result = site.run("init", "new", option, value)
    assert result.code == 2
    assert reason in result.err
    assert not (site.root / "new").exists()


TOMORROW = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=2)


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("mysite.cn,2999", "in the future"),
        (f"mysite.cn,{TOMORROW}", "in the future"),
        ("mysite.cn,2021-13", "no such date"),
        ("mysite.cn,2021-02-31", "no such date"),
        ("mysite.cn,0000", "no such date"),
    ],
)
def test_a_tag_of_a_date_that_cannot_be_is_refused(site: Site, tag: str, reason: str) -> None:
    site.configure(lambda text: text.replace("finews.example.org,2021", tag))
    for command in ("check", "build-feeds"):
        result = site.run(command)
        assert result.code == 2
        assert "config.yaml:4: site.tag: " in result.err
        assert reason in result.err


@pytest.mark.parametrize(
    ("authority", "is_warned"),
    [
        ("example.com", True),
        ("finews.example.org", True),
        ("me@example.net", True),
        ("a.b.test", True),
        ("x.invalid", True),
        ("my.example", True),
        ("localhost", True),
        ("EXAMPLE.org", True),
        ("myexample.org", False),
        ("example.org.cn", False),
        ("mysite.cn", False),
        ("me@mysite.cn", False),
    ],
)
def test_check_warns_of_ids_under_a_domain_that_is_nobodys(
    site: Site, authority: str, is_warned: bool
) -> None:
    site.post("1.md", article())
    site.configure(lambda text: text.replace("finews.example.org,2021", f"{authority},2021"))
    result = site.run("check")
    assert result.code == 0
    assert ("site.tag" in result.err) == is_warned
    assert ("config.yaml: OK" in result.out) == (not is_warned)
    assert bool(site.run("check", "--json").json["warnings"]) == is_warned


def test_the_sample_site_may_be_one() -> None:
    root = Path(__file__).parents[2]
    result = Site.run(_at(root), "check")
    assert result.code == 0
    assert "finews.example.org" in result.err
    assert "posts: 12 posts match " in result.out


def _at(root: Path) -> Site:
    site = Site.__new__(Site)
    site.root = root
    return site


@pytest.mark.parametrize(
    ("posts", "glob", "feeds", "is_refused"),
    [
        ("posts", "*.md", "posts", True),
        ("posts", "*.md", "./posts/../posts", True),
        ("posts", "*.md", "posts/feeds", False),
        ("posts", "**/*.md", "posts/feeds", False),
        ("posts", "**/*", "posts/feeds", True),
        ("posts", "**/*.html", "posts/feeds", True),
        (".", "**/*", "feeds", True),
        (".", "**/_posts/**/*", "feeds", False),
        (".", "*", "feeds", False),
        ("feeds/sources", "*.md", "feeds", True),
        ("feeds/archives/x", "*.md", "feeds", True),
        ("posts", "*.md", ".", False),
        ("link", "*.md", "posts", True),
    ],
)
def test_a_folder_of_feeds_that_is_one_of_posts_is_refused_everywhere(
    site: Site, posts: str, glob: str, feeds: str, is_refused: bool
) -> None:
    (site.root / "link").symlink_to("posts")
    site.configure(
        lambda text: text.replace("path: posts", f'path: {posts}\n    glob: "{glob}"').replace(
            "directory: feeds", f"directory: {feeds}"
        )
    )
    for command in ("check", "build-feeds", "status", "run") if is_refused else ("check",):
        result = site.run(command)
        assert (result.code == 2) == is_refused, result.err
        assert ("config.yaml:10: feeds.directory: " in result.err) == is_refused
