"""A real data set goes in and comes back whole: count, contents, and the order of each key; compressed, and after a kill."""

import unittest

from broker import Scenarios
from flights import FLIGHTS, by_assignment, load, summary

# Each way to read is a function from a broker and a topic to keys and values.
READERS = [by_assignment]


class Flights(Scenarios):
    """336,776 flights, keyed by carrier, in four partitions."""

    def check(self, topic, sent):
        """Every reader gets what was sent."""
        self.assertEqual(sent.count, FLIGHTS)
        for reader in READERS:
            with self.subTest(reader=reader.__name__):
                got = summary(reader(self.broker.bootstrap, topic))
                self.assertEqual(str(got), str(sent))
                self.assertEqual(got, sent, "the order of a key")

    def test_all_flights_come_back(self):
        """As a person loads them, without a word about settings."""
        topic = self.topic()
        self.check(topic, load(self.broker.bootstrap, topic))

    def test_all_flights_come_back_compressed(self):
        """The same in zstd, in batches that are worth it."""
        topic = self.topic()
        self.check(topic, load(self.broker.bootstrap, topic, **{"compression.type": "zstd", "linger.ms": 50}))

    def test_all_flights_come_back_after_a_kill(self):
        """What was acknowledged is there, all of it, once the broker serves again."""
        self.only_for("thalweg", "kafka")
        topic = self.topic()
        sent = load(self.broker.bootstrap, topic)
        self.broker.kill()
        self.broker.start()
        self.check(topic, sent)


if __name__ == "__main__":
    unittest.main()
