"""An idempotent producer that retries writes each record once, in order: through lost connections, and over `kill -9`."""

import threading
import unittest

from behind_proxy import RECORDS, BehindProxy
from broker import HANG_SECONDS, PARTITIONS
from confluent_kafka import Producer

# Small batches, many of them under way, and quick to come back.
RESTLESS = {
    "batch.num.messages": 20,
    "linger.ms": 0,
    "reconnect.backoff.ms": 1,
    "reconnect.backoff.max.ms": 20,
    "retry.backoff.ms": 1,
    "retry.backoff.max.ms": 20,
    "message.timeout.ms": HANG_SECONDS * 1000,
}


class Numbers:
    """A producer of numbered records, and what it was told of them."""

    def __init__(self, bootstrap, topic, **settings):
        self.topic = topic
        self.sent = 0
        self.acknowledged = 0
        self.errors = []
        self.producer = Producer({"bootstrap.servers": bootstrap, **RESTLESS, **settings})

    def reported(self, error, message):
        """A delivery report."""
        if error:
            self.errors.append(str(error))
        else:
            self.acknowledged += 1

    def send(self, count):
        """The next records, as fast as the client takes them."""
        for number in range(self.sent, self.sent + count):
            self.producer.produce(self.topic, b"%d" % number, partition=number % PARTITIONS, on_delivery=self.reported)
            # Else all of them would be sent before the first cut.
            if number % 100 == 0:
                self.producer.poll(0.001)
        self.sent += count

    def await_acknowledged(self, count):
        """Until so many were acknowledged."""
        bound = threading.Event()
        watchdog = threading.Timer(HANG_SECONDS, bound.set)
        watchdog.start()
        while self.acknowledged < count:
            assert not bound.is_set(), f"{self.acknowledged} of {count} acknowledged; {self.errors[:3]}"
            self.producer.poll(0.1)
        watchdog.cancel()

    def finish(self):
        """Until each was acknowledged or has failed."""
        left = self.producer.flush(HANG_SECONDS)
        assert left == 0, f"{left} records without a report"


class Retries(BehindProxy):
    """librdkafka's retries. The Java client's are in test_java_retries.py."""

    def produce_through_cuts(self, **settings):
        """Sends all records while connections are cut. Returns the topic."""
        topic = self.create(self.topic())
        self.cut_connections()
        numbers = Numbers(self.proxy.address, topic, **settings)
        numbers.send(RECORDS)
        numbers.finish()
        self.check_cuts()
        self.assertEqual((numbers.errors[:3], numbers.acknowledged), ([], RECORDS))
        return topic

    def test_cut_connections_make_neither_duplicates_nor_gaps(self):
        """Requests that were done and not answered are sent again, and are in the log once."""
        self.check_exactly_once(self.produce_through_cuts(**{"enable.idempotence": True}))

    def test_without_idempotence_the_same_cuts_make_duplicates(self):
        """What shows that the proxy bites: nothing is lost, but a record whose answer was withheld is there twice."""
        topic = self.produce_through_cuts(**{"enable.idempotence": False, "acks": "all"})
        found = [number for numbers in self.numbers(topic).values() for number in numbers]
        self.assertEqual(set(found), set(range(RECORDS)))
        self.assertGreater(len(found), RECORDS)

    def test_one_request_at_a_time_is_enough_for_order(self):
        """The same with a single request under way, where a retry follows directly what it repeats."""
        self.check_exactly_once(self.produce_through_cuts(**{"enable.idempotence": True, "max.in.flight": 1}))

    def test_kill_nine_under_an_idempotent_producer(self):
        """The broker knows after a crash what each producer wrote last: one producer over all kills, each record once."""
        topic = self.create(self.topic())
        numbers = Numbers(self.proxy.address, topic, **{"enable.idempotence": True})
        for _ in range(3):
            numbers.send(3000)
            numbers.await_acknowledged(numbers.sent - 2000)
            self.broker.kill()
            numbers.send(500)
            self.broker.start()
        numbers.finish()
        self.assertEqual((numbers.errors[:3], numbers.acknowledged), ([], numbers.sent))
        self.check_exactly_once(topic, numbers.sent)


if __name__ == "__main__":
    unittest.main()
