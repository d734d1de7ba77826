"""Kafka's own command-line tools for administrators, against a broker that is one node.

Needs a real Kafka (`kafka/kafka.py install`), in which the tools are.
"""

import json
import shutil
import subprocess
import unittest

from broker import HANG_SECONDS, Scenarios, kafka_installer
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic


class KafkaTools(Scenarios):
    """Each tool says what a person who runs one node expects of it."""

    @classmethod
    def setUpClass(cls):
        cls.kafka = kafka_installer()
        if not (cls.kafka.JARS / "whole").exists() or shutil.which(cls.kafka.JAVA) is None:
            raise unittest.SkipTest("a real Kafka is not installed: kafka/kafka.py install")
        super().setUpClass()

    def tool(self, name, *arguments, code=0):
        """Runs a tool to its end; what it printed."""
        main_class = self.kafka.TOOLS.get(name, f"org.apache.kafka.tools.{name}")
        command = self.kafka.java(main_class, "--bootstrap-server", self.broker.bootstrap, *arguments)
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(command, timeout=HANG_SECONDS, check=False, **streams)
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    def created(self):
        """A topic of two partitions, with ten records in the first."""
        topic = self.topic()
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap})
        for made in admin.create_topics([NewTopic(topic, 2, 1)]).values():
            made.result(HANG_SECONDS)
        producer = Producer({"bootstrap.servers": self.broker.bootstrap, "enable.idempotence": True})
        for number in range(10):
            producer.produce(topic, str(number).encode(), partition=0)
        self.assertEqual(producer.flush(HANG_SECONDS), 0)
        return topic

    def test_log_directories(self):
        """Every partition with its bytes, in the one directory."""
        topic = self.created()
        told = json.loads(self.tool("LogDirsCommand", "--describe", "--topic-list", topic).splitlines()[-1])
        [broker] = told["brokers"]
        [directory] = broker["logDirs"]
        self.assertEqual(directory["error"], None)
        partitions = sorted((each["partition"], each["size"]) for each in directory["partitions"])
        (first, size), second = partitions
        self.assertEqual((first, second), (f"{topic}-0", (f"{topic}-1", 0)))
        # Ten records of a byte, in as many batches as there may be.
        self.assertTrue(61 + 10 * 8 <= size <= 10 * (61 + 8), size)

    def test_the_quorum(self):
        """One voter, which leads and lags behind nobody."""
        status = self.tool("MetadataQuorumCommand", "describe", "--status")
        self.assertRegex(status, r"LeaderId: +1\n")
        self.assertRegex(status, r"MaxFollowerLag: +0\n")
        self.assertRegex(self.tool("MetadataQuorumCommand", "describe", "--replication"), r"\n1 .*\bLeader\b")

    def test_elections(self):
        """Nobody else could lead."""
        topic = self.created()
        self.tool("LeaderElectionCommand", "--election-type", "preferred", "--all-topic-partitions")
        told = self.tool("LeaderElectionCommand", "--election-type", "preferred", "--topic", topic, "--partition", "0")
        self.assertIn(f"Valid replica already elected for partitions {topic}-0", told)

    def test_reassignments(self):
        """Where a partition is, it may go; elsewhere is nobody."""
        topic = self.created()
        plan = self.broker.home / "plan.json"
        for replicas, code, words in (([1], 0, "Successfully started"), ([1, 2], 1, "Unknown broker id 2")):
            partition = {"topic": topic, "partition": 0, "replicas": replicas}
            plan.write_text(json.dumps({"version": 1, "partitions": [partition]}))
            arguments = ["--reassignment-json-file", str(plan), "--execute"]
            self.assertIn(words, self.tool("reassign.ReassignPartitionsCommand", *arguments, code=code))
        self.assertIn("No partition reassignments found", self.tool("reassign.ReassignPartitionsCommand", "--list"))

    def test_features_and_transactions(self):
        """One feature at one level; no transactions; who wrote, and how far."""
        self.assertRegex(self.tool("FeatureCommand", "describe"), r"metadata\.version.*FinalizedVersionLevel: 4\.3-IV0")
        self.assertEqual(len(self.tool("TransactionsCommand", "list").splitlines()), 1, "the head of a table without rows")
        producers = self.tool("TransactionsCommand", "describe-producers", "--topic", self.created(), "--partition", "0")
        _head, row = producers.splitlines()
        # Epoch 0, no coordinator, the tenth record, no transaction.
        self.assertRegex(row, r"^\d+\s+0\s+-1\s+9\s+\d+\s+None\s*$")


if __name__ == "__main__":
    unittest.main()
