"""Groups under test: members that are processes of their own, and what has to hold of all that they tell.

The checker knows no broker and no client: it sees who was given a partition and who gave it back, what was read under which
generation, and what was committed.
"""

import collections
import json
import subprocess
import sys
import threading
import time
import uuid

from broker import HANG_SECONDS, HERE
from confluent_kafka import Producer

# The shortest that a broker takes by default: for so long a dead member holds its partitions.
SESSION_MS = 6000


class Span:
    """A time in which a member has a partition. Told from inside of the client, so never longer than the truth."""

    def __init__(self, member, begin):
        self.member = member
        self.begin = begin
        self.end = None

    def __repr__(self):
        return f"{self.member} {self.begin}..{self.end}"


class History:
    """What the members of one group told."""

    def __init__(self):
        self.changed = threading.Condition()
        self.spans = collections.defaultdict(list)  # partition -> every owner that it ever had
        self.owned = collections.defaultdict(dict)  # member -> partition -> its span
        self.reads = collections.defaultdict(list)  # (partition, offset) -> (time, member, generation, value)
        self.acknowledged = {}  # partition -> (time, offset) of the last commit that was answered
        self.happened = collections.defaultdict(list)  # member -> (what, generation, content) without reads and commits
        self.commits = 0

    def add(self, member, event):
        """One event of a member."""
        when, what, generation, content = event
        with self.changed:
            if what == "read":
                partition, offset, value = content
                self.reads[partition, offset].append((when, member, generation, value))
            elif what == "committed":
                self.commits += 1
                for partition, offset in content:
                    now = (when, offset)
                    self.acknowledged[partition] = max(now, self.acknowledged.get(partition, now))
            else:
                self.happened[member].append((what, generation, content))
                if what == "assigned":
                    for partition in content:
                        span = Span(member, when)
                        self.spans[partition].append(span)
                        self.owned[member][partition] = span
                elif what in ("revoked", "lost"):
                    self.release(member, content, when)
            self.changed.notify_all()

    def release(self, member, partitions, when):
        """Partitions that a member has no longer."""
        for partition in partitions:
            self.owned[member].pop(partition).end = when

    def gone(self, member):
        """A member's process ended."""
        with self.changed:
            self.release(member, list(self.owned[member]), time.monotonic_ns())
            self.happened[member].append(("gone", None, None))
            self.changed.notify_all()

    def until(self, holds, what):
        """Waits for something to be true."""
        with self.changed:
            true = self.changed.wait_for(holds, HANG_SECONDS)
            assert true, f"never: {what}; {dict(self.owned)}; {dict(self.happened)}"

    def partitions_of(self, member):
        """What a member has now."""
        return sorted(self.owned[member])

    def is_shared(self, members, partitions):
        """Whether these members have all partitions, each about as many as the other."""
        shares = [self.partitions_of(member) for member in members]
        sizes = sorted(map(len, shares))
        return sorted(sum(shares, [])) == list(range(partitions)) and sizes[-1] - sizes[0] <= 1

    def names(self, what):
        """All that happened of one kind: of whom, and with what."""
        return [(member, content) for member, all_ in self.happened.items() for kind, _, content in all_ if kind == what]

    def check(self, test, produced, times=None):
        """A partition has one owner at a time, and one in a generation; its owner alone reads it; every record was read, and
        read so many times if they are given; and no member was ever told that it had lost anything."""
        for partition, spans in self.spans.items():
            spans.sort(key=lambda span: span.begin)
            for first, second in zip(spans, spans[1:]):
                test.assertLessEqual(first.end, second.begin, f"partition {partition} has two owners: {first}, {second}")
        readers = collections.defaultdict(set)
        for (partition, offset), all_ in self.reads.items():
            for when, member, generation, value in all_:
                readers[generation, partition].add(member)
                test.assertEqual(value, produced[partition][offset], f"{partition}@{offset}")
                own = [s for s in self.spans[partition] if s.member == member and s.begin <= when and when <= (s.end or when)]
                test.assertTrue(own, f"{member} read {partition}@{offset} at {when}, of {self.spans[partition]}")
        test.assertEqual({place: who for place, who in readers.items() if len(who) > 1}, {}, "(generation, partition): readers")
        everything = {(partition, offset) for partition, values in produced.items() for offset in range(len(values))}
        test.assertEqual(everything - set(self.reads), set(), "never read")
        if times is not None:
            often = {place: all_ for place, all_ in self.reads.items() if len(all_) != times}
            test.assertEqual(often, {}, f"not read {times} times")
        test.assertEqual(self.names("lost"), [])

    def has_read(self, produced):
        """Whether each record was read at least once."""
        return len(self.reads) >= sum(map(len, produced.values()))


