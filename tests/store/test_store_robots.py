"""robots.txt files, kept between polls."""

import datetime

from merging import NOW

from aggregator.model.polls import RobotsFile, Validators
from aggregator.store import robots
from aggregator.store.database import Store

DAY = datetime.timedelta(days=1)


def test_a_file_is_kept_as_it_was_until_it_is_long_out_of_date(store: Store) -> None:
    validators = Validators('"a"', "yesterday", "https://a.example/robots.txt")
    kept = RobotsFile("https://a.example", "User-agent: *\nDisallow: /北\n", NOW + DAY, validators)
    old = RobotsFile("https://b.example", "", NOW - 31 * DAY)
    with store.transaction() as connection:
        robots.save(connection, [kept, old], NOW - 2 * DAY)
        assert {file.site for file in robots.load(connection)} == {kept.site, old.site}
        robots.save(connection, [], NOW)
        assert robots.load(connection) == [kept]


def test_a_file_that_cannot_be_read_is_requested_anew(store: Store) -> None:
    with store.transaction() as connection:
        robots.save(connection, [RobotsFile("https://a.example", "x", NOW)], NOW)
        connection.execute(robots.table.update().values(text=b"\0"))
        assert robots.load(connection) == []
