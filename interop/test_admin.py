"""Administration through librdkafka: topics, partitions, settings, records and offsets, and how the broker refuses."""

import unittest

from broker import HANG_SECONDS, PARTITIONS
from confluent import Confluent, consumer_of, produce, read_to_the_end
from confluent_kafka import KafkaError, KafkaException, Producer, TopicCollection, TopicPartition, Uuid
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

# Config sources as the protocol numbers them.
DYNAMIC_TOPIC, STATIC_BROKER, DEFAULT = (
    ConfigSource.DYNAMIC_TOPIC_CONFIG.value,
    ConfigSource.STATIC_BROKER_CONFIG.value,
    ConfigSource.DEFAULT_CONFIG.value,
)
# The settings of a topic in Kafka 4.3, and those that only Thalweg has.
TOPIC_SETTINGS = 33
OURS = {"flush.mode", "storage.mode"}


class Admin(Confluent):
    """Each scenario asks for one kind of change, reads it back, and asks for what can't be."""

    def one(self, futures):
        """The only result of a call; raises what it was refused with."""
        (future,) = futures.values()
        return future.result(HANG_SECONDS)

    def described(self, topic):
        """A topic's partitions by number, or the code with which its description is refused."""
        try:
            return [p.id for p in self.one(self.admin.describe_topics(TopicCollection([topic]))).partitions]
        except KafkaException as refused:
            return refused.args[0].code()

    def settings_of(self, kind, name):
        """All settings of a resource."""
        return self.one(self.admin.describe_configs([ConfigResource(kind, name)]))

    def alter(self, topic, *changes):
        """Changes settings of a topic: (name, operation, value)."""
        entries = [ConfigEntry(name, value, incremental_operation=operation) for name, operation, value in changes]
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        return self.one(self.admin.incremental_alter_configs([resource]))

    def value_of(self, topic, name):
        """The value and the source of a topic's setting."""
        entry = self.settings_of(ConfigResource.Type.TOPIC, topic)[name]
        return entry.value, entry.source

    def test_a_topic_is_described_and_deleted(self):
        """Deleted, it is gone from every answer, and its name is free for an empty topic with another id."""
        topic = self.create(self.topic(), 4)
        produce(self.bootstrap, [(topic, p, None, b"x", None) for p in range(4)])
        described = self.one(self.admin.describe_topics(TopicCollection([topic])))
        (node,) = self.admin.list_topics(timeout=HANG_SECONDS).brokers
        self.assertEqual((described.name, described.is_internal), (topic, False))
        self.assertNotEqual(described.topic_id, Uuid(0, 0))
        for number, partition in enumerate(described.partitions):
            self.assertEqual((partition.id, partition.leader.id), (number, node))
            self.assertEqual([n.id for n in partition.replicas], [node])
            self.assertEqual([n.id for n in partition.isr], [node])

        self.one(self.admin.delete_topics([topic]))
        self.eventually(lambda: self.described(topic), KafkaError.UNKNOWN_TOPIC_OR_PART)
        self.assertNotIn(topic, self.admin.list_topics(timeout=HANG_SECONDS).topics)
        self.assertEqual(self.refusal(lambda: self.one(self.admin.delete_topics([topic]))), KafkaError.UNKNOWN_TOPIC_OR_PART)

        self.create(topic, 2)
        again = self.one(self.admin.describe_topics(TopicCollection([topic])))
        self.assertNotEqual(str(again.topic_id), str(described.topic_id))
        self.assertEqual(len(again.partitions), 2)
        self.assertEqual(read_to_the_end(self.bootstrap, topic, range(2)), {0: [], 1: []})

    def test_a_cluster_describes_itself(self):
        """Its id, its controller, and its one node with the advertised address; the same as Metadata says."""
        described = self.admin.describe_cluster().result(HANG_SECONDS)
        metadata = self.admin.list_topics(timeout=HANG_SECONDS)
        self.assertEqual(described.cluster_id, metadata.cluster_id)
        (node,) = described.nodes
        self.assertEqual(f"{node.host}:{node.port}", self.bootstrap)
        self.assertEqual((described.controller.id, [node.id]), (node.id, list(metadata.brokers)))

    def test_partitions_are_added_and_never_taken_away(self):
        """The new ones serve and are empty, the old ones keep what they have; fewer, the same, or none are refused."""
        topic = self.create(self.topic(), 2)
        produce(self.bootstrap, [(topic, p, None, b"old", None) for p in range(2)])
        self.one(self.admin.create_partitions([NewPartitions(topic, 5)]))
        self.eventually(lambda: self.described(topic), [0, 1, 2, 3, 4])
        self.settle(topic, 5)
        reports = produce(self.bootstrap, [(topic, 4, None, b"new", None)])
        self.assertEqual([error for error, _ in reports], [None])
        values = {p: [m.value() for m in ms] for p, ms in read_to_the_end(self.bootstrap, topic, range(5)).items()}
        self.assertEqual(values, {0: [b"old"], 1: [b"old"], 2: [], 3: [], 4: [b"new"]})

        for count in [1, 5]:
            code = self.refusal(lambda: self.one(self.admin.create_partitions([NewPartitions(topic, count)])))
            self.assertEqual(code, KafkaError.INVALID_PARTITIONS, count)
        unknown = lambda: self.one(self.admin.create_partitions([NewPartitions(self.topic("-unknown"), 5)]))
        self.assertEqual(self.refusal(unknown), KafkaError.UNKNOWN_TOPIC_OR_PART)
        self.one(self.admin.create_partitions([NewPartitions(topic, 9)], validate_only=True))
        self.assertEqual(self.described(topic), [0, 1, 2, 3, 4])

    def test_settings_of_a_topic_are_read_and_changed(self):
        """Every setting has a source; SET is seen at once and DELETE brings the default back."""
        topic = self.create(self.topic(), 1, **{"segment.bytes": "2000000"})
        described = self.settings_of(ConfigResource.Type.TOPIC, topic)
        self.assertEqual(len(set(described) - OURS), TOPIC_SETTINGS, sorted(described))
        self.assertEqual(self.value_of(topic, "segment.bytes"), ("2000000", DYNAMIC_TOPIC))
        self.assertEqual(self.value_of(topic, "retention.ms"), ("604800000", DEFAULT))
        entry = described["segment.bytes"]
        self.assertEqual((entry.is_read_only, entry.is_default, entry.is_sensitive), (False, False, False))

        self.alter(topic, ("retention.ms", AlterConfigOpType.SET, "1000"))
        self.eventually(lambda: self.value_of(topic, "retention.ms"), ("1000", DYNAMIC_TOPIC))
        self.alter(topic, ("retention.ms", AlterConfigOpType.DELETE, None), ("max.message.bytes", AlterConfigOpType.SET, "1234"))
        self.eventually(lambda: self.value_of(topic, "retention.ms"), ("604800000", DEFAULT))
        self.eventually(lambda: self.value_of(topic, "max.message.bytes"), ("1234", DYNAMIC_TOPIC))
        # It is not only shown: it acts.
        (report,) = produce(self.bootstrap, [(topic, 0, None, b"x" * 2000, None)])
        self.assertEqual(report[0].code(), KafkaError.MSG_SIZE_TOO_LARGE)

    def test_a_list_is_appended_to_and_subtracted_from(self):
        """APPEND and SUBTRACT are for lists; a list's items are there once."""
        topic = self.create(self.topic(), 1)
        self.alter(topic, ("cleanup.policy", AlterConfigOpType.APPEND, "compact"))
        self.eventually(lambda: self.value_of(topic, "cleanup.policy"), ("delete,compact", DYNAMIC_TOPIC))
        self.alter(topic, ("cleanup.policy", AlterConfigOpType.SUBTRACT, "delete"))
        self.eventually(lambda: self.value_of(topic, "cleanup.policy"), ("compact", DYNAMIC_TOPIC))
        code = self.refusal(lambda: self.alter(topic, ("retention.ms", AlterConfigOpType.APPEND, "1")))
        self.assertEqual(code, KafkaError.INVALID_CONFIG)

    def test_a_bad_setting_changes_nothing(self):
        """One bad value refuses all changes of its topic; an unknown name and an unknown topic are refused as well."""
        topic = self.create(self.topic(), 1)
        bad = [("retention.ms", AlterConfigOpType.SET, "1000"), ("segment.bytes", AlterConfigOpType.SET, "soon")]
        self.assertEqual(self.refusal(lambda: self.alter(topic, *bad)), KafkaError.INVALID_CONFIG)
        unknown = ("no.such.setting", AlterConfigOpType.SET, "1")
        self.assertEqual(self.refusal(lambda: self.alter(topic, unknown)), KafkaError.INVALID_CONFIG)
        self.assertEqual(self.value_of(topic, "retention.ms"), ("604800000", DEFAULT))
        good = ("retention.ms", AlterConfigOpType.SET, "1000")
        code = self.refusal(lambda: self.alter(self.topic("-unknown"), good))
        self.assertEqual(code, KafkaError.UNKNOWN_TOPIC_OR_PART)

    def test_settings_of_a_broker_tell_where_they_come_from(self):
        """What was given at the start is static and read-only; the rest has Kafka's defaults and synonyms."""
        (node,) = self.admin.list_topics(timeout=HANG_SECONDS).brokers
        described = self.settings_of(ConfigResource.Type.BROKER, str(node))
        static = described["num.partitions"]
        self.assertEqual((static.value, static.source, static.is_read_only), (str(PARTITIONS), STATIC_BROKER, True))
        retention = described["log.retention.hours"]
        self.assertEqual((retention.value, retention.source, retention.is_default), ("168", DEFAULT, True))

    def test_records_are_deleted_from_the_front(self):
        """The start moves, readers begin there; past the end is refused, and going back answers where it stands."""
        topic = self.create(self.topic(), 1)
        produce(self.bootstrap, [(topic, 0, None, str(n), None) for n in range(100)])
        delete = lambda offset: self.one(self.admin.delete_records([TopicPartition(topic, 0, offset)])).low_watermark
        self.assertEqual(delete(30), 30)
        self.assertEqual([m.offset() for m in read_to_the_end(self.bootstrap, topic, [0])[0]], list(range(30, 100)))
        self.assertEqual(delete(10), 30)
        self.assertEqual(self.refusal(lambda: delete(101)), KafkaError.OFFSET_OUT_OF_RANGE)
        # -1 is the end.
        self.assertEqual(delete(-1), 100)
        self.assertEqual(read_to_the_end(self.bootstrap, topic, [0])[0], [])
        code = self.refusal(lambda: read_to_the_end(self.bootstrap, topic, [0], 50))
        self.assertEqual(code, KafkaError._AUTO_OFFSET_RESET)
        produce(self.bootstrap, [(topic, 0, None, b"next", None)])
        self.assertEqual([m.offset() for m in read_to_the_end(self.bootstrap, topic, [0])[0]], [100])

    def test_offsets_are_found_by_place_and_by_time(self):
        """Earliest, latest, of the largest timestamp, of the first that is not earlier; by admin and by consumer."""
        topic = self.create(self.topic(), 2)
        stamps = [1_000, 3_000, 2_000, 3_000, 2_500]
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for n, stamp in enumerate(stamps):
            producer.produce(topic, str(n), partition=0, timestamp=1_700_000_000_000 + stamp)
        self.assertEqual(producer.flush(HANG_SECONDS), 0)

        def by_admin(spec, partition=0):
            found = self.one(self.admin.list_offsets({TopicPartition(topic, partition): spec}))
            return found.offset, found.timestamp

        self.assertEqual(by_admin(OffsetSpec.earliest())[0], 0)
        self.assertEqual(by_admin(OffsetSpec.latest())[0], 5)
        self.assertEqual(by_admin(OffsetSpec.max_timestamp()), (1, 1_700_000_003_000))
        self.assertEqual(by_admin(OffsetSpec.for_timestamp(1_700_000_001_001)), (1, 1_700_000_003_000))
        self.assertEqual(by_admin(OffsetSpec.for_timestamp(1_700_000_003_001)), (-1, -1))
        self.assertEqual(by_admin(OffsetSpec.max_timestamp(), 1), (-1, -1))

        consumer = consumer_of(self.bootstrap)
        self.addCleanup(consumer.close)
        for stamp, offset in [(0, 0), (1_000, 0), (1_001, 1), (3_000, 1), (3_001, -1)]:
            (found,) = consumer.offsets_for_times([TopicPartition(topic, 0, 1_700_000_000_000 + stamp)], HANG_SECONDS)
            self.assertEqual((found.error, found.offset), (None, offset), stamp)

    def test_topics_in_one_request_fail_alone(self):
        """Creating, and deleting, several: each has its own answer."""
        good, bad = self.topic("-good"), "what is this?"
        created = self.admin.create_topics([NewTopic(good, 1, 1), NewTopic(bad, 1, 1)])
        created[good].result(HANG_SECONDS)
        self.assertEqual(self.refusal(lambda: created[bad].result(HANG_SECONDS)), KafkaError.TOPIC_EXCEPTION)
        deleted = self.admin.delete_topics([good, self.topic("-unknown")])
        codes = []
        for name, future in deleted.items():
            error = future.exception(HANG_SECONDS)
            codes.append((name == good, error and error.args[0].code()))
        self.assertEqual(sorted(codes), [(False, KafkaError.UNKNOWN_TOPIC_OR_PART), (True, None)])


if __name__ == "__main__":
    unittest.main()
