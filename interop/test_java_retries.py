"""The Java client's retries: each record once, in order, through lost connections and over `kill -9`."""

import unittest

from behind_proxy import RECORDS, BehindProxy
from broker import HANG_SECONDS, PARTITIONS
from java_client import JavaClient

# Small batches, many of them under way, and quick to come back.
RESTLESS = {
    "batch.size": 500,
    "linger.ms": 0,
    "reconnect.backoff.ms": 1,
    "reconnect.backoff.max.ms": 20,
    "retry.backoff.ms": 1,
    "retry.backoff.max.ms": 20,
    "delivery.timeout.ms": HANG_SECONDS * 1000,
}


class JavaRetries(BehindProxy):
    """A producer that was told nothing about idempotence, and has it; and one that was told to do without."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.java = JavaClient(cls.proxy.address)
        cls.addClassCleanup(cls.java.close)

    def produce_through_cuts(self, **settings):
        """Sends all records while connections are cut. Returns the topic."""
        topic = self.create(self.topic())
        self.cut_connections()
        numbers = {"topic": topic, "partitions": PARTITIONS, "count": RECORDS}
        told = self.java("numbers", settings={**RESTLESS, **settings}, **numbers)
        self.check_cuts()
        self.assertEqual(told, {"acknowledged": RECORDS, "errors": {}})
        return topic

    def test_cut_connections_make_neither_duplicates_nor_gaps(self):
        """Requests that were done and not answered are sent again, and are in the log once."""
        self.check_exactly_once(self.produce_through_cuts())

    def test_without_idempotence_the_same_cuts_make_duplicates(self):
        """What shows that the proxy bites: nothing is lost, but a record whose answer was withheld is there twice."""
        topic = self.produce_through_cuts(**{"enable.idempotence": False})
        found = [number for numbers in self.numbers(topic).values() for number in numbers]
        self.assertEqual(set(found), set(range(RECORDS)))
        self.assertGreater(len(found), RECORDS)

    def test_kill_nine_under_the_default_producer(self):
        """The broker knows after a crash what each producer wrote last: one producer over two kills, each record once."""
        topic = self.create(self.topic())
        numbers = {"topic": topic, "partitions": PARTITIONS, "count": RECORDS}
        self.java.start("numbers", settings=RESTLESS, **numbers)
        for part in [RECORDS // 5, RECORDS // 2]:
            self.await_records(topic, part)
            self.broker.kill()
            self.broker.start()
        self.assertEqual(self.java.finish(), {"acknowledged": RECORDS, "errors": {}})
        self.check_exactly_once(topic)


if __name__ == "__main__":
    unittest.main()
