"""librdkafka against the broker, through confluent-kafka: producer, consumer by assignment, admin."""

import unittest

from broker import HANG_SECONDS, PARTITIONS
from confluent import Confluent, consumer_of, produce, read_to_the_end
from confluent_kafka import OFFSET_BEGINNING, TIMESTAMP_CREATE_TIME, KafkaError, Producer, TopicPartition


class Librdkafka(Confluent):
    """Each scenario is a small program as people write them with confluent-kafka."""

    def check_round_trip(self, **settings):
        """Reports say the offsets, dense per partition; the consumer sees the same records there."""
        topic = self.create(self.topic())
        sent = [(topic, n % PARTITIONS, f"k{n}", f"value {n}".encode() * (n % 7), [("n", str(n))]) for n in range(5000)]
        reports = produce(self.bootstrap, sent, **settings)

        self.assertEqual([error for error, _ in reports if error], [])
        self.assertEqual(len(reports), len(sent))
        reported = {partition: [] for partition in range(PARTITIONS)}
        for _, message in reports:
            reported[message.partition()].append(message.offset())
        for partition, offsets in reported.items():
            self.assertEqual(offsets, list(range(len(offsets))), f"partition {partition}")

        records = read_to_the_end(self.bootstrap, topic, range(PARTITIONS))
        for partition, of_partition in records.items():
            got = [(m.offset(), m.key(), m.value(), m.headers()) for m in of_partition]
            mine = [(key.encode(), value, [(n, v.encode()) for n, v in hs]) for _, p, key, value, hs in sent if p == partition]
            self.assertEqual(got, [(offset, *record) for offset, record in enumerate(mine)], f"partition {partition}")

    def test_acks_all_round_trip(self):
        """acks=all, as librdkafka does by default."""
        self.check_round_trip(acks="all")

    def test_acks_one_round_trip(self):
        """acks=1: one answer, the same offsets."""
        self.check_round_trip(acks="1", **{"linger.ms": 20})

    def test_one_record_per_request(self):
        """Batches of one, five requests in flight: pipelining must not reorder."""
        self.check_round_trip(acks="all", **{"batch.num.messages": 1})

    def test_acks_zero_arrives_and_keeps_the_connection_in_order(self):
        """acks=0 has no answer. A broker that sends one shifts every later answer of the connection by one."""
        topic = self.create(self.topic())
        reports = produce(self.bootstrap, [(topic, 0, None, str(n), None) for n in range(1000)], acks="0")
        self.assertEqual([error for error, _ in reports if error], [])
        consumer = consumer_of(self.bootstrap, **{"enable.partition.eof": False})
        self.addCleanup(consumer.close)
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        # Waits for the records, however long they are on the way; the end of the partition is no answer here.
        messages = []
        while len(messages) < 1000:
            message = consumer.poll(HANG_SECONDS)
            self.assertIsNotNone(message, f"{len(messages)} of 1000 came")
            self.assertIsNone(message.error())
            messages.append(message)
        self.assertEqual([(m.offset(), m.value()) for m in messages], [(n, str(n).encode()) for n in range(1000)])

    def test_absent_and_empty_are_different(self):
        """Keys, values and header values: null, empty, and bytes that are no text."""
        topic = self.create(self.topic(), 1)
        odd = bytes(range(256))
        sent = [(None, b"a", None), (b"", b"", [("h", b"")]), (b"k", None, [("h", None)]), (odd, odd, [("h", odd)])]
        reports = produce(self.bootstrap, [(topic, 0, key, value, headers) for key, value, headers in sent])
        self.assertEqual([error for error, _ in reports if error], [])
        messages = read_to_the_end(self.bootstrap, topic, [0])[0]
        self.assertEqual([(m.key(), m.value(), m.headers()) for m in messages], sent)

    def test_timestamps_are_kept(self):
        """CreateTime: what the producer stamped, in any order."""
        topic = self.create(self.topic(), 1)
        stamps = [1_700_000_000_000, 1_700_000_000_500, 1_699_999_999_000]
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for stamp in stamps:
            producer.produce(topic, b"x", partition=0, timestamp=stamp)
        self.assertEqual(producer.flush(HANG_SECONDS), 0)
        messages = read_to_the_end(self.bootstrap, topic, [0])[0]
        self.assertEqual([m.timestamp() for m in messages], [(TIMESTAMP_CREATE_TIME, stamp) for stamp in stamps])

    def test_reading_from_the_middle_of_a_batch(self):
        """A batch is served whole; the client drops what stands before the offset, and the broker must find the batch."""
        topic = self.create(self.topic(), 1)
        produce(self.bootstrap, [(topic, 0, None, str(n), None) for n in range(1000)], **{"linger.ms": 200})
        for start in [0, 1, 499, 998, 999]:
            messages = read_to_the_end(self.bootstrap, topic, [0], start)[0]
            self.assertEqual([m.offset() for m in messages], list(range(start, 1000)))
        self.assertEqual(read_to_the_end(self.bootstrap, topic, [0], 1000)[0], [])

    def test_small_fetches_still_move_on(self):
        """A batch larger than the fetch's limit is served all the same (KIP-74): else the consumer hangs for ever."""
        topic = self.create(self.topic(), 1)
        values = [bytes([n]) * 100_000 for n in range(10)]
        produce(self.bootstrap, [(topic, 0, None, value, None) for value in values])
        limits = {"fetch.message.max.bytes": 1000, "fetch.max.bytes": 1000, "message.max.bytes": 1000}
        messages = read_to_the_end(self.bootstrap, topic, [0], **limits)[0]
        self.assertEqual([m.value() for m in messages], values)

    def test_a_waiting_consumer_gets_what_comes(self):
        """A consumer that stands at the end is woken by the next record: its own wait is longer than our patience."""
        topic = self.create(self.topic(), 1)
        patience = {"fetch.wait.max.ms": 2 * HANG_SECONDS * 1000, "socket.timeout.ms": 300_000}
        consumer = consumer_of(self.bootstrap, **{"enable.partition.eof": False, **patience})
        self.addCleanup(consumer.close)
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        for n in range(20):
            produce(self.bootstrap, [(topic, 0, None, str(n), None)])
            message = consumer.poll(HANG_SECONDS)
            self.assertIsNotNone(message, f"record {n} did not come")
            self.assertEqual((message.offset(), message.value()), (n, str(n).encode()))

    def test_an_offset_out_of_range_is_told(self):
        """With a reset policy the client starts there; without one it gets the error."""
        topic = self.create(self.topic(), 1)
        produce(self.bootstrap, [(topic, 0, None, str(n), None) for n in range(3)])
        reset = read_to_the_end(self.bootstrap, topic, [0], 100, **{"auto.offset.reset": "earliest"})[0]
        self.assertEqual([m.offset() for m in reset], [0, 1, 2])
        code = self.refusal(lambda: read_to_the_end(self.bootstrap, topic, [0], 100))
        self.assertEqual(code, KafkaError._AUTO_OFFSET_RESET)

    def test_create_list_and_watermarks(self):
        """A topic is there with its partitions once the answer says so; its marks move with its records."""
        topic = self.create(self.topic(), 5)
        metadata = self.admin.list_topics(timeout=HANG_SECONDS)
        (node,) = metadata.brokers
        self.assertEqual(f"{metadata.brokers[node].host}:{metadata.brokers[node].port}", self.bootstrap)
        self.assertEqual(metadata.controller_id, node)
        partitions = metadata.topics[topic].partitions
        self.assertEqual(sorted(partitions), [0, 1, 2, 3, 4])
        for partition in partitions.values():
            self.assertEqual((partition.leader, partition.replicas, partition.isrs), (node, [node], [node]))

        produce(self.bootstrap, [(topic, 3, None, b"x", None)] * 7)
        consumer = consumer_of(self.bootstrap)
        self.addCleanup(consumer.close)
        marks = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=HANG_SECONDS) for p in range(5)]
        self.assertEqual(marks, [(0, 0), (0, 0), (0, 0), (0, 7), (0, 0)])

    def test_bad_topics_are_refused_as_kafka_refuses_them(self):
        """Each with its own code, and none of them made."""
        topic = self.create(self.topic(), 1)
        self.assertEqual(self.refusal(lambda: self.create(topic, 1)), KafkaError.TOPIC_ALREADY_EXISTS)
        self.assertEqual(self.refusal(lambda: self.create("what is this?")), KafkaError.TOPIC_EXCEPTION)
        self.assertEqual(self.refusal(lambda: self.create("x" * 250)), KafkaError.TOPIC_EXCEPTION)
        self.assertEqual(self.refusal(lambda: self.create(self.topic(), 0)), KafkaError.INVALID_PARTITIONS)
        self.assertEqual(self.refusal(lambda: self.create(self.topic(), 1, 3)), KafkaError.INVALID_REPLICATION_FACTOR)
        mine = [name for name in self.admin.list_topics(timeout=HANG_SECONDS).topics if name.startswith(self._testMethodName)]
        self.assertEqual(mine, [topic])

    def test_a_record_that_is_too_large_is_refused_and_its_neighbours_are_not(self):
        """The broker's limit, with a client that would send more."""
        topic = self.create(self.topic(), 1)
        sent = [(topic, 0, None, value, None) for value in [b"a", b"b" * 1_500_000, b"c"]]
        reports = produce(self.bootstrap, sent, **{"message.max.bytes": 4_000_000, "batch.num.messages": 1})
        codes = {message.value()[:1]: error.code() if error else None for error, message in reports}
        self.assertEqual(codes, {b"a": None, b"b": KafkaError.MSG_SIZE_TOO_LARGE, b"c": None})
        self.assertEqual([m.value() for m in read_to_the_end(self.bootstrap, topic, [0])[0]], [b"a", b"c"])

    def test_an_unknown_partition_is_an_error(self):
        """The producer is told, rather than left to wait. (librdkafka's consumer says nothing, on a real Kafka either.)"""
        topic = self.create(self.topic(), 1)
        reports = produce(self.bootstrap, [(topic, 9, None, b"x", None)])
        self.assertEqual([error.code() for error, _ in reports], [KafkaError._UNKNOWN_PARTITION])

    def test_compressed_batches_come_back_as_they_were_sent(self):
        """By the client's codec, and through a topic that is stored in another one."""
        sent = [b"value %d " % place * 20 for place in range(1000)]
        # Not lz4: librdkafka takes a broker without FindCoordinator for one too old for it, and sends it uncompressed.
        clients = [(codec, "producer") for codec in ["gzip", "snappy", "zstd"]]
        topics = [("snappy", "uncompressed"), ("none", "gzip"), ("gzip", "snappy"), ("zstd", "lz4"), ("none", "zstd")]
        for codec, stored in clients + topics:
            topic = self.create(f"{self.topic()}-{codec}-{stored}", 1, **{"compression.type": stored})
            records = [(topic, 0, None, value, None) for value in sent]
            reports = produce(self.bootstrap, records, **{"compression.type": codec, "linger.ms": 50})
            self.assertEqual({error for error, _ in reports}, {None}, topic)
            self.assertEqual([m.value() for m in read_to_the_end(self.bootstrap, topic, [0])[0]], sent, topic)


if __name__ == "__main__":
    unittest.main()
