"""kafka-python, which speaks the protocol with a code of its own: neither Kafka's nor librdkafka's."""

import json
import subprocess
import sys
import threading
import unittest

from broker import HANG_SECONDS, PARTITIONS, Scenarios
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.base import MemberState
from kafka.errors import KafkaConnectionError, TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata

CODECS = [None, "gzip", "snappy", "lz4", "zstd"]
ACKS = [0, 1, "all"]
RECORDS = 300
WORDS = b"the line along a riverbed where the water runs fastest; " * 20
# The client's own wait for answers, above what any of them takes.
PATIENT = {"request_timeout_ms": HANG_SECONDS * 1000}


class KafkaPython(Scenarios):
    """Each scenario is a small program as people write them with kafka-python."""

    def create(self, partitions=PARTITIONS):
        """A topic that serves."""
        topic = self.topic()
        admin = KafkaAdminClient(bootstrap_servers=self.broker.bootstrap)
        admin.create_topics([NewTopic(topic, partitions, 1)])
        admin.close()
        consumer = self.consumer(topic, partitions)
        # Kafka's answer runs ahead of its own broker; this call asks again until the leaders answer.
        consumer.end_offsets(list(consumer.assignment()))
        return topic

    def consumer(self, topic, partitions):
        """A consumer that stands at the beginning of all partitions."""
        consumer = KafkaConsumer(bootstrap_servers=self.broker.bootstrap, enable_auto_commit=False, group_id=None)
        self.addCleanup(consumer.close)
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        return consumer

    def read(self, topic, count, partitions=PARTITIONS):
        """As many records as were sent, by partition."""
        consumer = self.consumer(topic, partitions)
        got = {partition: [] for partition in range(partitions)}
        while sum(map(len, got.values())) < count:
            polled = consumer.poll(timeout_ms=HANG_SECONDS * 1000)
            self.assertNotEqual(polled, {}, f"of {count} came only {got}")
            for place, records in polled.items():
                got[place.partition] += records
        return got

    def check_round_trip(self, **settings):
        """Sent with these settings, every record is there once, in order, at dense offsets, with all its parts."""
        topic = self.create()
        sent, reports = [], []
        producer = KafkaProducer(bootstrap_servers=self.broker.bootstrap, linger_ms=50, **PATIENT, **settings)
        for n in range(RECORDS):
            key = [None, b"", b"key %d" % n][n % 3]
            # This client refuses to send a record of which both are null.
            value = [b"" if key is None else None, b"", b"%d" % n, b"%d %b" % (n, WORDS)][n % 4]
            headers = [[], [("h", b"%d" % n)], [("twice", b"1"), ("twice", b"2")]][n % 5 % 3]
            sent.append((key, value, headers))
            reports.append(producer.send(topic, value, key, headers, partition=n % PARTITIONS))
        producer.flush(HANG_SECONDS)
        producer.close()
        places = [report.get(HANG_SECONDS) for report in reports]
        if settings["acks"] != 0:
            told = [(place.partition, place.offset) for place in places]
            self.assertEqual(told, [(n % PARTITIONS, n // PARTITIONS) for n in range(RECORDS)])
        for partition, records in self.read(topic, RECORDS).items():
            self.assertEqual([record.offset for record in records], list(range(len(records))))
            got = [(record.key, record.value, list(record.headers)) for record in records]
            self.assertEqual(got, sent[partition::PARTITIONS], f"partition {partition}")

    def test_each_codec_with_each_acknowledgement(self):
        """Keys, values, headers and offsets come back as they were sent."""
        for codec in CODECS:
            for acks in ACKS:
                with self.subTest(codec=codec, acks=acks):
                    self.check_round_trip(compression_type=codec, acks=acks, enable_idempotence=False)

    def test_an_idempotent_producer(self):
        """Producer ids and sequences, as this client counts them."""
        self.check_round_trip(acks="all", enable_idempotence=True, compression_type="lz4")

    def test_offsets_by_place_and_by_time(self):
        """The beginning, the end, and the first record that is not earlier."""
        topic = self.create(1)
        producer = KafkaProducer(bootstrap_servers=self.broker.bootstrap, **PATIENT)
        start = 1_700_000_000_000
        for n in range(10):
            producer.send(topic, b"%d" % n, partition=0, timestamp_ms=start + n).get(HANG_SECONDS)
        producer.close()
        consumer, place = self.consumer(topic, 1), TopicPartition(topic, 0)
        self.assertEqual((consumer.beginning_offsets([place]), consumer.end_offsets([place])), ({place: 0}, {place: 10}))
        found = consumer.offsets_for_times({place: start + 4})[place]
        self.assertEqual((found.offset, found.timestamp), (4, start + 4))
        self.assertIsNone(consumer.offsets_for_times({place: start + 10})[place])
        consumer.seek(place, 7)
        self.assertEqual(next(consumer).value, b"7")

    def test_topics_are_created_listed_and_deleted(self):
        """And the second creation is refused."""
        topic = self.create()
        admin = KafkaAdminClient(bootstrap_servers=self.broker.bootstrap)
        self.addCleanup(admin.close)
        self.assertIn(topic, admin.list_topics())
        with self.assertRaises(TopicAlreadyExistsError):
            admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        admin.delete_topics([topic])
        if self.broker.name == "thalweg":
            self.assertNotIn(topic, admin.list_topics())

    def test_a_group_shares_partitions_and_commits(self):
        """Two members share; one leaves, and the other has all; who comes later goes on where they stopped."""
        for assignor in [RangePartitionAssignor, CooperativeStickyAssignor]:
            with self.subTest(assignor=assignor.__name__):
                group = Group(self, partition_assignment_strategy=[assignor])
                first, second = group.join(), group.join()
                group.shared(first, second)
                group.send()
                first.leave()
                group.shared(second)
                group.send()
                second.leave()
                self.assertEqual(second.committed(), {p: OffsetAndMetadata(2, "at 2", -1) for p in range(PARTITIONS)})
                group.join()
                group.send()
                group.check()

    def test_a_static_member_restarts_unnoticed(self):
        """It gets what it had, and the other is not disturbed."""
        group = Group(self)
        first, second = group.join(group_instance_id="first"), group.join(group_instance_id="second")
        group.shared(first, second)
        group.send()
        rebalances = second.rebalances
        first.leave()
        again = group.join(group_instance_id="first")
        group.until(lambda: again.has == first.has)
        group.send()
        self.assertEqual(second.rebalances, rebalances)
        group.check()

    def test_what_a_killed_member_had_goes_to_the_other(self):
        """Once its session is over; nobody leaves on its behalf."""
        group = Group(self)
        first = group.join()
        arguments = [sys.executable, "-c", ALONE, self.broker.bootstrap, group.topic]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as other:
            self.addCleanup(other.kill)
            group.until(lambda: first.has and len(first.has) < PARTITIONS)
            # The rest is the other's, as it says.
            has = json.loads(other.stdout.readline())
            self.assertEqual(sorted(has + first.has), list(range(PARTITIONS)))
            other.kill()
        group.shared(first)
        group.send()
        group.check()

    def test_a_group_goes_on_after_a_kill_of_the_broker(self):
        """With what it had; each record is read once, as nobody joins or leaves."""
        self.only_for("thalweg")
        group = Group(self)
        first, second = group.join(), group.join()
        group.shared(first, second)
        group.send()
        self.broker.kill()
        self.broker.start()
        group.send()
        group.shared(first, second)
        group.check()


# A member in a process of its own. Says what it has when it has something.
ALONE = """
import json, sys
from kafka import KafkaConsumer
bootstrap, topic = sys.argv[1:]
consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=topic, heartbeat_interval_ms=200, session_timeout_ms=6000)
while not consumer.assignment():
    consumer.poll(timeout_ms=1000)
print(json.dumps([place.partition for place in consumer.assignment()]), flush=True)
while True:
    consumer.poll(timeout_ms=1000)
"""


class Group:
    """The group that bears its topic's name, and who writes for it."""

    def __init__(self, test, **settings):
        self.test = test
        self.topic = test.create()
        self.settings = settings
        self.sent, self.got = [], []
        self.owners = {}  # (generation, partition) -> members
        self.changed = threading.Condition()
        self.producer = KafkaProducer(bootstrap_servers=test.broker.bootstrap, **PATIENT)
        test.addCleanup(self.producer.close)

    def join(self, **settings):
        """One member more."""
        settings = {"bootstrap_servers": self.test.broker.bootstrap, "group_id": self.topic, **self.settings, **settings}
        member = Member(settings, self.topic, self.got, self.owners, self.changed)
        self.test.addCleanup(member.leave)
        return member

    def until(self, holds):
        """Waits for the members."""
        with self.changed:
            self.test.assertTrue(self.changed.wait_for(holds, HANG_SECONDS), f"sent {self.sent}, got {self.got}")

    def shared(self, *members):
        """Waits until each of these has something, and nothing is two's."""
        parts = lambda: [member.has for member in members]
        self.until(lambda: all(parts()) and sorted(sum(parts(), [])) == list(range(PARTITIONS)))

    def send(self):
        """A record for each partition; waits until the members have read it."""
        for partition in range(PARTITIONS):
            self.sent.append(b"%d" % len(self.sent))
            self.producer.send(self.topic, self.sent[-1], partition=partition).get(HANG_SECONDS)
        self.until(lambda: len(self.got) >= len(self.sent))

    def check(self):
        """Each record was read once, and a partition had one owner in each generation."""
        with self.changed:
            self.test.assertGreater(len(self.owners), 0)
            self.test.assertEqual([place for place, members in self.owners.items() if len(members) > 1], [])
        sent = [(n % PARTITIONS, n // PARTITIONS, value) for n, value in enumerate(self.sent)]
        self.test.assertEqual(sorted(self.got), sorted(sent))


class Member(threading.Thread, ConsumerRebalanceListener):
    """A member of a group. What it reads it commits, with a word on it.

    A thread, as a poll that ends while it joins makes this client forget what it is given (3.0.12): the answer of SyncGroup
    comes, is taken, and nobody reads. So a poll is long, and can't be shared with another member."""

    def __init__(self, settings, topic, got, owners, changed):
        super().__init__(daemon=True)
        self.settings = {"enable_auto_commit": False, **settings}
        self.topic = topic
        self.got, self.owners = got, owners
        self.changed = changed
        self.has = []
        self.rebalances = 0
        self.leaving = threading.Event()
        self.start()

    def run(self):
        """Reads until it is asked to leave."""
        beginning = {"auto_offset_reset": "earliest", "heartbeat_interval_ms": 200, "session_timeout_ms": 6000}
        consumer = KafkaConsumer(**self.settings, **beginning)
        consumer.subscribe([self.topic], listener=self)
        while not self.leaving.is_set():
            for place, records in self.poll(consumer).items():
                after = records[-1].offset + 1
                consumer.commit({place: OffsetAndMetadata(after, f"at {after}", -1)})
                with self.changed:
                    self.got += [(place.partition, record.offset, record.value) for record in records]
            before, assigned, now = consumer.group_metadata(), consumer.assignment(), consumer.group_metadata()
            with self.changed:
                self.has = sorted(place.partition for place in assigned)
                # A member has had its part in a generation if that did not change meanwhile.
                if before == now and now.state is MemberState.STABLE:
                    # A static member is the same under another id (KIP-345).
                    member = now.group_instance_id or now.member_id
                    for partition in self.has:
                        self.owners.setdefault((now.generation_id, partition), set()).add(member)
                self.changed.notify_all()
        consumer.close()

    def poll(self, consumer):
        """What is new; nothing while no broker is there, which this client says by an error (3.0.12) if it looks for the
        group's coordinator just then."""
        try:
            return consumer.poll(timeout_ms=1000)
        except KafkaConnectionError:
            return {}

    def on_partitions_revoked(self, _):
        """What it has is drawn again."""

    def on_partitions_assigned(self, _):
        """It was drawn."""
        self.rebalances += 1

    def leave(self):
        """Returns once it has left."""
        self.leaving.set()
        self.join(HANG_SECONDS)

    def committed(self):
        """What the group has committed, by partition, as somebody sees who comes later."""
        settings = {name: value for name, value in self.settings.items() if name != "group_instance_id"}
        consumer = KafkaConsumer(**settings)
        committed = {p: consumer.committed(TopicPartition(self.topic, p), metadata=True) for p in range(PARTITIONS)}
        consumer.close()
        return committed


if __name__ == "__main__":
    unittest.main()
