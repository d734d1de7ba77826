"""Groups of librdkafka: members come, go and die; a partition has one owner; nothing is left out; what is committed stands."""

import threading
import unittest

from broker import HANG_SECONDS
from confluent import Confluent, consumer_of, produce
from confluent_kafka import (
    OFFSET_INVALID,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from groups import LIBRDKAFKA, SESSION_MS, Group, Load

PARTITIONS = 8
KILLS = 3
# How a commit fails whose broker went away.
LOST_WITH_THE_BROKER = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._WAIT_COORD}


class Groups(Confluent):
    """What every scenario of groups does."""

    assignors = ["range", "roundrobin", "cooperative-sticky"]

    @staticmethod
    def program(_name):
        """What a member's process runs."""
        return LIBRDKAFKA

    def loaded(self):
        """A topic into which somebody writes all the time."""
        topic = self.create(self.topic(), PARTITIONS)
        load = Load(self.bootstrap, topic, PARTITIONS)
        self.addCleanup(load.stopped.set)
        load.start()
        return topic, load

    def groups(self, topic):
        """A group for each assignor: they go through the same at the same time, as most of it is waiting."""
        return [self.group_of(topic, **{"partition.assignment.strategy": name}) for name in self.assignors]

    def group_of(self, topic, **settings):
        """A group that reads a topic."""
        return Group(self, topic, PARTITIONS, self.program, **settings)

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


class Static(Groups):
    """Members with a name that outlives their process."""

    def setUp(self):
        super().setUp()
        self.names = ["a", "b", "c"]
        self.group = self.group_of(self.create(self.topic(), PARTITIONS))
        for name in self.names:
            self.join(name)
        self.group.shared()
        self.history = self.group.history
        self.before = {name: self.history.partitions_of(name) for name in self.names}
        self.happened = {name: list(all_) for name, all_ in self.history.happened.items()}

    def join(self, name):
        """The member of that name, or again."""
        self.group.join(name, **{"group.instance.id": name})

    def check_unmoved(self, *others):
        """They noticed nothing, and still read: a record in each partition comes to somebody."""
        until = sum(map(len, self.history.reads.values())) + PARTITIONS
        records = [(self.group.topic, partition, None, b"x", None) for partition in range(PARTITIONS)]
        self.assertEqual([error for error, _ in produce(self.bootstrap, records) if error], [])
        self.history.until(lambda: sum(map(len, self.history.reads.values())) >= until, "all partitions are read")
        for name in others:
            self.assertEqual(self.history.happened[name], self.happened[name], name)

    def test_a_static_member_that_restarts_gets_what_it_had(self):
        """Closed or killed, the group's leader too: nobody else is given or robbed of anything, in the same generation."""
        generation = {of for all_ in self.happened.values() for what, of, _ in all_[-1:]}
        self.assertEqual(len(generation), 1, self.happened)
        for end in [self.group.leave, self.group.kill]:
            for name in self.names:
                with self.subTest(end=end.__name__, name=name):
                    end(name)
                    self.join(name)
                    self.group.shared()
                    self.assertEqual(self.history.partitions_of(name), self.before[name])
                    self.assertEqual(self.history.happened[name][-1][1], *generation)
                    self.check_unmoved(*(other for other in self.names if other != name))
                    self.happened[name] = list(self.history.happened[name])

    def test_a_static_member_that_stays_away_loses_its_partitions(self):
        """Once its session has ended, and not before: leaving is not told to the broker."""
        self.group.leave("b")
        self.group.shared()
        self.assertEqual(sorted(self.group.members), ["a", "c"])
        gone = self.history.spans[self.before["b"][0]]
        waited = (gone[-1].begin - gone[-2].end) / 1e6
        self.assertGreater(waited, SESSION_MS / 2)

    def test_the_second_of_a_name_fences_the_first(self):
        """The first is told so, and has no other way to go on."""
        first = self.group.members["b"]
        self.group.join("b2", **{"group.instance.id": "b"})
        self.history.until(lambda: self.history.partitions_of("b2") == self.before["b"], "b2 has what b had")
        self.assertEqual(first.wait(), 0)
        self.assertEqual(self.history.names("error"), [("b", "_FATAL")])


