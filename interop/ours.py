"""Our own client library, driven from Python: its examples, as programs with the interfaces that the scenarios know."""

import os
import subprocess
import threading
import time
from pathlib import Path

from broker import HANG_SECONDS, HERE
from confluent_kafka import KafkaError

EXAMPLES = Path(os.environ.get("INTEROP_EXAMPLES") or HERE.parent / "target" / "debug" / "examples")


class Message:
    """A record that was acknowledged."""

    def __init__(self, partition, offset, value):
        self._all = partition, offset, value

    def partition(self):
        """Where it is."""
        return self._all[0]

    def offset(self):
        """Its place there."""
        return self._all[1]

    def value(self):
        """What was sent."""
        return self._all[2]


class Producer:
    """What the scenarios use of confluent-kafka's producer, over a process of `examples/interop/load.rs`.

    Its records are tried until it is told to purge them: then the process is killed, and nobody knows what became of those
    that were not reported.
    """

    def __init__(self, settings):
        self.bootstrap = settings["bootstrap.servers"]
        self.process = None
        self.pending = {}
        self.reports = []
        self.told = threading.Condition()

    def produce(self, topic, value, partition, on_delivery):
        """Sends a record. All of one producer go to one topic."""
        if self.process is None:
            command = [EXAMPLES / "load", self.bootstrap, topic]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.sent = 0
            self.reader = threading.Thread(target=self.listen, daemon=True)
            self.reader.start()
        with self.told:
            self.pending[self.sent] = partition, value, on_delivery
        self.sent += 1
        self.process.stdin.write(b"%d %s\n" % (partition, value))
        self.process.stdin.flush()

    def listen(self):
        """Takes down the reports, until the process is gone."""
        for line in self.process.stdout:
            # A line that a kill cut short tells nothing.
            if line.endswith(b"\n"):
                number, told = line.decode().rstrip("\n").split(" ", 1)
                with self.told:
                    self.reports.append((*self.pending.pop(int(number)), told))
                    self.told.notify_all()

    def poll(self, seconds):
        """Hands out the reports that there are, and waits for the first if there is none. How many it were."""
        with self.told:
            if not self.reports and seconds:
                self.told.wait(seconds)
            reports, self.reports = self.reports, []
        for partition, value, on_delivery, told in reports:
            if told.startswith("!"):
                code = KafkaError._PURGE_QUEUE if told == "! purged" else KafkaError._FAIL
                on_delivery(KafkaError(code, told), Message(partition, None, value))
            else:
                on_delivery(None, Message(partition, int(told), value))
        return len(reports)

    def flush(self, seconds):
        """Waits for all reports. How many are missing."""
        end = time.monotonic() + seconds
        while len(self) and (left := end - time.monotonic()) > 0:
            self.poll(left)
        return len(self)

    def purge(self):
        """Ends it: what was not reported is lost."""
        if self.process is None:
            return
        self.process.kill()
        self.reader.join(HANG_SECONDS)
        self.process.communicate()
        self.process = None
        with self.told:
            self.reports += [(*pending, "! purged") for pending in self.pending.values()]
            self.pending.clear()

    def __len__(self):
        return len(self.pending) + len(self.reports)
