import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Members of groups, by name: each polls in a thread of its own, and tells what happens to it as `member.py` does.
 *
 * <p>An event is [member, [nanoseconds, what, generation, content]]. A partition is told by its number, and as TOPIC-NUMBER by a
 * member that subscribed to a pattern.
 */
final class Membership {
    private final String bootstrap;
    private final Map<String, Member> members = new HashMap<>();
    private final LinkedBlockingQueue<List<Object>> events = new LinkedBlockingQueue<>();

    Membership(String bootstrap, Map<String, Bridge.Call> calls) {
        this.bootstrap = bootstrap;
        calls.put("join", this::join);
        calls.put("events", arguments -> events());
        calls.put("leave", arguments -> members.remove(arguments.get("member").asText()).leave());
        calls.put("commit", arguments -> ask(arguments, consumer -> commit(consumer, arguments)));
        calls.put("committed", arguments -> ask(arguments, consumer -> committed(consumer, arguments)));
    }

    private interface Question {
        Object of(KafkaConsumer<byte[], byte[]> consumer) throws Exception;
    }

    private Object join(JsonNode arguments) {
        Map<String, Object> settings = Bridge.settings(bootstrap, arguments);
        settings.putIfAbsent("auto.offset.reset", "earliest");
        settings.putIfAbsent("enable.auto.commit", "false");
        Member member = new Member(arguments.get("member").asText(), arguments, settings);
        members.put(member.name, member);
        member.start();
        return null;
    }

    /** What has happened since it was asked last; waits a while for the first. */
    private Object events() throws InterruptedException {
        List<Object> happened = new ArrayList<>();
        List<Object> first = events.poll(1, TimeUnit.SECONDS);
        if (first != null) {
            happened.add(first);
            events.drainTo(happened);
        }
        return happened;
    }

    private Object ask(JsonNode arguments, Question question) throws Exception {
        return members.get(arguments.get("member").asText()).ask(question).get();
    }

    /** Commits one place, with a word on it. */
    private static Object commit(KafkaConsumer<byte[], byte[]> consumer, JsonNode arguments) {
        long offset = arguments.get("offset").asLong();
        consumer.commitSync(Map.of(place(arguments), new OffsetAndMetadata(offset, arguments.get("metadata").asText())));
        return null;
    }

    /** Offset and word of one place; null without a commit. */
    private static Object committed(KafkaConsumer<byte[], byte[]> consumer, JsonNode arguments) {
        OffsetAndMetadata found = consumer.committed(Set.of(place(arguments))).get(place(arguments));
        return found == null ? null : List.of(found.offset(), found.metadata());
    }

    private static TopicPartition place(JsonNode arguments) {
        return new TopicPartition(arguments.get("topic").asText(), arguments.get("partition").asInt());
    }

    private final class Member extends Thread implements ConsumerRebalanceListener {
        private final String name;
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final boolean manyTopics;
        private final LinkedBlockingQueue<Runnable> questions = new LinkedBlockingQueue<>();
        private final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();
        private volatile boolean leaving;

        Member(String name, JsonNode arguments, Map<String, Object> settings) {
            this.name = name;
            consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            manyTopics = arguments.has("pattern");
            if (manyTopics) {
                consumer.subscribe(Pattern.compile(arguments.get("pattern").asText()), this);
            } else {
                consumer.subscribe(List.of(arguments.get("topic").asText()), this);
            }
        }

        @Override
        public void run() {
            try {
                while (!leaving) {
                    // Not long, as questions wait for it: a wakeup would hit whatever the consumer does by then.
                    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                        TopicPartition place = new TopicPartition(record.topic(), record.partition());
                        String value = new String(record.value(), StandardCharsets.UTF_8);
                        tell("read", List.of(name(place), record.offset(), value));
                        uncommitted.put(place, new OffsetAndMetadata(record.offset() + 1));
                    }
                    commit();
                    for (Runnable question = questions.poll(); question != null; question = questions.poll()) {
                        question.run();
                    }
                }
            } catch (Throwable thrown) {
                tell("error", thrown.getClass().getSimpleName());
                uncommitted.clear();
            }
            consumer.close();
            tell("closed", null);
        }

        private void commit() {
            if (uncommitted.isEmpty()) {
                return;
            }
            List<Object> offsets = new ArrayList<>();
            uncommitted.forEach((place, offset) -> offsets.add(List.of(name(place), offset.offset())));
            try {
                consumer.commitSync(uncommitted);
            } catch (RebalanceInProgressException later) {
                tell("refused", later.getClass().getSimpleName());
                return;
            }
            uncommitted.clear();
            tell("committed", offsets);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            tell("assigned", names(partitions));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            commit();
            tell("revoked", names(partitions));
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            uncommitted.keySet().removeAll(partitions);
            tell("lost", names(partitions));
        }

        private List<Object> names(Collection<TopicPartition> partitions) {
            return partitions.stream().map(this::name).toList();
        }

        private Object name(TopicPartition place) {
            return manyTopics ? (Object) place.toString() : (Object) place.partition();
        }

        private void tell(String what, Object content) {
            List<Object> event = new ArrayList<>(List.of(System.nanoTime(), what, consumer.groupMetadata().generationId()));
            event.add(content);
            events.add(List.of(name, event));
        }

        /** Asks in the member's own thread, as a consumer allows no other. */
        CompletableFuture<Object> ask(Question question) {
            CompletableFuture<Object> answer = new CompletableFuture<>();
            questions.add(() -> {
                try {
                    answer.complete(question.of(consumer));
                } catch (Throwable thrown) {
                    answer.completeExceptionally(thrown);
                }
            });
            return answer;
        }

        Object leave() throws InterruptedException {
            leaving = true;
            join();
            return null;
        }
    }
}
