"""The promise at the outer door: what was acknowledged is there after `kill -9`, after SIGTERM, and after each start."""

import collections
import os
import random
import unittest

from broker import HANG_SECONDS, PARTITIONS, Scenarios, under_test
from confluent import read_to_the_end
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

# The long suite asks for more.
ROUNDS = int(os.environ.get("INTEROP_ROUNDS") or 10)
# Fixed, so that a failing run can be run again; what the machine does in between is its own.
SEED = int(os.environ.get("INTEROP_SEED") or 1)
# Of a partition on their way, before it is written past the journal.
BYPASS_BYTES = 2000
# Records that may be under way at a time.
WINDOW = 2000
# Of a journal that is small beside what is produced, and of a record there.
JOURNAL_BYTES = 8 << 20
# Of a journal that a round or two under load write over.
TINY_JOURNAL_BYTES = 1 << 20
RECORD_BYTES = 16 << 10
# How a record fails whose broker went away, or was going away.
LOST_WITH_THE_BROKER = {
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError._PURGE_QUEUE,
    KafkaError._PURGE_INFLIGHT,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
}


class Load:
    """A producer that numbers its records per partition, and remembers which were acknowledged, and where."""

    def __init__(self, producer, bootstrap, topic, acknowledged, **settings):
        self.topic = topic
        self.acknowledged = acknowledged  # (partition, offset) -> value, over all rounds
        self.sent = collections.Counter()
        self.failed = 0
        self.acks = 0
        self.conflicts = []
        self.errors = []
        # Small batches: many requests are under way when the broker dies.
        self.producer = producer({"bootstrap.servers": bootstrap, "batch.num.messages": 20, "linger.ms": 0, **settings})

    def send(self, round_):
        """One record more, to the partition whose turn it is."""
        partition = sum(self.sent.values()) % PARTITIONS
        value = f"{round_}/{partition}/{self.sent[partition]}/".encode().ljust(100, b".")
        self.sent[partition] += 1
        while True:
            try:
                self.producer.produce(self.topic, value, partition=partition, on_delivery=self.reported)
                return
            except BufferError:
                self.producer.poll(0.1)

    def reported(self, error, message):
        """A delivery report."""
        if error:
            self.failed += 1
            if error.code() not in LOST_WITH_THE_BROKER:
                self.errors.append(str(error))
            return
        self.acks += 1
        place = message.partition(), message.offset()
        if self.acknowledged.setdefault(place, message.value()) != message.value():
            self.conflicts.append(place)

    def send_until_acknowledged(self, count, round_):
        """Keeps the broker busy until it has acknowledged this many records."""
        silent_seconds = 0
        while self.acks < count:
            if sum(self.sent.values()) - self.acks - self.failed < WINDOW:
                self.send(round_)
                self.producer.poll(0)
            elif self.producer.poll(1):
                silent_seconds = 0
            else:
                silent_seconds += 1
            assert silent_seconds < HANG_SECONDS, f"no answer; {self.acks} of {count} acknowledged, {self.failed} failed"
            assert not self.errors, self.errors


