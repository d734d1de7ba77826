"""Every codec with every kind of acknowledgement, through librdkafka: what was sent comes back, and stays as small as it was
sent."""

import itertools
import json
import threading
import unittest

from broker import HANG_SECONDS, PARTITIONS
from confluent import Confluent, consumer_of, produce
from confluent_kafka import OFFSET_BEGINNING, Producer, TopicPartition

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
ACKS = ["0", "1", "all"]
RECORDS = 600
# Of this a codec leaves little.
WORDS = b"the line along a riverbed where the water runs fastest; " * 20
# All records of a partition in one batch, which is then worth compressing.
IN_ONE_BATCH = {"linger.ms": 100, "batch.num.messages": RECORDS}


def records(topic):
    """Keys and values of every kind: null, empty, short, compressible; headers with and without a value."""
    for n in range(RECORDS):
        key = [None, b"", f"key {n}".encode()][n % 3]
        value = [None, b"", b"%d" % n, b"%d %b" % (n, WORDS)][n % 4]
        headers = [[], [("h", b"%d" % n)], [("twice", b"1"), ("twice", None), ("empty", b"")]][n % 5 % 3]
        yield topic, n % PARTITIONS, key, value, headers


class BytesOnTheWire:
    """How many bytes a client has sent to and got from brokers, by its own count."""

    def __init__(self):
        self.latest = {}
        self.settings = {"statistics.interval.ms": 50, "stats_cb": self.note}

    def note(self, text):
        """librdkafka's statistics."""
        self.latest = json.loads(text)

    def once(self, client, condition):
        """The first statistics of which the condition holds."""
        self.latest = {}
        bound = threading.Event()
        watchdog = threading.Timer(HANG_SECONDS, bound.set)
        watchdog.start()
        while not (self.latest and condition(self.latest)):
            assert not bound.is_set(), self.latest
            client.poll(0.1)
        watchdog.cancel()
        return self.latest


class Codecs(Confluent):
    """Each scenario sends compressed batches, and reads them from the beginning."""

    def check(self, cases):
        """Sent with each of the settings, every record is there once, in order, at dense offsets, with all its parts."""
        sent = {}
        for settings in cases:
            topic = self.create(self.topic())
            sent[topic] = list(records(topic))
            reports = produce(self.bootstrap, sent[topic], **IN_ONE_BATCH, **settings)
            self.assertEqual([error for error, _ in reports if error], [], settings)
            self.assertEqual(len(reports), RECORDS, settings)
        got = self.await_records(sent)
        for settings, topic in zip(cases, sent):
            for partition in range(PARTITIONS):
                with self.subTest(**settings, partition=partition):
                    mine = [(key, value, headers or None) for _, p, key, value, headers in sent[topic] if p == partition]
                    messages = got[topic, partition]
                    self.assertEqual([m.offset() for m in messages], list(range(len(mine))))
                    self.assertEqual([(m.key(), m.value(), m.headers()) for m in messages], mine)

    def await_records(self, topics):
        """Reads until as many records have come as were sent to all topics: whoever asked for no acknowledgement has only
        been told that they were sent. Then nothing more may stand in the partitions."""
        places = [TopicPartition(topic, partition, OFFSET_BEGINNING) for topic in topics for partition in range(PARTITIONS)]
        got = {(place.topic, place.partition): [] for place in places}
        consumer = consumer_of(self.bootstrap, **{"enable.partition.eof": False})
        self.addCleanup(consumer.close)
        consumer.assign(places)
        for n in range(len(topics) * RECORDS):
            message = consumer.poll(HANG_SECONDS)
            self.assertIsNotNone(message, f"record {n} did not come")
            self.assertIsNone(message.error())
            got[message.topic(), message.partition()].append(message)
        for place in places:
            marks = consumer.get_watermark_offsets(place, timeout=HANG_SECONDS)
            self.assertEqual(marks, (0, RECORDS // PARTITIONS), place)
        return got

    def test_each_codec_with_each_acknowledgement(self):
        """Keys, values, headers and offsets come back as they were sent, whatever compressed them and whoever waited."""
        self.check([{"compression.type": codec, "acks": acks} for codec, acks in itertools.product(CODECS, ACKS)])

    def test_each_codec_from_an_idempotent_producer(self):
        """The same with producer ids and sequences in the batches."""
        self.check([{"compression.type": codec, "enable.idempotence": True} for codec in CODECS])

    def test_what_is_compressed_travels_and_is_kept_compressed(self):
        """A codec that a client quietly left out, or a broker that unpacked and kept it so, would pass all other scenarios."""
        for codec in CODECS[1:]:
            with self.subTest(codec=codec):
                topic = self.create(self.topic(), 1)
                sent, got = self.wire_bytes(topic, {"compression.type": codec, "acks": "all"})
                self.assertLess(sent, len(WORDS) * RECORDS // 4)
                self.assertLess(got, len(WORDS) * RECORDS // 4)

    def test_a_topic_with_a_codec_of_its_own_compresses_what_comes(self):
        """`compression.type` of a topic is what its records are kept in, whatever they came in."""
        for codec in CODECS[1:]:
            with self.subTest(codec=codec):
                topic = self.create(self.topic(), 1, **{"compression.type": codec})
                sent, got = self.wire_bytes(topic, {"compression.type": "none", "acks": "all"})
                self.assertGreater(sent, len(WORDS) * RECORDS)
                self.assertLess(got, len(WORDS) * RECORDS // 4)
        topic = self.create(self.topic(), 1, **{"compression.type": "uncompressed"})
        sent, got = self.wire_bytes(topic, {"compression.type": "zstd", "acks": "all"})
        self.assertLess(sent, len(WORDS) * RECORDS // 4)
        self.assertGreater(got, len(WORDS) * RECORDS)

    def wire_bytes(self, topic, settings):
        """Bytes from the producer to the broker, and from there to a consumer, for records that compress well."""
        out = BytesOnTheWire()
        producer = Producer({"bootstrap.servers": self.bootstrap, **IN_ONE_BATCH, **out.settings, **settings})
        values = [b"%d %b" % (n, WORDS) for n in range(RECORDS)]
        for value in values:
            producer.produce(topic, value, partition=0)
        self.assertEqual(producer.flush(HANG_SECONDS), 0)
        sent = out.once(producer, lambda stats: stats["txmsgs"] == RECORDS)["tx_bytes"]

        back = BytesOnTheWire()
        consumer = consumer_of(self.bootstrap, **{"enable.partition.eof": False, **back.settings})
        self.addCleanup(consumer.close)
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        got = [consumer.poll(HANG_SECONDS).value() for _ in range(RECORDS)]
        self.assertEqual(got, values)
        return sent, back.once(consumer, lambda stats: stats["rxmsgs"] == RECORDS)["rx_bytes"]


if __name__ == "__main__":
    unittest.main()
