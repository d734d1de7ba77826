"""Groups of librdkafka: members come, go and die; a partition has one owner; nothing is left out; what is committed stands."""

import unittest

from broker import HANG_SECONDS
from confluent import Confluent, consumer_of, produce
from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from groups import Group, Load

PARTITIONS = 8
ASSIGNORS = ["range", "roundrobin", "cooperative-sticky"]


class Groups(Confluent):
    """What every scenario of groups does."""

    def loaded(self):
        """A topic into which somebody writes all the time."""
        topic = self.create(self.topic(), PARTITIONS)
        load = Load(self.bootstrap, topic, PARTITIONS)
        self.addCleanup(load.stopped.set)
        load.start()
        return topic, load

    def groups(self, topic):
        """A group for each assignor: they go through the same at the same time, as most of it is waiting."""
        return [Group(self, topic, PARTITIONS, **{"partition.assignment.strategy": name}) for name in ASSIGNORS]

    def offsets(self, group):
        """What the broker says is committed: by partition, the offset and the word on it."""
        asked = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        answer = asked[group].result(HANG_SECONDS)
        self.assertEqual([str(p.error) for p in answer.topic_partitions if p.error], [])
        return {p.partition: (p.offset, p.metadata) for p in answer.topic_partitions}

    def check_committed(self, group):
        """What was acknowledged last is what the broker has, by either way to ask."""
        known = {partition: (offset, f"{partition}@{offset}") for partition, offset in group.committed().items()}
        self.assertEqual(self.offsets(group.id), known)
        consumer = consumer_of(self.bootstrap, **{"group.id": group.id})
        asked = consumer.committed([TopicPartition(group.topic, p) for p in range(PARTITIONS)], HANG_SECONDS)
        self.assertEqual({p.partition: (p.offset, p.metadata) for p in asked}, known)
        consumer.close()


class Members(Groups):
    """Who owns what, and who has read it."""

    def test_members_come_leave_and_die_while_somebody_writes(self):
        """Every record is read by each group at least once; a dead member's partitions go to others when its session ends."""
        topic, load = self.loaded()
        groups = self.groups(topic)
        for change in [
            lambda group: group.join("a"),
            lambda group: group.join("b", "c"),
            lambda group: group.leave("b"),
            lambda group: group.kill("a"),
            lambda group: group.join("d", "e"),
        ]:
            for group in groups:
                change(group)
            for group in groups:
                group.shared()
        produced = load.stop()
        for group in groups:
            group.drain(produced)
            group.leave("c", "d", "e")
            with self.subTest(assignor=group.settings["partition.assignment.strategy"]):
                group.history.check(self, produced)
                self.assertEqual(group.committed(), {p: len(values) for p, values in produced.items()})
                self.check_committed(group)

    def test_clean_closes_read_each_record_once(self):
        """Whoever gives a partition back commits first: the next owner begins there. The last to leave leaves nothing
        undone, so those who come later begin at the end."""
        topic, load = self.loaded()
        groups = self.groups(topic)
        for change in [
            lambda group: group.join("a", "b"),
            lambda group: group.join("c"),
            lambda group: group.leave("a"),
            lambda group: (group.leave("b", "c"), group.join("d")),
            lambda group: group.join("e", "f", "g"),
            lambda group: group.leave("d", "f"),
        ]:
            for group in groups:
                change(group)
            for group in groups:
                group.shared()
        produced = load.stop()
        for group in groups:
            group.drain(produced)
            group.leave("e", "g")
            with self.subTest(assignor=group.settings["partition.assignment.strategy"]):
                group.history.check(self, produced, times=1)
                self.check_committed(group)


if __name__ == "__main__":
    unittest.main()
