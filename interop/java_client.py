"""Kafka's own Java client, driven from Python: compiles `java/`, runs it beside the scenarios, and calls it line by line.

Needs the jars of a real Kafka (`kafka/kafka.py install`), in which the client is, and a JDK.
"""

import json
import shutil
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from broker import HANG_SECONDS, HERE, PARTITIONS, Scenarios, kafka_installer


class Refused(Exception):
    """A call ended in an exception of the Java client; `error` is its class, without the package."""

    def __init__(self, answer):
        super().__init__(f"{answer['error']}: {answer['message']}")
        self.error = answer["error"]
        self.message = answer["message"]


class JavaClient:
    """A Java process that holds the clients. One call at a time."""

    def __init__(self, bootstrap):
        kafka = kafka_installer()
        if not (kafka.JARS / "whole").exists() or shutil.which(kafka.JAVA) is None:
            raise unittest.SkipTest("no Java client: kafka/kafka.py install")
        self.home = Path(tempfile.mkdtemp(prefix="thalweg-interop-java-"))
        compiler = str(Path(kafka.JAVA).with_name("javac")) if "/" in kafka.JAVA else "javac"
        sources = sorted(map(str, (HERE / "java").glob("*.java")))
        subprocess.run([compiler, "-d", self.home, "-cp", f"{kafka.JARS}/*", *sources], check=True, stdin=subprocess.DEVNULL)
        with (self.home / "stderr.log").open("wb") as errors:
            self.process = subprocess.Popen(
                # The client's warnings tell of every lost connection.
                kafka.java("Bridge", bootstrap, level="ERROR", classes=self.home),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def start(self, call, **arguments):
        """Begins a call; `finish` has its answer."""
        self.process.stdin.write(json.dumps({"call": call, **arguments}).encode() + b"\n")
        self.process.stdin.flush()

    def finish(self):
        """What the call answered. Raises what it was refused with."""
        # Whoever hangs is ended, and its empty answer reported.
        watchdog = threading.Timer(HANG_SECONDS, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if not line:
            raise AssertionError(f"the Java client is gone: {(self.home / 'stderr.log').read_text()[-1500:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer)
        return answer["value"]

    def __call__(self, call, **arguments):
        """A call and its answer."""
        self.start(call, **arguments)
        return self.finish()

    def close(self):
        """Ends it."""
        try:
            self.process.stdin.close()
            self.process.wait(HANG_SECONDS)
        except BrokenPipeError:
            self.process.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.home, ignore_errors=True)


class JavaScenarios(Scenarios):
    """Scenarios that share a broker and a Java process."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.java = JavaClient(cls.broker.bootstrap)
        cls.addClassCleanup(cls.java.close)

    def create(self, partitions=PARTITIONS, suffix="", **configs):
        """A topic that serves, by the admin client."""
        topic = self.topic(suffix)
        self.java("createTopic", topic=topic, partitions=partitions, replicas=1, configs=configs)
        if self.broker.name != "thalweg":
            # Kafka's answer runs ahead of its own broker, which then refuses an idempotent producer's first batch and takes
            # its second: for ever out of order. Ours means that the partitions serve.
            self.java("consume", topic=topic, partitions=list(range(partitions)), steps=[["endOffsets"]])
        return topic

    def refused(self, error, call, **arguments):
        """A call has to end in this exception. Returns its message."""
        with self.assertRaises(Refused) as refused:
            self.java(call, **arguments)
        self.assertEqual(refused.exception.error, error, refused.exception.message)
        return refused.exception.message
