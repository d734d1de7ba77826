import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A call that does a list of steps on one consumer of one topic, and gives what each of them answered. */
final class Consumption {
    private final String bootstrap;

    Consumption(String bootstrap, Map<String, Bridge.Call> calls) {
        this.bootstrap = bootstrap;
        calls.put("consume", this::consume);
    }

    private Object consume(JsonNode arguments) {
        Map<String, Object> settings = Bridge.settings(bootstrap, arguments);
        settings.putIfAbsent("auto.offset.reset", "none");
        List<Object> answers = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            String topic = arguments.get("topic").asText();
            List<TopicPartition> all = new ArrayList<>();
            for (JsonNode partition : arguments.get("partitions")) {
                all.add(new TopicPartition(topic, partition.asInt()));
            }
            consumer.assign(all);
            for (JsonNode step : arguments.get("steps")) {
                answers.add(step(consumer, all, step));
            }
        }
        return answers;
    }

    /** A step is a list: what to do, and with what. A partition is named by its place in the assignment. */
    private static Object step(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> all, JsonNode step) {
        switch (step.get(0).asText()) {
            case "seek":
                consumer.seek(all.get(step.get(1).asInt()), step.get(2).asLong());
                return null;
            case "seekToBeginning":
                consumer.seekToBeginning(all);
                return null;
            case "seekToEnd":
                consumer.seekToEnd(all);
                return null;
            case "position":
                return consumer.position(all.get(step.get(1).asInt()));
            case "poll":
                return poll(consumer, step.get(1).asInt());
            case "beginningOffsets":
                return byPartition(consumer.beginningOffsets(all));
            case "endOffsets":
                return byPartition(consumer.endOffsets(all));
            case "offsetsForTimes":
                return forTimes(consumer, all, step.get(1).asLong());
            default:
                throw new IllegalArgumentException(step.toString());
        }
    }

    /** Polls until so many records have come; never, if they don't: the caller's patience is the bound. */
    private static Object poll(KafkaConsumer<byte[], byte[]> consumer, int count) {
        List<Object> got = new ArrayList<>();
        while (got.size() < count) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                Map<String, Object> read = new LinkedHashMap<>();
                read.put("partition", record.partition());
                read.put("offset", record.offset());
                read.put("timestamp", record.timestamp());
                read.put("key", text(record.key()));
                read.put("value", text(record.value()));
                List<Object> headers = new ArrayList<>();
                for (Header header : record.headers()) {
                    List<String> pair = new ArrayList<>();
                    pair.add(header.key());
                    pair.add(text(header.value()));
                    headers.add(pair);
                }
                read.put("headers", headers);
                got.add(read);
            }
        }
        return got;
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    private static Map<Integer, Long> byPartition(Map<TopicPartition, Long> offsets) {
        Map<Integer, Long> found = new TreeMap<>();
        offsets.forEach((place, offset) -> found.put(place.partition(), offset));
        return found;
    }

    private static Object forTimes(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> all, long time) {
        Map<TopicPartition, Long> wanted = new HashMap<>();
        all.forEach(place -> wanted.put(place, time));
        Map<Integer, Object> found = new TreeMap<>();
        Map<TopicPartition, OffsetAndTimestamp> answers = consumer.offsetsForTimes(wanted);
        all.forEach(place -> {
            OffsetAndTimestamp answer = answers.get(place);
            found.put(place.partition(), answer == null ? null : List.of(answer.offset(), answer.timestamp()));
        });
        return found;
    }
}
