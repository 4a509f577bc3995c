"""Settings as a small config.yaml makes them, without the file."""

from typing import Any

from aggregator.config.schema import Settings


def settings_with(**sections: Any) -> Settings:
    """The settings of a site, and `sections` in place of the defaults."""
    smallest = {
        "site": {
            "title": "财经新闻",
            "url": "https://finews.example.org/",
            "tag": "finews.example.org,2021",
        },
        "feeds": {"url": "https://finews.example.org/feeds/"},
    }
    return Settings.model_validate({**smallest, **sections})
