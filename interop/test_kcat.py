"""kcat against the broker: what a person types first."""

import collections
import json
import os
import shutil
import subprocess
import unittest

from broker import HANG_SECONDS, PARTITIONS, Scenarios

KCAT = os.environ.get("INTEROP_KCAT") or shutil.which("kcat") or shutil.which("kafkacat") or "kcat"
# Each question is a round trip of a process of its own, so this is many seconds.
ASKED_MAX = 300
Record = collections.namedtuple("Record", "partition offset key value headers timestamp")


class Kcat(Scenarios):
    """Each scenario runs kcat as a person would, and looks at what it prints."""

    def kcat(self, *arguments, stdin=b"", fails=False):
        """Runs kcat, and returns what it printed. Fails if kcat does, or if `fails` and it doesn't."""
        command = [KCAT, "-b", self.broker.bootstrap, *map(str, arguments)]
        ran = subprocess.run(command, input=stdin, capture_output=True, timeout=HANG_SECONDS, check=False)
        said = f"{' '.join(command)}\n{ran.stderr.decode(errors='replace')}\n{self.broker.log()}"
        self.assertEqual(ran.returncode != 0, fails, said)
        return (ran.stderr if fails else ran.stdout).decode()

    def consume(self, topic, *arguments):
        """All records of a topic, as kcat prints them."""
        form = r"%p\t%o\t%k\t%s\t%h\t%T\n"
        printed = self.kcat("-C", "-q", "-e", "-t", topic, "-f", form, *(arguments or ["-o", "beginning"]))
        records = []
        for line in printed.splitlines():
            partition, offset, key, value, headers, timestamp = line.split("\t")
            records.append(Record(int(partition), int(offset), key, value, headers, int(timestamp)))
        return records

    def create(self, topic):
        """Makes a topic as kcat does, by asking for its metadata, until each partition has a leader."""
        for _ in range(ASKED_MAX):
            metadata = json.loads(self.kcat("-L", "-J", "-t", topic))["topics"][0]
            if len(metadata["partitions"]) == PARTITIONS and all(p["leader"] >= 0 for p in metadata["partitions"]):
                return
        self.fail(f"{topic} has no leaders: {metadata}")

    def end_offset(self, topic, partition):
        """Where a partition ends, by query."""
        return self.query(topic, partition, -1)

    def query(self, topic, partition, timestamp):
        """What ListOffsets says for a timestamp; -1 is the end, -2 the beginning."""
        printed = self.kcat("-Q", "-t", f"{topic}:{partition}:{timestamp}")
        self.assertRegex(printed, rf"^{topic} \[{partition}\] offset -?\d+\n$")
        return int(printed.split()[-1])

    def test_ten_thousand_keyed_lines_come_back(self):
        """Every line once, in its key's partition, in the order in which it was sent, at dense offsets."""
        topic = self.topic()
        lines = [(f"key-{n % 97}", f"value {n} äöü") for n in range(10_000)]
        self.kcat("-P", "-t", topic, "-K:", stdin="".join(f"{key}:{value}\n" for key, value in lines).encode())

        records = self.consume(topic)
        self.assertEqual(sorted((r.key, r.value) for r in records), sorted(lines))
        by_key, by_partition = collections.defaultdict(list), collections.defaultdict(list)
        for record in records:
            by_key[record.key].append(record)
            by_partition[record.partition].append(record.offset)
        self.assertEqual(sorted(by_partition), list(range(PARTITIONS)))
        for partition, offsets in by_partition.items():
            self.assertEqual(offsets, list(range(len(offsets))), f"partition {partition}")
            self.assertEqual(self.end_offset(topic, partition), len(offsets))
        for key, of_key in by_key.items():
            self.assertEqual(len({r.partition for r in of_key}), 1, key)
            self.assertEqual([r.value for r in of_key], [value for k, value in lines if k == key])

    def test_headers_come_back_in_order(self):
        """A name may stand twice, and a value may be empty."""
        topic = self.topic()
        self.kcat("-P", "-t", topic, "-p", 1, "-H", "a=1", "-H", "b=", "-H", "a=2", stdin=b"x\ny\n")
        records = self.consume(topic)
        self.assertEqual([(r.partition, r.value, r.headers) for r in records], [(1, "x", "a=1,b=,a=2"), (1, "y", "a=1,b=,a=2")])

    def test_timestamps_are_the_clients(self):
        """CreateTime: what the client stamped comes back; here two lines out of one minute."""
        topic = self.topic()
        before = self.now_ms()
        self.kcat("-P", "-t", topic, "-p", 0, stdin=b"x\ny\n")
        for record in self.consume(topic):
            self.assertTrue(before <= record.timestamp <= self.now_ms(), record)

    @staticmethod
    def now_ms():
        """The wall clock that kcat reads, too."""
        return int(subprocess.run(["date", "+%s%3N"], capture_output=True, check=True).stdout)

    def test_metadata_names_the_broker_and_the_partitions(self):
        """`-L`: the address is one that a client can use, and each partition has a leader."""
        topic = self.topic()
        self.create(topic)
        metadata = json.loads(self.kcat("-L", "-J", "-t", topic))
        self.assertEqual([broker["name"] for broker in metadata["brokers"]], [self.broker.bootstrap])
        node = metadata["brokers"][0]["id"]
        self.assertEqual([t["topic"] for t in metadata["topics"]], [topic])
        partitions = sorted(metadata["topics"][0]["partitions"], key=lambda p: p["partition"])
        expected = [
            {"partition": p, "leader": node, "replicas": [{"id": node}], "isrs": [{"id": node}]} for p in range(PARTITIONS)
        ]
        self.assertEqual(partitions, expected)
        everything = json.loads(self.kcat("-L", "-J"))
        self.assertIn(topic, [t["topic"] for t in everything["topics"]])

    def test_beginning_and_end_by_query(self):
        """-2 is the first offset, -1 the one after the last; both on an empty partition, too."""
        topic = self.topic()
        self.create(topic)
        self.assertEqual((self.query(topic, 2, -2), self.query(topic, 2, -1)), (0, 0))
        self.kcat("-P", "-t", topic, "-p", 2, stdin=b"a\nb\nc\n")
        self.assertEqual((self.query(topic, 2, -2), self.query(topic, 2, -1)), (0, 3))
        self.assertEqual((self.query(topic, 1, -2), self.query(topic, 1, -1)), (0, 0))

    def test_reading_from_an_offset(self):
        """From an offset, from n before the end, and up to a count, in the middle of a batch, too."""
        topic = self.topic()
        self.kcat("-P", "-t", topic, "-p", 0, stdin="".join(f"{n}\n" for n in range(1000)).encode())
        values = lambda *arguments: [int(r.value) for r in self.consume(topic, "-p", 0, *arguments)]
        self.assertEqual(values("-o", 500), list(range(500, 1000)))
        self.assertEqual(values("-o", 999), [999])
        self.assertEqual(values("-o", -10), list(range(990, 1000)))
        self.assertEqual(values("-o", 123, "-c", 4), [123, 124, 125, 126])
        self.assertEqual(values("-o", "end"), [])

    def test_a_large_record_comes_back(self):
        """900,000 bytes: below Kafka's default of 1 MiB, above every buffer of a first draft."""
        topic = self.topic()
        value = "".join(f"{n:08x}" for n in range(112_500))
        self.kcat("-P", "-t", topic, "-p", 0, stdin=f"{value}\nsmall\n".encode())
        self.assertEqual([r.value for r in self.consume(topic, "-p", 0, "-o", "beginning")], [value, "small"])

    def test_each_acks(self):
        """All three arrive, also the one that has no answer."""
        for acks in ["0", "1", "all"]:
            topic = self.topic(f"-{acks}")
            self.create(topic)
            self.kcat("-P", "-t", topic, "-p", 0, "-X", f"acks={acks}", stdin=b"a\nb\n")
            # No -e: with acks=0 the records may still be on the way, so kcat waits for the second one to come.
            printed = self.kcat("-C", "-q", "-c", 2, "-t", topic, "-p", 0, "-o", "beginning")
            self.assertEqual(printed, "a\nb\n", acks)

    def test_an_unknown_topic_is_an_error_for_a_consumer(self):
        """Reading makes no topic: kcat's consumer asks without auto-creation."""
        said = self.kcat("-C", "-e", "-t", self.topic(), "-p", 0, "-X", "allow.auto.create.topics=false", fails=True)
        self.assertRegex(said, "(?i)unknown topic or partition|unknown partition")

    def test_a_group_reads_all_and_then_what_is_new(self):
        """`-G`: all partitions; the same group goes on where it stopped, another begins again."""
        topic = self.topic()
        self.create(topic)
        lines = lambda begin, end: "".join(f"{n}\n" for n in range(begin, end))
        self.kcat("-P", "-t", topic, stdin=lines(0, 1000).encode())
        join = lambda group: self.kcat("-q", "-e", "-X", "auto.offset.reset=earliest", "-G", f"{topic}-{group}", topic)
        self.assertEqual(sorted(map(int, join("one").splitlines())), list(range(1000)))
        self.kcat("-P", "-t", topic, stdin=lines(1000, 1500).encode())
        self.assertEqual(sorted(map(int, join("one").splitlines())), list(range(1000, 1500)))
        self.assertEqual(sorted(map(int, join("two").splitlines())), list(range(1500)))


if __name__ == "__main__":
    unittest.main()
