"""Our own client library, by its examples: what it writes others read, and the other way round.

Against the broker under test, and against a real Kafka where one is installed (`kafka/kafka.py install`).
"""

import subprocess
import unittest

from broker import HANG_SECONDS, PARTITIONS, SETTINGS, Kafka, Scenarios, kafka_installer
from confluent import read_to_the_end
from confluent_kafka import Producer
from ours import EXAMPLES

LINES = [f"line {number}" for number in range(5000)]


class OurClient(Scenarios):
    """Each scenario has one side that is ours."""

    def example(self, name, *arguments, given=None):
        """Runs an example to its end; what it printed."""
        command = [EXAMPLES / name, self.broker.bootstrap, *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_what_it_writes_others_read(self):
        """Every line once; in a partition, in the order in which it was written."""
        topic = self.topic()
        self.example("produce", topic, given="".join(f"{line}\n" for line in LINES))
        values = {}
        for partition, records in read_to_the_end(self.broker.bootstrap, topic, range(PARTITIONS)).items():
            values[partition] = [record.value().decode() for record in records]
        self.assertEqual(sorted(sum(values.values(), [])), sorted(LINES))
        for partition, own in values.items():
            self.assertEqual(own, sorted(own, key=LINES.index), partition)

    def test_what_others_write_it_reads(self):
        """In each of librdkafka's codecs, and out of transactions only what was committed."""
        topic = self.topic()
        expected = []
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
            producer = Producer({"bootstrap.servers": self.broker.bootstrap, "compression.type": codec, "linger.ms": 50})
            for line in LINES[:1000]:
                expected.append(f"{codec} {line}")
                producer.produce(topic, expected[-1].encode())
            self.assertEqual(producer.flush(HANG_SECONDS), 0)
        if self.broker.name == "kafka":
            producer = Producer({"bootstrap.servers": self.broker.bootstrap, "transactional.id": topic})
            producer.init_transactions(HANG_SECONDS)
            for end in [producer.abort_transaction, producer.commit_transaction, producer.abort_transaction]:
                producer.begin_transaction()
                producer.produce(topic, end.__name__.encode())
                producer.flush(HANG_SECONDS)
                end(HANG_SECONDS)
            expected.append("commit_transaction")
        self.assertEqual(sorted(self.example("consume", topic).splitlines()), sorted(expected))

    def test_it_comes_to_an_end_that_nobody_may_read(self):
        """Where all that is there was taken back, it has read everything."""
        self.only_for("kafka")
        topic = self.topic()
        producer = Producer({"bootstrap.servers": self.broker.bootstrap, "transactional.id": topic})
        producer.init_transactions(HANG_SECONDS)
        producer.begin_transaction()
        producer.produce(topic, b"not meant")
        producer.flush(HANG_SECONDS)
        producer.abort_transaction(HANG_SECONDS)
        self.assertEqual(self.example("consume", topic), "")

    def test_a_group_goes_on_where_it_ended(self):
        """The second of its members begins where the first has left."""
        topic = self.topic()
        self.example("produce", topic, given="".join(f"{line}\n" for line in LINES[:1000]))
        first = self.example("group", f"{topic}-group", topic, "1000").splitlines()
        self.assertEqual(sorted(first), sorted(LINES[:1000]))
        self.example("produce", topic, given="".join(f"{line}\n" for line in LINES[1000:2000]))
        second = self.example("group", f"{topic}-group", topic, "1000").splitlines()
        self.assertEqual(sorted(second), sorted(LINES[1000:2000]))


class OurClientOnKafka(OurClient):
    """The same against a real Kafka."""

    @classmethod
    def setUpClass(cls):
        installer = kafka_installer()
        if not (installer.JARS / "whole").exists():
            raise unittest.SkipTest("a real Kafka is not installed: kafka/kafka.py install")
        cls.broker = Kafka(SETTINGS)
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()


if __name__ == "__main__":
    unittest.main()
