"""A real data set goes in and comes back whole: count, contents, and the order of each key; compressed, and after a kill."""

import subprocess
import sys
import unittest
from pathlib import Path

from broker import HANG_SECONDS, Scenarios
from flights import FLIGHTS, by_assignment, by_group, by_lines, load, summary
from test_kcat import KCAT


def by_kcat_group(bootstrap, topic):
    """What a person sees who joins a new group with kcat."""
    group = f"kcat-{topic}"
    command = [KCAT, "-b", bootstrap, "-q", "-e", "-X", "auto.offset.reset=earliest", "-f", r"%k\t%s\n", "-G", group, topic]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as kcat:
        yield from by_lines(kcat.stdout)
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

    def test_the_command_lines_of_the_readme(self):
        """Loaded, read by a group, and read with kcat by another: the same each time, or the exit code says so."""
        topic, bootstrap = self.topic(), self.broker.bootstrap
        flights = [sys.executable, Path(__file__).with_name("flights.py"), "--bootstrap", bootstrap, "--topic", topic]
        kcat = [KCAT, "-b", bootstrap, "-G", f"{topic}-others", "-X", "auto.offset.reset=earliest", "-eq"]

        def run(*arguments, **options):
            return subprocess.run([*flights, *arguments], stdout=subprocess.PIPE, text=True, timeout=HANG_SECONDS, **options)

        sent = run("load", check=True).stdout
        self.assertRegex(sent, f"^sent {FLIGHTS} records of 16 keys, checksum ")
        self.assertEqual(run("--group", f"{topic}-readers", "read", check=True).stdout, sent.replace("sent", "got"))
        with subprocess.Popen([*kcat, "-f", r"%k\t%s\n", topic], stdout=subprocess.PIPE) as lines:
            self.assertEqual(run("check", stdin=lines.stdout, check=True).stdout, sent.replace("sent", "got"))
        self.assertEqual(run("--group", f"{topic}-readers", "read").returncode, 1, "that group has read them")

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
