import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Calls that produce. */
final class Production {
    private final String bootstrap;

    Production(String bootstrap, Map<String, Bridge.Call> calls) {
        this.bootstrap = bootstrap;
        calls.put("produce", this::produce);
        calls.put("numbers", this::numbers);
        calls.put("transaction", this::transaction);
    }

    private KafkaProducer<byte[], byte[]> producer(JsonNode arguments) {
        return new KafkaProducer<>(
                Bridge.settings(bootstrap, arguments), new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Sends records; for each, where it went, or how it was refused. */
    private Object produce(JsonNode arguments) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = producer(arguments)) {
            for (JsonNode record : arguments.get("records")) {
                sent.add(producer.send(record(arguments.get("topic").asText(), record)));
            }
        }
        List<Object> reports = new ArrayList<>();
        for (Future<RecordMetadata> future : sent) {
            try {
                RecordMetadata there = future.get();
                Map<String, Object> report = new LinkedHashMap<>();
                report.put("partition", there.partition());
                report.put("offset", there.offset());
                report.put("timestamp", there.timestamp());
                reports.add(report);
            } catch (Exception refused) {
                reports.add(Bridge.refusal(refused));
            }
        }
        return reports;
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, JsonNode record) {
        Integer partition = record.hasNonNull("partition") ? record.get("partition").asInt() : null;
        Long timestamp = record.hasNonNull("timestamp") ? record.get("timestamp").asLong() : null;
        ProducerRecord<byte[], byte[]> made =
                new ProducerRecord<>(topic, partition, timestamp, bytes(record.path("key")), bytes(record.path("value")));
        for (JsonNode header : record.path("headers")) {
            made.headers().add(header.get(0).asText(), bytes(header.get(1)));
        }
        return made;
    }

    private static byte[] bytes(JsonNode text) {
        return text.isTextual() ? text.asText().getBytes(StandardCharsets.UTF_8) : null;
    }

    /** Sends the numbers below `count` in turn to all partitions; how many were acknowledged, and the errors by kind. */
    private Object numbers(JsonNode arguments) throws Exception {
        int partitions = arguments.get("partitions").asInt();
        int[] acknowledged = {0};
        Map<String, Integer> errors = new TreeMap<>();
        try (KafkaProducer<byte[], byte[]> producer = producer(arguments)) {
            for (int number = 0; number < arguments.get("count").asInt(); number++) {
                byte[] value = String.valueOf(number).getBytes(StandardCharsets.UTF_8);
                String topic = arguments.get("topic").asText();
                // Reports come from the client's one thread, and the last before `close` returns.
                producer.send(new ProducerRecord<>(topic, number % partitions, null, value), (there, error) -> {
                    if (error == null) {
                        acknowledged[0]++;
                    } else {
                        errors.merge(error.getClass().getSimpleName(), 1, Integer::sum);
                    }
                });
            }
        }
        return Map.of("acknowledged", acknowledged[0], "errors", errors);
    }

    /** One committed transaction of one record. */
    private Object transaction(JsonNode arguments) {
        try (KafkaProducer<byte[], byte[]> producer = producer(arguments)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(arguments.get("topic").asText(), new byte[1]));
            producer.commitTransaction();
        }
        return null;
    }
}
