"""The files of a clean stop are Kafka's: its tools accept them, a real Kafka serves them, and the records alone are enough.

Needs a real Kafka (`kafka/kafka.py install`) beside the clients.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from broker import HANG_SECONDS, PARTITIONS, SETTINGS, Kafka, Thalweg, kafka_installer
from confluent import read_to_the_end
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

# Small beside the data, so that what is found was written out in many rounds.
JOURNAL_BYTES = 8 << 20
MIB = 1 << 20
# Each topic fills its files in a way of its own: partitions, settings, records a round, bytes of a value.
TOPICS = {
    "plain": (PARTITIONS, {}, 3000, 200),
    "small-segments": (1, {"segment.bytes": MIB}, 1500, 1 << 10),
    "full-indexes": (1, {"segment.index.bytes": 240}, 600, 2 << 10),
    "dense-indexes": (1, {"index.interval.bytes": 0}, 300, 50),
    "append-time": (1, {"message.timestamp.type": "LogAppendTime", "segment.bytes": MIB}, 1500, 1 << 10),
    "async": (1, {"flush.mode": "async", "segment.bytes": MIB}, 1500, 1 << 10),
    "compressed": (1, {"segment.bytes": MIB}, 3000, 1 << 10),
}
# How batches get there: from an idempotent producer for each codec, all of them on the same topic.
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
IDEMPOTENT = "compressed"
# What Kafka makes again out of the records.
MADE_AGAIN = {".index", ".timeindex", ".snapshot"}
CHECKPOINTS = {
    "leader-epoch-checkpoint",
    "recovery-point-offset-checkpoint",
    "replication-offset-checkpoint",
    "log-start-offset-checkpoint",
}
CLEAN = ".kafka_cleanshutdown"


class Files(unittest.TestCase):
    """The directory is made once; each scenario takes a copy."""

    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.kafka = kafka_installer()
        if not (cls.kafka.JARS / "whole").exists():
            raise unittest.SkipTest("a real Kafka is not installed: kafka/kafka.py install")
        cls.ours = Thalweg({**SETTINGS, "journal.bytes": JOURNAL_BYTES})
        cls.addClassCleanup(cls.ours.close)
        cls.ours.start()
        acknowledged = {}
        admin = AdminClient({"bootstrap.servers": cls.ours.bootstrap})
        topics = [NewTopic(name, count, 1, config=config) for name, (count, config, _, _) in TOPICS.items()]
        for created in admin.create_topics(topics).values():
            created.result(HANG_SECONDS)
        produce(cls.ours.bootstrap, acknowledged, 0)
        # What recovery does again goes to the same files.
        cls.ours.kill()
        cls.ours.start()
        produce(cls.ours.bootstrap, acknowledged, 1)
        cls.records = read(cls.ours.bootstrap)
        code = cls.ours.stop()
        assert code == cls.ours.clean_exit, cls.ours.log()
        lost = [place for place, value in acknowledged.items() if cls.found(place) != value]
        assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged records"
        cls.logs = cls.ours.home / "data" / "logs"

    @classmethod
    def found(cls, place):
        """The value at a topic's partition and offset."""
        topic, partition, offset = place
        records = cls.records[topic, partition]
        return records[offset][2] if offset < len(records) else None

    def files(self, *suffixes):
        """The files of all partitions that end so."""
        return sorted(file for file in self.logs.glob("*-*/*") if file.suffix in suffixes)

    def dump(self, files, *options):
        """What Kafka's DumpLogSegments says of files. It reports what it dislikes, and ends with 0 all the same."""
        names = ",".join(map(str, files))
        command = self.kafka.java("org.apache.kafka.tools.DumpLogSegments", *options, "--files", names)
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG_SECONDS)
        # It expects every file to begin at 0, a later segment's as well; only that is passed over.
        said = re.sub(r"Non-consecutive offsets in\s+\S*/0*(\d+)\.log\n  -1 is followed by \1\n", "", run.stderr)
        self.assertEqual((run.returncode, said), (0, ""))
        complaints = re.findall(r"^(?:Found|Non-consecutive|Mismatch|Index).*|.*isvalid: false.*|.*corrupt.*", run.stdout, re.M)
        self.assertEqual(complaints[:5], [], f"{len(complaints)} complaints")
        return run.stdout

    def test_kafkas_tools_accept_every_file(self):
        """Every record is where its batch says, every index entry leads to its batch, every snapshot is whole."""
        logs, indexes, snapshots = self.files(".log"), self.files(".index", ".timeindex"), self.files(".snapshot")
        for topic in ("small-segments", "full-indexes", "append-time", "async"):
            self.assertGreater(len(list(self.logs.glob(f"{topic}-0/*.log"))), 2, f"segments of {topic}")
        deep = self.dump(logs, "--deep-iteration")
        counts = [int(count) for count in re.findall(r"^baseOffset: .* count: (\d+) ", deep, re.M)]
        self.assertEqual(sum(counts), sum(map(len, self.records.values())))
        self.dump(indexes, "--verify-index-only")
        sane = self.dump(indexes, "--index-sanity-check")
        self.assertEqual(sane.count("passed sanity check"), len(indexes))
        dumped = self.dump(snapshots)
        self.assertEqual(dumped.count("Dumping "), len(snapshots))
        codecs = re.findall(r"compresscodec: (\w+)", self.dump(self.logs.glob(f"{IDEMPOTENT}-0/*.log")))
        self.assertEqual({codec.lower() for codec in codecs}, set(CODECS))

    def producers(self):
        """The last sequence of each producer, as the snapshot has them that stands where the idempotent topic ends."""
        end = len(self.records[IDEMPOTENT, 0])
        dumped = self.dump([self.logs / f"{IDEMPOTENT}-0" / f"{end:020}.snapshot"])
        found = re.findall(r"producerId: (\d+) .*lastSequence: (\d+) ", dumped)
        return {int(producer): int(sequence) for producer, sequence in found}

    def test_a_clean_stop_leaves_nothing_that_kafka_does_not_know(self):
        """No journal, which Kafka would refuse to start beside, and Kafka's word that the stop was clean."""
        folders = {entry.name for entry in self.logs.iterdir() if entry.is_dir()}
        partitions = {f"{topic}-{n}" for topic, (count, *_) in TOPICS.items() for n in range(count)}
        self.assertEqual(folders, partitions)
        plain = {entry.name for entry in self.logs.iterdir() if entry.is_file()}
        self.assertEqual(plain, {".lock", "meta.properties", CLEAN, *CHECKPOINTS - {"leader-epoch-checkpoint"}})
        for partition in partitions:
            names = {file.name for file in (self.logs / partition).iterdir()}
            self.assertLessEqual({"partition.metadata", "leader-epoch-checkpoint"}, names, partition)

    def test_a_real_kafka_serves_our_files(self):
        """Our files under the topic ids of an empty Kafka: it reads the same records, and appends behind them."""
        kafka = Kafka(SETTINGS)
        kafka.start()
        self.addCleanup(kafka.close)
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        topics = [NewTopic(name, count, 1) for name, (count, *_) in TOPICS.items()]
        for created in admin.create_topics(topics).values():
            created.result(HANG_SECONDS)
        del admin
        kafka.stop()
        for folder in self.logs.glob("*-*/"):
            graft = kafka.home / "logs" / folder.name
            for file in graft.iterdir():
                if file.name != "partition.metadata":
                    file.unlink()
            for file in folder.iterdir():
                if file.name != "partition.metadata":
                    shutil.copyfile(file, graft / file.name)
        kafka.start()
        # It takes over who produces, too: of both rounds, each with a producer for each codec.
        ours = self.producers()
        self.assertEqual(len(ours), 2 * len(CODECS))
        self.assertEqual(self.described(kafka.bootstrap), ours)
        self.assertEqual(read(kafka.bootstrap), self.records)
        self.assertEqual(
            next_offsets(kafka.bootstrap), {place: len(records) for place, records in self.records.items()}
        )
        self.assertEqual(list((kafka.home / "logs").glob("*-stray")), [])

    def described(self, bootstrap):
        """The last sequence of each producer, as Kafka's own tool describes them."""
        asked = ["describe-producers", "--topic", IDEMPOTENT, "--partition", "0"]
        command = self.kafka.java("org.apache.kafka.tools.TransactionsCommand", "--bootstrap-server", bootstrap, *asked)
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG_SECONDS)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        names, *rows = [line.split() for line in run.stdout.splitlines() if line.strip()]
        producer, sequence = names.index("ProducerId"), names.index("LastSequence")
        return {int(row[producer]): int(row[sequence]) for row in rows}

    def test_the_records_alone_are_enough(self):
        """Without indexes, snapshots, epochs and checkpoints ours starts, serves the same, and makes the indexes again."""
        home = Path(tempfile.mkdtemp(prefix="thalweg-interop-"))
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        shutil.copytree(self.ours.home / "data", home / "data")
        logs = home / "data" / "logs"
        removed = [file for file in logs.rglob("*") if file.suffix in MADE_AGAIN or file.name in {*CHECKPOINTS, CLEAN}]
        self.assertGreater(len(removed), len(TOPICS))
        for file in removed:
            file.unlink()
        bare = Thalweg(dict(self.ours.settings))
        self.addCleanup(bare.close)
        os.replace(home / "data", bare.home / "data")
        bare.start()
        self.assertEqual(read(bare.bootstrap), self.records)
        self.assertEqual(bare.stop(), bare.clean_exit, bare.log())
        self.assertEqual(bare.panics(), [])
        for index in self.files(".index", ".timeindex", ".log"):
            again = bare.home / "data" / "logs" / index.relative_to(self.logs)
            self.assertEqual(again.read_bytes(), index.read_bytes(), index.relative_to(self.logs))
        # And once more, from what it left.
        bare.start()
        self.assertEqual(read(bare.bootstrap), self.records)
        self.assertEqual(bare.stop(), bare.clean_exit, bare.log())


