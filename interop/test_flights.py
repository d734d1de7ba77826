"""A real data set goes in and comes back whole: count, contents, and the order of each key; compressed, and after a kill."""

import subprocess
import unittest

from broker import Scenarios
from flights import FLIGHTS, by_assignment, by_group, load, summary
from test_kcat import KCAT



def by_kcat_group(bootstrap, topic):
    """What a person sees who joins a new group with kcat. A line is a flight: neither key nor value has a tab or a line's end."""
    group = f"kcat-{topic}"
    command = [KCAT, "-b", bootstrap, "-q", "-e", "-X", "auto.offset.reset=earliest", "-f", r"%k\t%s\n", "-G", group, topic]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as kcat:
        for line in kcat.stdout:
            key, value = line.rstrip(b"\n").split(b"\t")
            yield key, value
    if kcat.returncode:
        raise RuntimeError(f"kcat: {kcat.returncode}")


# Each way to read is a function from a broker and a topic to keys and values.
READERS = [by_assignment, by_group, by_kcat_group]


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

    def test_a_group_reads_them_once(self):
        """What it has read it doesn't read again; another group does."""
        topic = self.topic()
        sent = load(self.broker.bootstrap, topic)
        first = summary(by_group(self.broker.bootstrap, topic, f"{topic}-group"))
        again = summary(by_group(self.broker.bootstrap, topic, f"{topic}-group"))
        other = summary(by_group(self.broker.bootstrap, topic, f"{topic}-other"))
        self.assertEqual((str(first), str(other), again.count), (str(sent), str(sent), 0))
        self.assertEqual((first, other), (sent, sent), "the order of a key")


if __name__ == "__main__":
    unittest.main()