# What a member's process runs: librdkafka, unless a scenario says otherwise.
LIBRDKAFKA = [sys.executable, HERE / "member.py"]


class Process:
    """A member in a process of its own."""

    def __init__(self, history, name, settings, topic, program):
        self.history = history
        self.name = name
        self.process = subprocess.Popen(
            [*program, json.dumps(settings), topic],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def listen(self):
        """Takes down what it tells, until it is gone."""
        for line in self.process.stdout:
            # A line that a kill cut short tells nothing.
            if line.endswith(b"\n"):
                self.history.add(self.name, json.loads(line))
        self.process.wait()
        self.history.gone(self.name)

    def leave(self):
        """Asks it to close, without waiting for it."""
        self.process.stdin.close()

    def wait(self):
        """Waits until it is gone, and all is known that it told."""
        self.process.wait(HANG_SECONDS)
        self.reader.join()
        self.process.stdout.close()
        return self.process.returncode

    def kill(self):
        """SIGKILL, and waits until it is gone. What it did last, it may not have told."""
        self.process.kill()
        self.wait()
        self.leave()

    def end(self):
        """For the end of a scenario, whatever it came to."""
        if self.process.poll() is None:
            self.kill()


class Group:
    """A group of processes on one topic."""

    def __init__(self, test, topic, partitions, program=lambda name: LIBRDKAFKA, **settings):
        self.test = test
        self.program = program
        self.topic = topic
        self.partitions = partitions
        self.id = f"{topic}-{uuid.uuid4().hex[:6]}"
        self.settings = {
            "bootstrap.servers": test.broker.bootstrap,
            "group.id": self.id,
            "session.timeout.ms": SESSION_MS,
            # A member learns of a rebalance by its heartbeat.
            "heartbeat.interval.ms": 200,
            # After two lost connections librdkafka may wait for up to 10 s, by default, before it tries again: longer than
            # the session.
            "reconnect.backoff.max.ms": 500,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            **settings,
        }
        self.history = History()
        self.members = {}

    def join(self, *names, **settings):
        """Starts members. One that comes again under its name is another process."""
        for name in names:
            settings_ = {**self.settings, "client.id": name, **settings}
            member = Process(self.history, name, settings_, self.topic, self.program(name))
            self.test.addCleanup(member.end)
            self.members[name] = member

    def shared(self):
        """Waits until the members that there are share all partitions."""
        holds = lambda: self.history.is_shared(self.members, self.partitions)
        self.history.until(holds, f"{self.id}: all of {self.partitions} partitions shared by {list(self.members)}")

    def leave(self, *names):
        """These close, all at once, and are waited for."""
        leaving = [self.members.pop(name) for name in names]
        for member in leaving:
            member.leave()
        for member in leaving:
            self.test.assertEqual(member.wait(), 0, f"{member.name}: {self.history.happened[member.name]}")

    def kill(self, name):
        """SIGKILL."""
        self.members.pop(name).kill()

    def drain(self, produced):
        """Waits until all that there is was read."""
        self.history.until(lambda: self.history.has_read(produced), f"{self.id}: all is read")

    def committed(self):
        """What the members know to be committed, by partition."""
        return {partition: offset for partition, (_, offset) in sorted(self.history.acknowledged.items())}


class Load(threading.Thread):
    """Writes numbers into the partitions in turn, until it is stopped; a few hundred a second."""

    def __init__(self, bootstrap, topic, partitions):
        super().__init__(daemon=True)
        self.producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 2})
        self.topic = topic
        self.partitions = partitions
        self.stopped = threading.Event()
        self.acknowledged = {partition: {} for partition in range(partitions)}
        self.errors = []

    def run(self):
        """One record after the other, at a pace that the slowest reader can follow."""
        number = 0
        while not self.stopped.is_set():
            self.producer.produce(self.topic, f"{number}", partition=number % self.partitions, on_delivery=self.report)
            self.producer.poll(0.003)
            number += 1
        self.errors += ["no report"] * self.producer.flush(HANG_SECONDS)

    def report(self, error, message):
        """What was acknowledged is what has to be read."""
        if error:
            self.errors.append(str(error))
        else:
            self.acknowledged[message.partition()][message.offset()] = message.value().decode()

    def stop(self):
        """Stops, and returns the values of each partition in the order of their offsets."""
        self.stopped.set()
        self.join()
        assert not self.errors, self.errors
        values = {partition: [of[offset] for offset in sorted(of)] for partition, of in self.acknowledged.items()}
        for partition, of in self.acknowledged.items():
            assert sorted(of) == list(range(len(of))), f"partition {partition} has holes"
        return values