def produce(bootstrap, acknowledged, round_):
    """A round of records to every topic, all of them acknowledged."""
    failed = []

    def reported(error, message):
        if error:
            failed.append(str(error))
        else:
            acknowledged[message.topic(), message.partition(), message.offset()] = message.value()

    # Small batches, so that an index has something to say.
    plain = {"bootstrap.servers": bootstrap, "acks": "all", "batch.num.messages": 7}
    idempotent = [{**plain, "enable.idempotence": True, "compression.type": codec} for codec in CODECS]
    for topic, (partitions, _, count, size) in TOPICS.items():
        producers = [Producer(settings) for settings in (idempotent if topic == IDEMPOTENT else [plain])]
        for n in range(count):
            producer = producers[n % len(producers)]
            value = None if n % 97 == 96 else f"{round_}/{n}/".encode().ljust(size, b".")
            more = {"headers": [("n", str(n).encode())]} if n % 10 == 0 else {}
            # Kafka takes time that goes back, and its time index keeps the largest.
            timestamp = 1_700_000_000_000 + round_ * 1_000_000 + (n * 37) % 5000
            if topic == IDEMPOTENT:
                timestamp = 0  # Now: a producer that was silent for a day is forgotten.
            producer.produce(
                topic, value, key=f"{n}", partition=n % partitions, timestamp=timestamp, on_delivery=reported, **more
            )
            producer.poll(0)
        assert all(producer.flush(HANG_SECONDS) == 0 for producer in producers), "no answer"
    assert not failed, failed[:3]


def read(bootstrap):
    """All records of all topics: offset, key, value, headers and timestamp, by topic and partition."""
    return {
        (topic, partition): [(m.offset(), m.key(), m.value(), m.headers(), m.timestamp()) for m in messages]
        for topic, (count, *_) in TOPICS.items()
        for partition, messages in read_to_the_end(bootstrap, topic, range(count)).items()
    }


def next_offsets(bootstrap):
    """The offset that a new record gets, of each partition; the records stay."""
    offsets = {}

    def reported(error, message):
        assert not error, error
        offsets[message.topic(), message.partition()] = message.offset()

    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for topic, (count, *_) in TOPICS.items():
        for partition in range(count):
            producer.produce(topic, b"next", partition=partition, on_delivery=reported)
    assert producer.flush(HANG_SECONDS) == 0, "no answer"
    return offsets


if __name__ == "__main__":
    unittest.main()
