"""Commands by hand beside machines with another configuration."""

from __future__ import annotations

from conftest import Site, article
from postgresql import new_database

from aggregator.config.load import load_settings
from aggregator.pipeline import host_polling
from aggregator.workers import membership


def test_a_command_with_another_configuration_is_refused(site: Site) -> None:
    site.configure(lambda text: text + f"store: {new_database()}\n")
    site.post("2022-01-27-a.md", article())
    site.build()
    settings = load_settings(site.config)
    membership.join(settings, "process 1 on other", ["upstream"])
    site.build()
    site.configure(lambda text: text.replace("财经新闻", "别的"))
    for command in ("build-feeds", "poll"):
        result = site.run(command)
        assert result.code == 2
        assert "site: not as the other machines have it (process 1 on other)" in result.err


def test_a_store_that_is_not_there_yet_has_no_machines(site: Site) -> None:
    site.configure(lambda text: text + f"store: {new_database()}\n")
    site.build()
    host_polling.prepare(load_settings(site.config))
    site.build()