class Commits(Groups):
    """Offsets without and with members, and what an admin does with them."""

    def setUp(self):
        super().setUp()
        self.name = self.create(self.topic(), PARTITIONS)
        records = [(self.name, partition, None, b"%d" % n, None) for n in range(20) for partition in range(PARTITIONS)]
        self.assertEqual([error for error, _ in produce(self.bootstrap, records) if error], [])
        self.id = self.topic("-group")

    def member(self, **settings):
        """A consumer of the group, in this process."""
        config = {"group.id": self.id, "session.timeout.ms": SESSION_MS, "enable.partition.eof": False, **settings}
        consumer = consumer_of(self.bootstrap, **{"auto.offset.reset": "earliest", **config})
        self.addCleanup(consumer.close)
        return consumer

    def subscribed(self, **settings):
        """A member that has got its first record."""
        consumer = self.member(**settings)
        consumer.subscribe([self.name])
        message = consumer.poll(HANG_SECONDS)
        self.assertIsNone(message.error())
        return consumer, message

    def place(self, partition, *more):
        """A partition of the topic."""
        return TopicPartition(self.name, partition, *more)

    def test_words_on_a_commit_are_kept(self):
        """Of up to 4096 bytes, with the zero that this client puts behind each. A partition without a commit has no offset."""
        consumer = self.member()
        words = ["", "a", "where the water runs fastest: \u00e4\u00f6\u00fc", "x" * 4095]
        consumer.commit(offsets=[self.place(n, 10 + n, word) for n, word in enumerate(words)], asynchronous=False)
        self.assertEqual(self.offsets(self.id), {n: (10 + n, word) for n, word in enumerate(words)})
        got = self.member().committed([self.place(n) for n in range(5)], HANG_SECONDS)
        told = [(p.offset, p.metadata or "") for p in got]
        self.assertEqual(told, [(10 + n, word) for n, word in enumerate(words)] + [(OFFSET_INVALID, "")])
        refused = consumer_of(self.bootstrap, **{"group.id": self.id})
        code = self.refusal(lambda: refused.commit(offsets=[self.place(0, 1, "x" * 4096)], asynchronous=False))
        self.assertEqual(code, KafkaError.OFFSET_METADATA_TOO_LARGE)
        self.assertEqual(self.offsets(self.id)[0], (10, ""))
        refused.close()

    def test_after_everybody_left_reading_goes_on_where_it_was_committed(self):
        """By joining, and by hand: `committed`, `assign`, `seek`."""
        first, _ = self.subscribed()
        first.commit(offsets=[self.place(p, p + 2) for p in range(PARTITIONS)], asynchronous=False)
        first.close()
        by_hand = self.member()
        asked = by_hand.committed([self.place(p) for p in range(PARTITIONS)], HANG_SECONDS)
        self.assertEqual([p.offset for p in asked], [p + 2 for p in range(PARTITIONS)])
        by_hand.assign([self.place(5, 0)])
        self.assertEqual(by_hand.poll(HANG_SECONDS).offset(), 0)
        by_hand.seek(asked[5])
        while (message := by_hand.poll(HANG_SECONDS)).offset() < 7:
            self.fail(f"seek went to {message.offset()}")
        self.assertEqual(message.offset(), 7)
        second, message = self.subscribed()
        begins = {}
        while len(begins) < PARTITIONS:
            begins.setdefault(message.partition(), message.offset())
            message = second.poll(HANG_SECONDS)
        self.assertEqual(begins, {p: p + 2 for p in range(PARTITIONS)})

    def test_a_commit_by_itself(self):
        """`enable.auto.commit`, as most programs have it: a close commits what was handed out."""
        consumer, message = self.subscribed(**{"enable.auto.commit": True, "auto.commit.interval.ms": 100_000})
        read = {message.partition(): message.offset() + 1}
        for _ in range(20 * PARTITIONS - 1):
            message = consumer.poll(HANG_SECONDS)
            read[message.partition()] = message.offset() + 1
        consumer.close()
        self.assertEqual(read, {p: 20 for p in range(PARTITIONS)})
        self.assertEqual({p: offset for p, (offset, _) in self.offsets(self.id).items()}, read)

    def listed(self, **asked):
        """The state of our group in the list, none if it is not there."""
        answer = self.admin.list_consumer_groups(request_timeout=HANG_SECONDS, **asked).result(HANG_SECONDS)
        self.assertEqual(answer.errors, [])
        return next((group.state for group in answer.valid if group.group_id == self.id), None)

    def described(self):
        """The group as the broker tells it."""
        return self.admin.describe_consumer_groups([self.id])[self.id].result(HANG_SECONDS)

    def delete(self):
        """Deletes the group."""
        self.admin.delete_consumer_groups([self.id])[self.id].result(HANG_SECONDS)

    def alter(self, *places):
        """Sets offsets from outside."""
        asked = self.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(self.id, list(places))])
        answer = asked[self.id].result(HANG_SECONDS)
        return [p.error and p.error.code() for p in answer.topic_partitions]

    def test_a_group_is_listed_described_and_deleted(self):
        """With members it is stable and can't be deleted; without it is empty and can; then it is gone, with its offsets."""
        self.assertIsNone(self.listed())
        consumer, _ = self.subscribed(**{"client.id": "the-client", "partition.assignment.strategy": "roundrobin"})
        consumer.commit(offsets=[self.place(0, 3)], asynchronous=False)
        stable, empty = {ConsumerGroupState.STABLE}, {ConsumerGroupState.EMPTY}
        self.assertEqual((self.listed(), self.listed(states=stable)), (ConsumerGroupState.STABLE,) * 2)
        self.assertIsNone(self.listed(states=empty))
        group = self.described()
        told = (group.state, group.partition_assignor, group.is_simple_consumer_group)
        self.assertEqual(told, (ConsumerGroupState.STABLE, "roundrobin", False))
        self.assertEqual(f"{group.coordinator.host}:{group.coordinator.port}", self.bootstrap)
        member, = group.members
        self.assertEqual((member.client_id, member.host.lstrip("/"), member.group_instance_id), ("the-client", "127.0.0.1", None))
        self.assertEqual(member.member_id, consumer.memberid())
        given = sorted((p.topic, p.partition) for p in member.assignment.topic_partitions)
        self.assertEqual(given, [(self.name, p) for p in range(PARTITIONS)])

        self.assertEqual(self.refusal(self.delete), KafkaError.NON_EMPTY_GROUP)
        self.assertEqual(self.alter(self.place(0, 1)), [KafkaError.UNKNOWN_MEMBER_ID])
        self.assertEqual(self.offsets(self.id), {0: (3, None)})
        consumer.close()
        self.assertEqual((self.listed(), self.listed(states=empty)), (ConsumerGroupState.EMPTY,) * 2)
        self.assertIsNone(self.listed(states=stable))
        self.assertEqual((self.described().state, self.described().members), (ConsumerGroupState.EMPTY, []))

        self.assertEqual(self.alter(self.place(0, 1), self.place(1, 19)), [None, None])
        self.assertEqual({p: offset for p, (offset, _) in self.offsets(self.id).items()}, {0: 1, 1: 19})
        self.delete()
        self.assertIsNone(self.listed())
        self.assertEqual(self.offsets(self.id), {})
        self.assertEqual(self.refusal(self.delete), KafkaError.GROUP_ID_NOT_FOUND)

    def test_a_deleted_topic_takes_its_offsets_along(self):
        """As in Kafka, the group stays without them."""
        self.member().commit(offsets=[self.place(0, 3)], asynchronous=False)
        self.assertEqual(self.offsets(self.id), {0: (3, None)})
        self.admin.delete_topics([self.name])[self.name].result(HANG_SECONDS)
        self.eventually(lambda: self.offsets(self.id), {})


