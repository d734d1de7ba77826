"""A member of a group, as a process that can be killed: reads numbered records, commits, and tells what happens to it.

member.py SETTINGS TOPIC    the settings of confluent-kafka's Consumer, as JSON

Each event is a line, a JSON list: the system's monotonic clock in nanoseconds, what happened, under which generation, and with
what. `read` names partition, offset and value; a commit its pairs of partition and offset; the others partitions. It leaves
once its input ends.
"""

import json
import os
import struct
import sys
import threading
import time

from broker import HANG_SECONDS
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

# Often, so that a death finds something uncommitted and something committed.
RECORDS_PER_COMMIT = 40


class Member:
    """One consumer, with commits of its own making: while it reads, before it gives a partition back, and at its end."""

    def __init__(self, settings, topic):
        self.topic = topic
        self.owned = set()
        self.uncommitted = {}
        self.since_commit = 0
        self.is_static = "group.instance.id" in settings
        self.consumer = Consumer(settings)
        self.consumer.subscribe([topic], on_assign=self.assigned, on_revoke=self.revoked, on_lost=self.lost)

    def generation(self):
        """librdkafka hands it out only inside of what it calls opaque: `CGMDv2:`, then the number."""
        return struct.unpack_from("<i", self.consumer.consumer_group_metadata(), len("CGMDv2:"))[0]

    def tell(self, what, content=None):
        """One event."""
        print(json.dumps([time.monotonic_ns(), what, self.generation(), content]), flush=True)

    def assigned(self, _, partitions):
        """From here on they are ours."""
        self.owned.update(p.partition for p in partitions)
        self.tell("assigned", [p.partition for p in partitions])

    def revoked(self, _, partitions):
        """They are ours until this returns, so what was read is committed first."""
        self.commit()
        self.drop("revoked", partitions)

    def lost(self, _, partitions):
        """They are somebody else's already."""
        self.drop("lost", partitions)

    def drop(self, how, partitions):
        """Forgets partitions."""
        for partition in partitions:
            self.uncommitted.pop(partition.partition, None)
            self.owned.discard(partition.partition)
        self.tell(how, [p.partition for p in partitions])

    def commit(self):
        """What was read, with a word on it. What is answered is told."""
        if not self.uncommitted:
            return
        offsets = [TopicPartition(self.topic, p, at, f"{p}@{at}") for p, at in sorted(self.uncommitted.items())]
        self.since_commit = 0
        try:
            answered = self.consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as refused:
            self.tell("refused", refused.args[0].name())
            return
        # Those that stand under an error are committed again, with the next.
        errors = sorted({p.error.name() for p in answered if p.error})
        if errors:
            self.tell("refused", ",".join(errors))
        done = {p.partition: p.offset for p in answered if not p.error}
        self.uncommitted = {p: at for p, at in self.uncommitted.items() if p not in done}
        self.tell("committed", list(done.items()))

    def run(self, leave):
        """Reads until it is asked to leave."""
        while not leave.is_set():
            message = self.consumer.poll(0.1)
            if message is None:
                self.commit()
            elif message.error():
                self.tell("error", message.error().name())
                if message.error().code() == KafkaError._FATAL:
                    break
            else:
                self.tell("read", [message.partition(), message.offset(), message.value().decode()])
                self.uncommitted[message.partition()] = message.offset() + 1
                self.since_commit += 1
                if self.since_commit >= RECORDS_PER_COMMIT:
                    self.commit()
        self.commit()
        self.close()

    def close(self):
        """Leaves. The partitions are given back before the consumer is closed: where a rebalance takes them just when it is
        closed, librdkafka 2.16 has its group end without the application's answer, and the application wait for one for ever.
        What still comes meanwhile is left to the next owner. Not so a static member: it keeps them over its end, and to
        unsubscribe would leave the group."""
        if not self.is_static:
            self.consumer.unsubscribe()
            while self.owned:
                self.consumer.poll(0.1)
        self.consumer.close()


def main(settings, topic):
    """Its end is the end of its input, and at the latest some time behind it: nobody who started it can leave it behind."""
    leave = threading.Event()

    def watch():
        sys.stdin.read()
        leave.set()
        time.sleep(HANG_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    Member(json.loads(settings), topic).run(leave)


if __name__ == "__main__":
    main(*sys.argv[1:])
