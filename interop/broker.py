"""The broker under test: ours, a real Kafka, or one that already runs. The scenarios don't know which.

INTEROP_BROKER   `thalweg` (the default), `kafka` (a real one, see kafka/kafka.py), or HOST:PORT of one that runs
INTEROP_BINARY              the binary, by default target/debug/thalweg of this checkout
"""

import importlib.util
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Far above what any start or client takes: reached only when something hangs, and then it is the failure to report.
HANG_SECONDS = 100
PARTITIONS = 3
# What every scenario starts from.
SETTINGS = {"num.partitions": PARTITIONS}


class Thalweg:
    """`thalweg serve` in a directory of its own, on a port that it keeps over restarts."""

    name = "thalweg"
    clean_exit = 0
    READY = re.compile(r"^thalweg: ready, Kafka protocol on (\S+:\d+)$")

    def __init__(self, settings):
        self.binary = os.environ.get("INTEROP_BINARY") or str(HERE.parent / "target" / "debug" / "thalweg")
        self.home = Path(tempfile.mkdtemp(prefix="thalweg-interop-"))
        self.settings = settings
        self.bootstrap = f"127.0.0.1:{free_ports()}"
        self.process = None
        self.reader = None

    def start(self):
        """Returns once the ready line was printed: from then on the listener accepts."""
        command = [self.binary, "serve", "--data", str(self.home / "data"), "--listen", self.bootstrap]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        # What the person who runs the tests has set for a broker of their own is no part of them.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("THALWEG_")}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
        with (self.home / "stderr.log").open("ab") as errors:
            self.process = subprocess.Popen(command, stderr=errors, env=environment, **streams)
        watchdog = threading.Timer(HANG_SECONDS, self.process.kill)
        watchdog.start()
        banner = []
        for line in self.process.stdout:
            banner.append(line.decode())
            ready = self.READY.match(banner[-1].rstrip("\n"))
            if ready:
                self.bootstrap = ready.group(1)
                break
        else:
            raise AssertionError(f"no ready line, exit code {self.process.wait()}:\n{''.join(banner)}{self.log()}")
        watchdog.cancel()
        # A full pipe would hold the broker up, so somebody goes on reading.
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()

    def kill(self):
        """SIGKILL, and waits until it is gone."""
        self.end(signal.SIGKILL)

    def stop(self):
        """SIGTERM, and waits until it is gone. Returns the exit code."""
        return self.end(signal.SIGTERM)

    def end(self, how):
        """Sends a signal, and waits for the end."""
        self.process.send_signal(how)
        code = self.process.wait(HANG_SECONDS)
        self.reader.join()
        self.process.stdout.close()
        return code

    def log(self):
        """What it wrote to stderr, from its first panic on; without one, the last part."""
        said = (self.home / "stderr.log").read_text(errors="replace")
        panic = said.find("panicked at")
        return said[panic : panic + 1500] if panic >= 0 else said[-1500:]

    def panics(self):
        """The places of all panics so far."""
        return re.findall(r"panicked at (\S+)", (self.home / "stderr.log").read_text(errors="replace"))

    def close(self):
        """Ends it if it still runs, and removes its data."""
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)


class Kafka:
    """A real Kafka in a directory of its own."""

    name = "kafka"
    # What a Java process that SIGTERM ended reports: 128 + 15.
    clean_exit = 143

    def __init__(self, settings):
        self.kafka = kafka_installer()
        self.kafka.install()
        self.home = Path(tempfile.mkdtemp(prefix="thalweg-interop-kafka-"))
        self.settings = [f"{name}={value}" for name, value in settings.items()]
        self.port = free_ports()
        self.bootstrap = f"127.0.0.1:{self.port}"

    def start(self):
        """Returns once it serves."""
        self.kafka.start(self.home, self.port, self.settings)

    def kill(self):
        """SIGKILL, and waits until it is gone."""
        self.kafka.end(self.home, signal.SIGKILL)

    def stop(self):
        """SIGTERM, and waits until it is gone. Its exit code is lost with the process that started it."""
        self.kafka.end(self.home, signal.SIGTERM)
        return self.clean_exit

    def log(self):
        """The last part of its log, for the report of a failure."""
        return (self.home / "server.log").read_text(errors="replace")[-1500:]

    def close(self):
        """Ends it if it still runs, and removes its data."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)


class Running:
    """A broker that somebody else started: scenarios that end it are skipped."""

    name = "running"

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def start(self):
        """It runs already."""

    def close(self):
        """It is not ours to end."""

    def log(self):
        """We can't see it."""
        return ""


def kafka_installer():
    """`kafka/kafka.py` as a module."""
    spec = importlib.util.spec_from_file_location("kafka_installer", HERE / "kafka" / "kafka.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def free_ports():
    """A port that is free, as is the next one (for Kafka's controller). Below the range from which the system takes
    ports for connections: nobody must get it while the broker is down."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
                return port
            except OSError:
                continue


def under_test(**settings):
    """The broker that the environment asks for, not started yet."""
    kind = os.environ.get("INTEROP_BROKER") or "thalweg"
    settings = {**SETTINGS, **settings}
    if kind == "thalweg":
        return Thalweg(settings)
    if kind == "kafka":
        return Kafka(settings)
    return Running(kind)


class Scenarios(unittest.TestCase):
    """Scenarios that share one broker, which lives as long as the class."""

    maxDiff = 2000
    broker = None

    @classmethod
    def setUpClass(cls):
        cls.broker = under_test()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def topic(self, suffix=""):
        """A name that no other scenario uses, nor a former run against the same broker."""
        return f"{self._testMethodName}{suffix}-{uuid.uuid4().hex[:8]}"

    def setUp(self):
        self.panicked_before = self.panics()

    def tearDown(self):
        """A panic inside of the broker is a failure, though the client may have got over it by a retry."""
        self.assertEqual(self.panics(), self.panicked_before, self.broker.log())

    def panics(self):
        """The broker's panics so far; only ours tells."""
        return self.broker.panics() if isinstance(self.broker, Thalweg) else []

    def only_for(self, *names):
        """Skips the scenario on other brokers."""
        if self.broker.name not in names:
            self.skipTest(f"only for {' and '.join(names)}")

    def eventually(self, question, answer):
        """Asks until the answer is the awaited one: Kafka's controller answers a change before its broker knows of it. Ours
        knows, and is asked once."""
        deadline = time.monotonic() + (0 if self.broker.name == "thalweg" else HANG_SECONDS)
        while (got := question()) != answer and time.monotonic() < deadline:
            pass
        self.assertEqual(got, answer)
