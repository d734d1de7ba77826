"""What the scenarios do with librdkafka, through confluent-kafka: send, read to the end, and create topics that serve.

No scenario that starts from here needs a consumer group: `group.id` is only there because the Python client asks for one.
"""

import time
import uuid

from broker import HANG_SECONDS, PARTITIONS, Scenarios
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic


def produce(bootstrap, records, **settings):
    """Sends (topic, partition, key, value, headers), waits for all reports, and returns (error, message) in the order
    of the reports."""
    reports = []
    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    for topic, partition, key, value, headers in records:
        report = lambda error, message: reports.append((error, message))
        while True:
            try:
                producer.produce(topic, value, key, partition, on_delivery=report, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    left = producer.flush(HANG_SECONDS)
    assert left == 0, f"{left} records without a report"
    return reports


def consumer_of(bootstrap, **settings):
    """A consumer that commits nothing and tells where a partition ends."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"unused-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            # An end is told by an empty answer, so that should not be long in coming.
            "fetch.wait.max.ms": 20,
            **settings,
        }
    )


def read_to_the_end(bootstrap, topic, partitions, start=OFFSET_BEGINNING, **settings):
    """All records of the partitions from `start` to their present ends, as a list per partition."""
    consumer = consumer_of(bootstrap, **settings)
    try:
        consumer.assign([TopicPartition(topic, partition, start) for partition in partitions])
        records = {partition: [] for partition in partitions}
        ended = set()
        while len(ended) < len(records):
            message = consumer.poll(HANG_SECONDS)
            assert message is not None, f"nothing came for {HANG_SECONDS} s; ended: {ended}"
            if message.error() is None:
                records[message.partition()].append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
            else:
                raise KafkaException(message.error())
        return records
    finally:
        consumer.close()


class Confluent(Scenarios):
    """Scenarios of a program that uses confluent-kafka, against a broker that they share."""

    def setUp(self):
        super().setUp()
        self.bootstrap = self.broker.bootstrap
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap})

    def create(self, topic, partitions=PARTITIONS, replication_factor=1, **config):
        """Creates a topic by the admin client, and waits for the answer."""
        wanted = NewTopic(topic, partitions, replication_factor, config=config)
        self.admin.create_topics([wanted])[topic].result(HANG_SECONDS)
        if self.broker.name != "thalweg":
            # Kafka's answer runs ahead of its own broker; ours means that the partitions serve.
            self.settle(topic, partitions)
        return topic

    def settle(self, topic, partitions):
        """Asks for each partition's marks until its leader answers."""
        consumer = consumer_of(self.bootstrap)
        deadline = time.monotonic() + HANG_SECONDS
        for partition in range(partitions):
            while True:
                try:
                    consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=HANG_SECONDS)
                    break
                except KafkaException:
                    if time.monotonic() > deadline:
                        raise
                    # Else the client would go by what it knows already.
                    consumer.list_topics(topic, timeout=HANG_SECONDS)
        consumer.close()

    def refusal(self, call):
        """The error code with which a call is refused."""
        with self.assertRaises(KafkaException) as refused:
            call()
        return refused.exception.args[0].code()
