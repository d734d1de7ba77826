"""The admin client of Kafka 4.3: what it asks for is done, told back, and refused with the exceptions that programs catch."""

import unittest

from broker import PARTITIONS
from java_client import JavaScenarios, Refused

# The settings of a topic in Kafka 4.3, and those that only Thalweg has.
TOPIC_SETTINGS = 33
OURS = {"flush.mode", "storage.mode"}
START = 1_700_000_000_000


class JavaAdmin(JavaScenarios):
    """Each scenario asks for one kind of change, reads it back, and asks for what can't be."""

    def described(self, topic):
        """A topic's partitions by number, or the exception."""
        try:
            return [partition["partition"] for partition in self.java("describeTopic", topic=topic)["partitions"]]
        except Refused as refused:
            return refused.error

    def setting(self, topic, name):
        """The value and the source of a topic's setting."""
        found = self.java("describeConfigs", topic=topic)[name]
        return found["value"], found["source"]

    def alter(self, topic, *changes, **arguments):
        """Changes settings of a topic: (name, operation, value)."""
        return self.java("alterConfig", topic=topic, changes=changes, **arguments)

    def test_creating_tells_what_was_made(self):
        """Id, partitions, and every setting with its source; only validated, nothing is made."""
        configs = {"retention.ms": "1000", "cleanup.policy": "compact"}
        topic = self.topic()
        wanted = {"topic": topic, "configs": configs}
        self.java("createTopic", validateOnly=True, **wanted)
        self.assertNotIn(topic, self.java("listTopics"))
        # Without a number of partitions or replicas: the broker's defaults.
        made = self.java("createTopic", **wanted)
        self.assertEqual((made["partitions"], made["replicas"]), (PARTITIONS, 1))
        self.assertEqual(len(set(made["configs"]) - OURS), TOPIC_SETTINGS)
        told = {name: entry["value"] for name, entry in made["configs"].items() if entry["source"] == "DYNAMIC_TOPIC_CONFIG"}
        self.assertEqual(told, configs)
        self.eventually(lambda: self.described(topic), list(range(PARTITIONS)))
        self.assertEqual(self.java("describeTopic", topic=topic)["id"], made["id"])
        self.assertIn(topic, self.java("listTopics"))

        self.refused("TopicExistsException", "createTopic", **wanted)
        self.refused("InvalidTopicException", "createTopic", topic="what is this?")
        self.refused("InvalidPartitionsException", "createTopic", topic=self.topic(), partitions=0)
        self.refused("InvalidReplicationFactorException", "createTopic", topic=self.topic(), replicas=3)
        self.refused("InvalidConfigurationException", "createTopic", topic=self.topic(), configs={"retention.ms": "soon"})
        self.refused("InvalidConfigurationException", "createTopic", topic=self.topic(), configs={"no.such.setting": "1"})

    def test_topics_are_described_by_name_and_by_id(self):
        """By name through DescribeTopicPartitions, page by page; by id through Metadata."""
        topic = self.create(2500)
        cluster = self.java("describeCluster")
        by_name = self.java("describeTopic", topic=topic)
        by_id = self.java("describeTopicById", id=by_name["id"])
        self.assertEqual((by_name["name"], by_name["internal"]), (topic, False))
        nodes = {"leader": cluster["controller"], "replicas": [cluster["controller"]], "isr": [cluster["controller"]]}
        self.assertEqual(by_name["partitions"], [{"partition": n, **nodes, "elr": 0} for n in range(2500)])
        self.assertEqual([{**p, "elr": 0} for p in by_id["partitions"]], by_name["partitions"])
        self.refused("UnknownTopicOrPartitionException", "describeTopic", topic=self.topic("-unknown"))
        self.refused("UnknownTopicIdException", "describeTopicById", id="VGhhbHdlZ1Vua25vd25JZA")

    def test_topics_are_deleted_by_name_and_by_id(self):
        """Deleted, a topic is gone from every answer; its name is free for an empty one with another id."""
        topic = self.create(2)
        first = self.java("describeTopic", topic=topic)["id"]
        self.java("produce", topic=topic, records=[{"partition": 0, "value": "x"}])
        self.java("deleteTopic", topic=topic)
        self.eventually(lambda: self.described(topic), "UnknownTopicOrPartitionException")
        self.assertNotIn(topic, self.java("listTopics"))
        self.refused("UnknownTopicOrPartitionException", "deleteTopic", topic=topic)
        self.refused("UnknownTopicIdException", "deleteTopicById", id=first)

        self.java("createTopic", topic=topic, partitions=1)
        self.eventually(lambda: self.described(topic), [0])
        second = self.java("describeTopic", topic=topic)["id"]
        self.assertNotEqual(second, first)
        ends = self.java("consume", topic=topic, partitions=[0], steps=[["beginningOffsets"], ["endOffsets"]])
        self.assertEqual(ends, [{"0": 0}, {"0": 0}])
        self.java("deleteTopicById", id=second)
        self.eventually(lambda: self.described(topic), "UnknownTopicOrPartitionException")

    def test_a_cluster_describes_itself(self):
        """One node with its advertised address, which is the controller as well; and an id of 22 characters."""
        cluster = self.java("describeCluster")
        self.assertEqual(cluster["nodes"], [{"id": cluster["controller"], "address": self.broker.bootstrap}])
        self.assertEqual(len(cluster["id"]), 22)

    def test_settings_of_a_topic_are_read_and_changed(self):
        """Value, type, source and the chain of synonyms; SET is seen at once, DELETE brings the default back."""
        topic = self.create(1, **{"segment.bytes": "2000000"})
        described = self.java("describeConfigs", topic=topic)
        self.assertEqual(len(set(described) - OURS), TOPIC_SETTINGS)
        segment = described["segment.bytes"]
        self.assertEqual((segment["value"], segment["type"], segment["source"]), ("2000000", "INT", "DYNAMIC_TOPIC_CONFIG"))
        chain = [["segment.bytes", "2000000", "DYNAMIC_TOPIC_CONFIG"], ["log.segment.bytes", "1073741824", "DEFAULT_CONFIG"]]
        self.assertEqual(segment["synonyms"], chain)
        theirs = [entry for name, entry in described.items() if name not in OURS]
        self.assertEqual({(e["readOnly"], e["sensitive"], e["documented"]) for e in theirs}, {(False, False, True)})

        self.alter(topic, ["retention.ms", "SET", "1000"], ["segment.bytes", "DELETE", None])
        self.eventually(lambda: self.setting(topic, "retention.ms"), ("1000", "DYNAMIC_TOPIC_CONFIG"))
        self.eventually(lambda: self.setting(topic, "segment.bytes"), ("1073741824", "DEFAULT_CONFIG"))
        self.alter(topic, ["retention.ms", "SET", "2000"], validateOnly=True)
        self.assertEqual(self.setting(topic, "retention.ms"), ("1000", "DYNAMIC_TOPIC_CONFIG"))

    def test_a_list_is_appended_to_and_subtracted_from(self):
        """APPEND and SUBTRACT are for lists; what is there already, or isn't, changes nothing."""
        topic = self.create(1)
        for operation, item, then in [
            ("APPEND", "compact", "delete,compact"),
            ("APPEND", "compact", "delete,compact"),
            ("SUBTRACT", "delete", "compact"),
            ("SUBTRACT", "delete", "compact"),
        ]:
            self.alter(topic, ["cleanup.policy", operation, item])
            self.eventually(lambda: self.setting(topic, "cleanup.policy")[0], then)
        change = ["retention.ms", "APPEND", "1"]
        self.refused("InvalidConfigurationException", "alterConfig", topic=topic, changes=[change])

    def test_a_bad_setting_changes_nothing(self):
        """One bad value refuses all changes of its topic."""
        topic = self.create(1)
        for bad in [["segment.bytes", "SET", "soon"], ["segment.bytes", "SET", "-5"], ["no.such.setting", "SET", "1"]]:
            changes = [["retention.ms", "SET", "1000"], bad]
            self.refused("InvalidConfigurationException", "alterConfig", topic=topic, changes=changes)
        twice = [["retention.ms", "SET", "1000"], ["retention.ms", "DELETE", None]]
        self.refused("InvalidRequestException", "alterConfig", topic=topic, changes=twice)
        self.assertEqual(self.setting(topic, "retention.ms"), ("604800000", "DEFAULT_CONFIG"))
        unknown = self.topic("-unknown")
        changes = [["retention.ms", "SET", "1000"]]
        self.refused("UnknownTopicOrPartitionException", "alterConfig", topic=unknown, changes=changes)
        self.refused("UnknownTopicOrPartitionException", "describeConfigs", topic=unknown)

    def test_settings_of_a_broker_tell_where_they_come_from(self):
        """What was given at the start is STATIC; what a broker can't change while it runs is read-only."""
        described = self.java("describeConfigs", broker=self.java("describeCluster")["controller"])
        partitions = described["num.partitions"]
        self.assertEqual((partitions["value"], partitions["source"]), (str(PARTITIONS), "STATIC_BROKER_CONFIG"))
        self.assertTrue(partitions["readOnly"])
        chain = [["num.partitions", str(PARTITIONS), "STATIC_BROKER_CONFIG"], ["num.partitions", "1", "DEFAULT_CONFIG"]]
        self.assertEqual(partitions["synonyms"], chain)
        segment = described["log.segment.bytes"]
        self.assertEqual((segment["value"], segment["source"], segment["readOnly"]), ("1073741824", "DEFAULT_CONFIG", False))
        self.assertEqual(segment["type"], "INT")

    def test_partitions_are_added_and_never_taken_away(self):
        """Fewer than now, as many as now, an unknown topic, a node that isn't: each its exception, and nothing changes."""
        topic = self.create(2)
        self.java("createPartitions", topic=topic, count=5)
        self.eventually(lambda: self.described(topic), [0, 1, 2, 3, 4])
        for count in [1, 5]:
            self.refused("InvalidPartitionsException", "createPartitions", topic=topic, count=count)
        self.refused("UnknownTopicOrPartitionException", "createPartitions", topic=self.topic("-unknown"), count=5)
        strange = {"topic": topic, "count": 6, "assignments": [[99]]}
        self.refused("InvalidReplicaAssignmentException", "createPartitions", **strange)
        self.java("createPartitions", topic=topic, count=9, validateOnly=True)
        self.assertEqual(self.described(topic), [0, 1, 2, 3, 4])

    def test_records_are_deleted_from_the_front(self):
        """The start moves and stays; past the end is refused, and going back answers where it stands."""
        topic = self.create(1)
        self.java("produce", topic=topic, records=[{"partition": 0, "value": str(n)} for n in range(100)])
        place = {"topic": topic, "partition": 0}
        self.assertEqual(self.java("deleteRecords", offset=30, **place), 30)
        self.assertEqual(self.java("deleteRecords", offset=10, **place), 30)
        self.refused("OffsetOutOfRangeException", "deleteRecords", offset=101, **place)
        steps = [["beginningOffsets"], ["seekToBeginning"], ["poll", 70]]
        begin, _, got = self.java("consume", topic=topic, partitions=[0], steps=steps)
        self.assertEqual((begin, [record["offset"] for record in got]), ({"0": 30}, list(range(30, 100))))
        self.assertEqual(self.java("deleteRecords", offset=-1, **place), 100)
        self.assertEqual(self.java("listOffsets", spec="earliest", **place)["offset"], 100)
        compacted = self.create(1, "-compacted", **{"cleanup.policy": "compact"})
        self.refused("PolicyViolationException", "deleteRecords", offset=0, topic=compacted, partition=0)

    def test_offsets_by_every_name(self):
        """Each of the special timestamps; those of tiered storage have an answer without it as well."""
        topic = self.create(2)
        stamps = [1_000, 3_000, 2_000, 3_000, 2_500]
        sent = [{"partition": 0, "timestamp": START + stamp, "value": "x"} for stamp in stamps]
        self.java("produce", topic=topic, records=sent)

        def found(spec, partition=0):
            answer = self.java("listOffsets", topic=topic, partition=partition, spec=spec)
            return answer["offset"], answer["timestamp"]

        self.assertEqual(found("earliest"), (0, -1))
        self.assertEqual(found("latest"), (5, -1))
        self.assertEqual(found("maxTimestamp"), (1, START + 3_000))
        self.assertEqual(found(START + 1_001), (1, START + 3_000))
        self.assertEqual(found(START + 3_001), (-1, -1))
        self.assertEqual(found("earliestLocal"), (0, -1))
        self.assertEqual(found("latestTiered"), (-1, -1))
        self.assertEqual(found("earliestPendingUpload"), (-1, -1))
        empty = {spec: found(spec, 1)[0] for spec in ["earliest", "latest", "maxTimestamp", START]}
        self.assertEqual(empty, {"earliest": 0, "latest": 0, "maxTimestamp": -1, START: -1})


if __name__ == "__main__":
    unittest.main()
