"""Groups of Kafka's own Java client, by the classic protocol, which is its default; and the admin client's calls about them."""

import unittest

from broker import HANG_SECONDS
from groups import SESSION_MS, History
from java_client import JavaClient, JavaScenarios

PARTITIONS = 6
ASSIGNOR = "org.apache.kafka.clients.consumer."
QUICK = {"session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": 200}


class Told(History):
    """The events of members that live in Java processes, which have to be asked for them."""

    def __init__(self, *javas):
        super().__init__()
        self.javas = list(javas)

    def until(self, holds, what):
        """Asks until something is true; each question waits for an event."""
        for _ in range(HANG_SECONDS):
            self.take()
            if holds():
                return
        raise AssertionError(f"never: {what}; {dict(self.owned)}; {dict(self.happened)}")

    def take(self):
        """What has happened since."""
        for java in self.javas:
            for member, event in java("events"):
                self.add(member, event)


class Groups(JavaScenarios):
    """Members are threads of one Java process, each with a consumer."""

    def setUp(self):
        super().setUp()
        self.there = set()
        self.begin()
        self.addCleanup(lambda: self.leave(*self.there))

    def begin(self):
        """A new group."""
        self.group = self.topic("-group")
        self.history = Told(self.java)

    def join(self, *names, java=None, **arguments):
        """Members of the group, in the Java process that all share, or in another."""
        settings = {"group.id": self.group, **QUICK, **arguments.pop("settings", {})}
        for name in names:
            (java or self.java)("join", member=name, settings={**settings, "client.id": name}, **arguments)
            self.there.add(name)

    def leave(self, *names):
        """They close."""
        for name in names:
            self.there.discard(name)
            self.java("leave", member=name)
        self.history.take()

    def shared(self, partitions=PARTITIONS):
        """Waits until those who are there share all partitions."""
        self.history.until(lambda: self.history.is_shared(self.there, partitions), f"shared by {self.there}")

    def send(self, topic, produced):
        """Ten records more for each partition."""
        records = []
        for partition in range(PARTITIONS):
            of = produced.setdefault(partition, [])
            new = [f"{partition}/{len(of) + n}" for n in range(10)]
            of += new
            records += [{"partition": partition, "value": value} for value in new]
        reports = self.java("produce", topic=topic, records=records)
        self.assertEqual([report for report in reports if "error" in report], [])

    def drain(self, produced):
        """Waits until all is read, and committed."""
        ends = {partition: len(values) for partition, values in produced.items()}
        committed = lambda: {partition: offset for partition, (_, offset) in self.history.acknowledged.items()}
        self.history.until(lambda: committed() == ends, f"{ends} committed")

    def offsets(self):
        """What is committed, by place: offset and word."""
        return self.java("groupOffsets", group=self.group)

    def test_two_members_share(self):
        """By Kafka's default, by range, and by the cooperative assignor: each record once, though members come and go."""
        for assignors in [None, "RangeAssignor", "CooperativeStickyAssignor"]:
            with self.subTest(assignors=assignors):
                self.begin()
                topic, produced = self.create(PARTITIONS), {}
                settings = {"partition.assignment.strategy": ASSIGNOR + assignors} if assignors else {}
                self.send(topic, produced)
                self.join("a", "b", topic=topic, settings=settings)
                self.shared()
                self.send(topic, produced)
                self.drain(produced)
                self.join("c", topic=topic, settings=settings)
                self.shared()
                self.send(topic, produced)
                self.drain(produced)
                self.leave("a")
                self.shared()
                self.send(topic, produced)
                self.drain(produced)
                self.leave("b", "c")
                self.history.check(self, produced, times=1)
                self.assertEqual(self.offsets(), {f"{topic}-{p}": [40, ""] for p in range(PARTITIONS)})

    def test_a_dead_process_is_missed(self):
        """By no word of its own: when its sessions end, what its members had goes to who lives, from the last commit on."""
        for assignor in ["RangeAssignor", "CooperativeStickyAssignor"]:
            with self.subTest(assignor=assignor):
                self.begin()
                topic, produced = self.create(PARTITIONS), {}
                settings = {"partition.assignment.strategy": ASSIGNOR + assignor}
                mortal = JavaClient(self.broker.bootstrap)
                self.addCleanup(mortal.close)
                self.history.javas.append(mortal)
                self.send(topic, produced)
                self.join("a", topic=topic, settings=settings)
                self.join("b", "c", topic=topic, settings=settings, java=mortal)
                self.shared()
                # All that they did is told before they die.
                self.drain(produced)
                mortal.process.kill()
                self.history.javas.remove(mortal)
                for name in ["b", "c"]:
                    self.there.discard(name)
                    self.history.gone(name)
                self.send(topic, produced)
                self.shared()
                self.drain(produced)
                self.leave("a")
                self.history.check(self, produced, times=1)
                self.assertEqual(self.offsets(), {f"{topic}-{p}": [20, ""] for p in range(PARTITIONS)})

    def test_a_group_goes_on_after_each_kill_of_the_broker(self):
        """Its members stay, in their generation, and read on: each record once, as nobody joins or leaves."""
        self.only_for("thalweg")
        topic, produced = self.create(PARTITIONS), {}
        self.send(topic, produced)
        # Else a client that finds no broker forgets its topics (KIP-1102), and its leader joins again when they come back.
        self.join("a", "b", topic=topic, settings={"metadata.recovery.strategy": "none"})
        self.shared()
        self.drain(produced)
        told = {name: list(all_) for name, all_ in self.history.happened.items()}
        for _ in range(3):
            self.broker.kill()
            self.broker.start()
            self.assertEqual(self.offsets(), {f"{topic}-{p}": [len(of), ""] for p, of in produced.items()})
            self.send(topic, produced)
            self.drain(produced)
            self.assertEqual(dict(self.history.happened), told, "a rebalance that nobody asked for")
        self.leave("a", "b")
        self.history.check(self, produced, times=1)

    def test_a_commit_and_the_word_on_it(self):
        """By a member: `committed` and the admin tell it; none where nothing was committed."""
        topic = self.create(PARTITIONS)
        self.join("a", topic=topic)
        self.shared()
        place = {"member": "a", "topic": topic, "partition": 2}
        self.assertIsNone(self.java("committed", **place))
        self.java("commit", **place, offset=7, metadata="wässer")
        self.assertEqual(self.java("committed", **place), [7, "wässer"])
        self.assertEqual(self.offsets(), {f"{topic}-2": [7, "wässer"]})
        self.refused("OffsetMetadataTooLarge", "commit", **place, offset=8, metadata="x" * 4097)
        self.java("commit", **place, offset=9, metadata="x" * 4096)
        self.assertEqual(self.java("committed", **place), [9, "x" * 4096])

    def test_a_pattern_finds_topics_that_come_later(self):
        """At the next look at the metadata, which here is soon."""
        first = self.create(2, suffix="-first")
        prefix = self._testMethodName
        settings = {"metadata.max.age.ms": 300}
        self.join("a", pattern=f"{prefix}-.*", settings=settings)
        has = lambda: self.history.partitions_of("a")
        self.history.until(lambda: has() == [f"{first}-{p}" for p in range(2)], "the first topic")
        second = self.create(2, suffix="-second")
        both = [f"{topic}-{p}" for topic in (first, second) for p in range(2)]
        self.history.until(lambda: has() == both, "both topics")
        self.java("produce", topic=second, records=[{"partition": 1, "value": "x"}])
        self.history.until(lambda: (f"{second}-1", 0) in self.history.reads, "a record of the second")

    def test_a_static_member_restarts_unnoticed(self):
        """The same partitions, the same generation, nothing at the other; and then an admin removes it by its name."""
        topic = self.create(PARTITIONS)
        for name in ["a", "b"]:
            self.join(name, topic=topic, settings={"group.instance.id": name})
        self.shared()
        for name, other in [("a", "b"), ("b", "a")]:
            before, noticed = self.history.partitions_of(name), list(self.history.happened[other])
            generation = noticed[-1][1]
            self.leave(name)
            self.join(name, topic=topic, settings={"group.instance.id": name})
            self.shared()
            self.assertEqual(self.history.partitions_of(name), before)
            self.assertEqual(self.history.happened[name][-1][1], generation)
            self.assertEqual(self.history.happened[other], noticed)
        self.leave("a")
        members = self.java("describeGroup", group=self.group)["members"]
        self.assertEqual(sorted(member["instance"] for member in members), ["a", "b"])
        self.java("removeMembers", group=self.group, instance="a")
        self.shared()
        self.assertEqual(self.history.partitions_of("b"), list(range(PARTITIONS)))

    def test_a_group_is_listed_described_changed_and_deleted(self):
        """With members most of it is refused; an admin may take them out."""
        topic = self.create(PARTITIONS)
        self.join("a", topic=topic, settings={"partition.assignment.strategy": ASSIGNOR + "RoundRobinAssignor"})
        self.shared()
        place = {"group": self.group, "topic": topic, "partition": 1}
        self.java("commit", member="a", topic=topic, partition=1, offset=3, metadata="m")
        listed = lambda *states: self.java("listGroups", states=states).get(self.group)
        self.assertEqual((listed(), listed("Stable"), listed("Empty")), ("Stable", "Stable", None))
        whole = [f"{topic}-{p}" for p in range(PARTITIONS)]
        member = {"client": "a", "instance": None, "host": "/127.0.0.1", "partitions": whole}
        described = {"type": "Classic", "coordinator": self.broker.bootstrap}
        stable = {"state": "Stable", "assignor": "roundrobin", "members": [member], **described}
        self.assertEqual(self.java("describeGroup", group=self.group), stable)
        self.refused("GroupNotEmptyException", "deleteGroup", group=self.group)
        self.refused("UnknownMemberIdException", "alterGroupOffset", **place, offset=1)
        self.refused("GroupSubscribedToTopicException", "deleteGroupOffset", **place)
        self.assertEqual(self.offsets(), {f"{topic}-1": [3, "m"]})
        self.java("removeMembers", group=self.group)
        # It joins again, under another id.
        self.history.until(lambda: self.history.names("lost"), "lost")
        self.shared()
        self.leave("a")
        empty = {"state": "Empty", "assignor": "", "members": [], **described}
        self.assertEqual(self.java("describeGroup", group=self.group), empty)
        self.assertEqual((listed(), listed("Stable"), listed("Empty")), ("Empty", None, "Empty"))
        self.java("alterGroupOffset", **place, offset=1, metadata="again")
        self.java("alterGroupOffset", **{**place, "partition": 2}, offset=2)
        self.assertEqual(self.offsets(), {f"{topic}-1": [1, "again"], f"{topic}-2": [2, ""]})
        self.java("deleteGroupOffset", **place)
        self.assertEqual(self.offsets(), {f"{topic}-2": [2, ""]})
        self.java("deleteGroup", group=self.group)
        self.assertIsNone(listed())
        self.refused("GroupIdNotFoundException", "deleteGroup", group=self.group)
        self.refused("GroupIdNotFoundException", "describeGroup", group=self.group)


if __name__ == "__main__":
    unittest.main()
