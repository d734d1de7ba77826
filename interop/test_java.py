"""The Java client of Kafka 4.3 produces and consumes by assignment: every codec, every kind of acknowledgement, every seek."""

import itertools
import unittest

from broker import PARTITIONS
from java_client import JavaScenarios

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
ACKS = ["0", "1", "all"]
RECORDS = 300
WORDS = "the line along a riverbed where the water runs fastest; " * 20
# All records of a partition in one batch, which is then worth compressing.
IN_ONE_BATCH = {"linger.ms": 50, "batch.size": 1 << 20}
START = 1_700_000_000_000


def records():
    """Keys and values of every kind: null, empty, short, compressible; headers with and without a value."""
    return [
        {
            "partition": n % PARTITIONS,
            "timestamp": START + n,
            "key": [None, "", f"key {n}"][n % 3],
            "value": [None, "", f"{n}", f"{n} {WORDS}"][n % 4],
            "headers": [[], [["h", f"{n}"]], [["twice", "1"], ["twice", None], ["empty", ""]]][n % 5 % 3],
        }
        for n in range(RECORDS)
    ]


class Java(JavaScenarios):
    """Each scenario is a small program with one producer and one consumer."""

    def consume(self, topic, *steps, partitions=PARTITIONS, **settings):
        """What each step answers, on a consumer to which all partitions are assigned."""
        return self.java("consume", topic=topic, partitions=list(range(partitions)), steps=steps, settings=settings)

    def check_round_trip(self, settings):
        """Sent with these settings, every record is there once, in order, at dense offsets, with all its parts."""
        topic, sent = self.create(), records()
        reports = self.java("produce", topic=topic, records=sent, settings={**IN_ONE_BATCH, **settings})
        self.assertEqual([report for report in reports if "error" in report], [])
        places = [{**record, "offset": n // PARTITIONS} for n, record in enumerate(sent)]
        if settings.get("acks") != "0":
            answered = [(r["partition"], r["offset"], r["timestamp"]) for r in reports]
            self.assertEqual(answered, [(p["partition"], p["offset"], p["timestamp"]) for p in places])
        _, got, ends = self.consume(topic, ["seekToBeginning"], ["poll", RECORDS], ["endOffsets"])
        self.assertEqual(ends, {str(partition): RECORDS // PARTITIONS for partition in range(PARTITIONS)})
        for partition in range(PARTITIONS):
            mine = [place for place in places if place["partition"] == partition]
            self.assertEqual([record for record in got if record["partition"] == partition], mine)

    def test_each_codec_with_each_acknowledgement(self):
        """Keys, values, headers, timestamps and offsets come back as they were sent."""
        for codec, acks in itertools.product(CODECS, ACKS):
            with self.subTest(codec=codec, acks=acks):
                self.check_round_trip({"compression.type": codec, "acks": acks, "enable.idempotence": False})

    def test_the_default_producer_with_each_codec(self):
        """Without a word about it, a Java producer is idempotent: it asks for a producer id first."""
        for codec in CODECS:
            with self.subTest(codec=codec):
                self.check_round_trip({"compression.type": codec})

    def test_seeks_and_positions(self):
        """To an offset, the beginning, the end: the position says so, and reading goes on there, also back."""
        topic = self.create(1)
        self.java("produce", topic=topic, records=[{"partition": 0, "value": str(n)} for n in range(100)])
        steps = [["seekToBeginning"], ["position", 0], ["seek", 0, 90], ["position", 0], ["poll", 10], ["position", 0]]
        back = [["seek", 0, 3], ["poll", 97], ["seekToEnd"], ["position", 0], ["beginningOffsets"], ["endOffsets"]]
        _, begin, _, sought, tail, after, _, most, _, end, begins, ends = self.consume(topic, *steps, *back, partitions=1)
        self.assertEqual((begin, sought, after, end, begins, ends), (0, 90, 100, 100, {"0": 0}, {"0": 100}))
        self.assertEqual([record["offset"] for record in tail], list(range(90, 100)))
        self.assertEqual([record["value"] for record in most], [str(n) for n in range(3, 100)])

    def test_many_fetches_of_one_consumer(self):
        """Small fetches over many partitions, some of them empty: a fetch session that leaves none out."""
        topic = self.create(20)
        sent = [{"partition": n % 10 * 2, "value": f"{n}".ljust(200, ".")} for n in range(2000)]
        self.java("produce", topic=topic, records=sent, settings={"batch.size": 1000})
        small = {"max.partition.fetch.bytes": 5000, "fetch.max.bytes": 20_000, "max.poll.records": 7}
        _, got = self.consume(topic, ["seekToBeginning"], ["poll", len(sent)], partitions=20, **small)
        for partition in range(20):
            mine = [(r["offset"], r["value"]) for r in got if r["partition"] == partition]
            expected = [r["value"] for r in sent if r["partition"] == partition]
            self.assertEqual(mine, list(enumerate(expected)), f"partition {partition}")

    def test_offsets_are_found_by_time(self):
        """The first record that is not earlier, compressed or not; none behind the last."""
        for codec in ["none", "zstd"]:
            topic = self.create(2)
            stamps = [1_000, 3_000, 2_000, 3_000, 2_500]
            sent = [{"partition": 0, "timestamp": START + stamp, "value": "x"} for stamp in stamps]
            self.java("produce", topic=topic, records=sent, settings={**IN_ONE_BATCH, "compression.type": codec})
            wanted = {0: [0, 1_000], 1_000: [0, 1_000], 1_001: [1, 3_000], 3_000: [1, 3_000], 3_001: None}
            found = self.consume(topic, *[["offsetsForTimes", START + stamp] for stamp in wanted], partitions=2)
            for answer, place in zip(found, wanted.values()):
                self.assertEqual(answer, {"0": place and [place[0], START + place[1]], "1": None})

    def test_an_offset_out_of_range_is_told(self):
        """With a reset policy the client starts there; without one it gets the error."""
        topic = self.create(1)
        self.java("produce", topic=topic, records=[{"partition": 0, "value": str(n)} for n in range(3)])
        beyond = {"topic": topic, "partitions": [0], "steps": [["seek", 0, 100], ["poll", 3]]}
        self.refused("OffsetOutOfRangeException", "consume", **beyond)
        _, got = self.java("consume", settings={"auto.offset.reset": "earliest"}, **beyond)
        self.assertEqual([record["offset"] for record in got], [0, 1, 2])

    def test_bad_records_are_refused_one_by_one(self):
        """Too large for the topic, of the future, without a key where keys are needed: each its exception; others pass."""
        topic = self.create(1, **{"max.message.bytes": 1000, "cleanup.policy": "compact"})
        sent = [
            {"partition": 0, "key": "k", "value": "good"},
            {"partition": 0, "key": "k", "value": "x" * 2000},
            {"partition": 0, "key": None, "value": "no key"},
            {"partition": 0, "key": "k", "value": "late", "timestamp": 4_000_000_000_000},
            {"partition": 0, "key": "k", "value": "good, too"},
        ]
        # Each in a batch of its own. (`batch.size=0` would be shorter, but sends this client into an endless splitting.)
        reports = [self.java("produce", topic=topic, records=[record])[0] for record in sent]
        errors = [report.get("error") for report in reports]
        self.assertEqual(errors, [None, "RecordTooLargeException", "InvalidRecordException", "InvalidTimestampException", None])
        self.assertEqual([report.get("offset") for report in reports], [0, None, None, None, 1])

    def test_transactions_are_refused_until_they_are_served(self):
        """By name and at once, rather than written as if they were none. Falls with transactions."""
        self.only_for("thalweg")
        self.refused(
            "TransactionalIdAuthorizationException",
            "transaction",
            topic=self.create(),
            settings={"transactional.id": self.topic("-id")},
        )


if __name__ == "__main__":
    unittest.main()