class Crash(Scenarios):
    """Each scenario ends the broker in its own way, under load."""

    # The client that writes.
    producer = Producer

    def setUp(self):
        super().setUp()
        self.only_for("thalweg", "kafka")
        self.chance = random.Random(SEED)
        self.acknowledged = {}

    def create(self):
        """A topic that serves: with retries off, no record may fail for being early."""
        topic = self.topic()
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap})
        admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(HANG_SECONDS)
        producer = Producer({"bootstrap.servers": self.broker.bootstrap})
        for partition in range(PARTITIONS):
            producer.produce(topic, b"first", partition=partition, on_delivery=self.note_first)
        self.assertEqual(producer.flush(HANG_SECONDS), 0)
        self.assertEqual(len(self.acknowledged), PARTITIONS)
        return topic

    def note_first(self, error, message):
        """The report of a topic's first record."""
        self.assertIsNone(error)
        self.acknowledged[message.partition(), message.offset()] = message.value()

    def check(self, topic, duplicates):
        """Everything acknowledged stands where the report said, at dense offsets, in the order in which it was sent."""
        records = read_to_the_end(self.broker.bootstrap, topic, range(PARTITIONS))
        there = {}
        for partition, messages in records.items():
            self.assertEqual([m.offset() for m in messages], list(range(len(messages))), f"offsets of {partition}")
            there.update({(partition, m.offset()): m.value() for m in messages})
            if duplicates == "none":
                numbers = [self.number(m.value()) for m in messages[1:]]
                self.assertEqual(numbers, sorted(set(numbers)), f"order of partition {partition}")
        missing = [place for place, value in self.acknowledged.items() if there.get(place) != value]
        self.assertEqual(missing, [], f"{len(missing)} of {len(self.acknowledged)} acknowledged records; {self.broker.log()}")
        return len(there)

    @staticmethod
    def number(value):
        """Round and number of a record, which order it among those of its partition."""
        round_, _, number, _ = value.split(b"/")
        return int(round_), int(number)

    def test_kill_nine_under_load_loses_nothing(self):
        """Retries are off: a record is either acknowledged once or unknown, so a duplicate would be the broker's."""
        self.kill_under_load()

    def test_kill_nine_under_load_past_the_journal_loses_nothing(self):
        """The same where a few batches of a partition on their way are enough to be written straight to its files."""
        self.with_settings({"journal.bypass.bytes": BYPASS_BYTES})
        self.kill_under_load()

    def test_kill_nine_under_load_loses_nothing_of_a_journal_that_wraps(self):
        """The same where the journal is written over again and again, on the way into files."""
        self.with_settings({"journal.bytes": TINY_JOURNAL_BYTES})
        self.kill_under_load()
        journal = self.broker.home / "data" / "logs" / "journal"
        self.assertLessEqual(sum(file.stat().st_size for file in journal.iterdir()), TINY_JOURNAL_BYTES)

    def with_settings(self, settings):
        """A broker of its own."""
        self.only_for("thalweg")
        self.broker = under_test(**settings)
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.panicked_before = []

    def kill_under_load(self):
        topic = self.create()
        for round_ in range(ROUNDS):
            load = Load(self.producer, self.broker.bootstrap, topic, self.acknowledged, acks="all", retries=0)
            load.send_until_acknowledged(self.chance.randrange(1, 3000), round_)
            # A burst that is under way when it dies.
            for _ in range(self.chance.randrange(0, 2000)):
                load.send(round_)
            self.broker.kill()
            # Ends what waits; what is not acknowledged by now never will be. Again and again: a batch that is just on its
            # way between the client's queues escapes one purge, and would wait for minutes.
            for _ in range(HANG_SECONDS):
                load.producer.purge()
                if load.producer.flush(1) == 0:
                    break
            self.assertEqual(len(load.producer), 0)
            self.assertEqual((load.errors, load.conflicts), ([], []))
            self.broker.start()
            self.check(topic, duplicates="none")

    def test_a_producer_that_retries_outlives_kills(self):
        """One producer over all kills: at the end each record was acknowledged, and each acknowledgement holds."""
        topic = self.create()
        patient = {"message.timeout.ms": HANG_SECONDS * 1000, "reconnect.backoff.max.ms": 200, "retry.backoff.ms": 50}
        load = Load(self.producer, self.broker.bootstrap, topic, self.acknowledged, acks="all", **patient)
        for round_ in range(3):
            load.send_until_acknowledged(load.acks + self.chance.randrange(1, 2000), round_)
            self.broker.kill()
            for _ in range(100):
                load.send(round_)
            self.broker.start()
        self.assertEqual(load.producer.flush(HANG_SECONDS), 0)
        self.assertEqual((load.errors, load.failed, load.acks, load.conflicts), ([], 0, sum(load.sent.values()), []))
        self.check(topic, duplicates="by retries")

    def test_sigterm_drains_and_a_restart_serves_the_same(self):
        """SIGTERM under load: a clean exit code, and nothing acknowledged is lost; nor is anything at the next stop."""
        topic = self.create()
        load = Load(self.producer, self.broker.bootstrap, topic, self.acknowledged, acks="all", retries=0)
        load.send_until_acknowledged(1000, 0)
        for _ in range(1000):
            load.send(0)
        self.assertEqual(self.broker.stop(), self.broker.clean_exit, self.broker.log())
        load.producer.purge()
        self.assertEqual(load.producer.flush(HANG_SECONDS), 0)
        self.assertEqual((load.errors, load.conflicts), ([], []))
        self.broker.start()
        there = self.check(topic, duplicates="none")

        self.assertEqual(self.broker.stop(), self.broker.clean_exit, self.broker.log())
        self.broker.start()
        self.assertEqual(self.check(topic, duplicates="none"), there, "records after a restart without load")

    def test_topics_are_there_after_a_kill(self):
        """A topic whose creation was answered is durable, with its partitions, though nothing was written to it."""
        topic = self.topic()
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap})
        admin.create_topics([NewTopic(topic, 7, 1)])[topic].result(HANG_SECONDS)
        self.broker.kill()
        self.broker.start()
        metadata = AdminClient({"bootstrap.servers": self.broker.bootstrap}).list_topics(timeout=HANG_SECONDS)
        self.assertEqual(sorted(metadata.topics[topic].partitions), list(range(7)))
        with self.assertRaises(KafkaException):
            admin.create_topics([NewTopic(topic, 7, 1)])[topic].result(HANG_SECONDS)

    def test_a_journal_is_written_over_many_times_and_loses_nothing(self):
        """A journal that is far smaller than the data: producers wait for room and are never refused; no record is lost."""
        self.with_settings({"journal.bytes": JOURNAL_BYTES})
        small, topic = self.broker, self.create()

        def produce(round_, laps):
            """As many bytes as fill the journal so often. Retries are off, so a refusal would be seen."""
            refused = []

            def reported(error, message):
                if error:
                    refused.append(str(error))
                else:
                    self.acknowledged[message.partition(), message.offset()] = message.value()

            producer = self.producer({"bootstrap.servers": small.bootstrap, "acks": "all", "retries": 0})
            for n in range(laps * JOURNAL_BYTES // RECORD_BYTES):
                # More in the first partition: logs that are rarely written to are in the journal, too.
                partition = n % PARTITIONS if n % 50 == 0 else 0
                value = f"{round_}/{partition}/{n}/".encode().ljust(RECORD_BYTES, b".")
                producer.produce(topic, value, partition=partition, on_delivery=reported)
                if n % 64 == 63:
                    self.assertEqual(producer.flush(HANG_SECONDS), 0)
            self.assertEqual(producer.flush(HANG_SECONDS), 0)
            self.assertEqual(refused, [])

        produce(0, laps=8)
        self.check(topic, duplicates="none")
        journal = small.home / "data" / "logs" / "journal"
        self.assertLessEqual(sum(file.stat().st_size for file in journal.iterdir()), JOURNAL_BYTES)
        small.kill()
        small.start()
        self.check(topic, duplicates="none")
        # The next laps begin where recovery left the journal.
        produce(1, laps=3)
        small.kill()
        small.start()
        self.check(topic, duplicates="none")
        self.assertEqual(small.stop(), small.clean_exit, small.log())
        small.start()
        self.check(topic, duplicates="none")


if __name__ == "__main__":
    unittest.main()