class Killed(Groups):
    """The broker dies by SIGKILL, and comes back."""

    def setUp(self):
        super().setUp()
        self.only_for("thalweg")

    def kill(self):
        """Kills and starts the broker. librdkafka's admin client may wait for ever for a coordinator that died twice, with a
        real Kafka as well, so each broker is asked by a new one."""
        self.broker.kill()
        self.broker.start()
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap})

    def test_commits_survive_each_kill(self):
        """Of a consumer that commits in a loop, the broker has after each start what it acknowledged last, or what was under
        way; and of one that doesn't commit meanwhile, what it acknowledged."""
        topic = self.create(self.topic(), 1)
        busy, idle = (consumer_of(self.bootstrap, **{"group.id": f"{topic}-{name}"}) for name in ["busy", "idle"])
        self.addCleanup(busy.close)
        self.addCleanup(idle.close)
        idle.commit(offsets=[TopicPartition(topic, 0, 7, "stays")], asynchronous=False)
        tried, acknowledged, errors = 0, 0, []
        for round_ in range(KILLS):
            enough, over = threading.Event(), threading.Event()

            def commit():
                """While the broker is away a commit waits for it."""
                nonlocal tried, acknowledged
                begin = acknowledged
                while not over.is_set():
                    tried += 1
                    try:
                        busy.commit(offsets=[TopicPartition(topic, 0, tried, f"{tried}")], asynchronous=False)
                        acknowledged = tried
                    except KafkaException as refused:
                        errors.append(refused.args[0])
                    if acknowledged - begin >= 200:
                        enough.set()

            committer = threading.Thread(target=commit, daemon=True)
            committer.start()
            self.assertTrue(enough.wait(HANG_SECONDS))
            # In the middle of commits: only what follows the kill ends them.
            self.kill()
            over.set()
            committer.join(HANG_SECONDS)
            self.assertFalse(committer.is_alive(), "a commit without an answer")
            self.assertEqual([str(e) for e in errors if e.code() not in LOST_WITH_THE_BROKER], [])
            with self.subTest(round=round_):
                (offset, word), = self.offsets(f"{topic}-busy").values()
                self.assertIn(offset, range(acknowledged, tried + 1))
                self.assertEqual(word, f"{offset}")
                self.assertEqual(self.offsets(f"{topic}-idle"), {0: (7, "stays")})

    def test_a_group_goes_on_after_each_kill(self):
        """Its members stay, in their generation; what they committed stands; a new one may join; every record is read."""
        topic, load = self.loaded()
        groups = self.groups(topic)
        moves = lambda group: (group.history.names("assigned"), group.history.names("revoked"), group.history.names("lost"))
        for group in groups:
            group.join("a", "b")
        for round_ in range(KILLS):
            for group in groups:
                group.shared()
                commits = group.history.commits
                group.history.until(lambda: group.history.commits > commits + 5, f"{group.id}: commits, round {round_}")
            # What is told until here was acknowledged before the kill.
            before = [group.committed() for group in groups]
            happened = [moves(group) for group in groups]
            self.kill()
            for group, known, told in zip(groups, before, happened):
                now = {partition: offset for partition, (offset, _) in self.offsets(group.id).items()}
                for partition, offset in known.items():
                    self.assertGreaterEqual(now[partition], offset, f"{group.id}, partition {partition}")
                commits = group.history.commits
                group.history.until(lambda: group.history.commits > commits + 5, f"{group.id}: commits again, round {round_}")
                self.assertEqual(moves(group), told, "a rebalance that nobody asked for")
                group.join(f"late-{round_}")
        for group in groups:
            group.shared()
        produced = load.stop()
        for group in groups:
            group.drain(produced)
            group.leave(*group.members)
            with self.subTest(assignor=group.settings["partition.assignment.strategy"]):
                group.history.check(self, produced)
                self.check_committed(group)


if __name__ == "__main__":
    unittest.main()
