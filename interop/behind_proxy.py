"""Scenarios whose clients reach the broker through a proxy: numbered records go in, and exactly those have to be there."""

import os

from broker import HANG_SECONDS, PARTITIONS, under_test
from confluent import Confluent, consumer_of, read_to_the_end
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from proxy import Proxy

RECORDS = 20_000
# So many connections have to be cut at least, else the scenario has shown nothing.
CUTS_MIN = 5
# Fixed, so that the proxy throws the same dice; how the client's bytes fall into pieces is the machine's own.
SEED = int(os.environ.get("INTEROP_SEED") or 1)


class BehindProxy(Confluent):
    """The broker listens where it likes, and tells its clients to come to the proxy."""

    @classmethod
    def setUpClass(cls):
        cls.proxy = Proxy(SEED)
        cls.addClassCleanup(cls.proxy.close)
        cls.broker = under_test(**{"advertised.listeners": f"PLAINTEXT://{cls.proxy.address}"})
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.proxy.upstream = cls.broker.bootstrap

    def setUp(self):
        super().setUp()
        self.only_for("thalweg", "kafka")
        self.addCleanup(setattr, self.proxy, "cutting", False)

    def cut_connections(self):
        """From now on; counted from zero."""
        self.proxy.withheld = self.proxy.torn = 0
        self.proxy.cutting = True

    def check_cuts(self):
        """The proxy has bitten, in both ways; from now on it doesn't."""
        self.proxy.cutting = False
        self.assertGreater(self.proxy.withheld, CUTS_MIN)
        self.assertGreater(self.proxy.torn, CUTS_MIN)

    def await_records(self, topic, count):
        """Until so many records stand in the partitions together."""
        consumer = consumer_of(self.bootstrap, **{"enable.partition.eof": False})
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
        for n in range(count):
            self.assertIsNotNone(consumer.poll(HANG_SECONDS), f"record {n} of {count} did not come")
        consumer.close()

    def numbers(self, topic):
        """The numbers of the records of each partition, as they stand there."""
        records = read_to_the_end(self.bootstrap, topic, range(PARTITIONS))
        for partition, messages in records.items():
            self.assertEqual([m.offset() for m in messages], list(range(len(messages))), f"offsets of partition {partition}")
        return {partition: [int(m.value()) for m in messages] for partition, messages in records.items()}

    def check_exactly_once(self, topic, count=RECORDS):
        """Record n is in partition n modulo PARTITIONS, once, behind the records with lower numbers."""
        for partition, numbers in self.numbers(topic).items():
            expected = list(range(partition, count, PARTITIONS))
            if numbers != expected:
                twice = len(numbers) - len(set(numbers))
                missing = len(set(expected) - set(numbers))
                self.fail(f"partition {partition}: {twice} twice, {missing} missing, in order: {numbers == sorted(numbers)}")
