import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Asks Kafka's own assignors to share out partitions, and writes down what they are asked and what they answer:
 * `fixtures/assignors`, whose README says what a line holds and how to run this.
 *
 * <p>A story is a group in which members come, leave, change their mind, and miss rounds, while topics come, grow and go. All is
 * drawn from one seed, so that the same Kafka writes the same files.
 */
final class Assignments {
    private static final long SEED = 20_240_229;
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Random dice = new Random(SEED);
        try (PrintWriter lines = lines(folder, "plain")) {
            for (int story = 0; story < 110; story++) {
                lines.println(JSON.writeValueAsString(new Story(dice, story).plain()));
            }
        }
        for (String assignor : List.of("sticky", "cooperative-sticky")) {
            try (PrintWriter lines = lines(folder, assignor)) {
                for (int story = 0; story < 50; story++) {
                    for (Object line : new Story(dice, story).rounds(assignor)) {
                        lines.println(JSON.writeValueAsString(line));
                    }
                }
            }
        }
        try (PrintWriter lines = lines(folder, "user-data")) {
            for (Object line : userData()) {
                lines.println(JSON.writeValueAsString(line));
            }
        }
    }

    private static PrintWriter lines(Path folder, String name) throws IOException {
        return new PrintWriter(Files.newBufferedWriter(folder.resolve(name + ".jsonl")));
    }

    /** One who is in the group: what it reads, and what it was given when it last heard of the group. */
    private static final class Member {
        final String id;
        final String instance;
        Set<String> topics;
        Collection<TopicPartition> owned = List.of();
        int generation = -1;

        Member(String id, String instance, Set<String> topics) {
            this.id = id;
            this.instance = instance;
            this.topics = topics;
        }

        Map<String, Object> told() {
            Map<String, Object> told = new LinkedHashMap<>();
            told.put("id", id);
            if (instance != null) {
                told.put("instance", instance);
            }
            told.put("topics", topics);
            if (generation >= 0) {
                told.put("generation", generation);
                told.put("owned", byTopic(owned));
            }
            return told;
        }

        /** As it would be sent, in which the sticky assignor finds what is owned in a place of its own. */
        @SuppressWarnings("removal")
        Subscription subscription(ConsumerPartitionAssignor assignor) {
            if (generation >= 0) {
                assignor.onAssignment(
                        new Assignment(new ArrayList<>(owned)), new ConsumerGroupMetadata("group", generation, id, Optional.empty()));
            }
            ByteBuffer data = assignor.subscriptionUserData(topics);
            Subscription subscription =
                    new Subscription(new ArrayList<>(topics), data, new ArrayList<>(owned), generation, Optional.empty());
            subscription.setGroupInstanceId(Optional.ofNullable(instance));
            return subscription;
        }
    }

    private static final class Story {
        private final Random dice;
        private final Map<String, Integer> partitions = new TreeMap<>();
        private final Map<String, Member> members = new TreeMap<>();
        private final boolean isUniform;
        private final boolean isStatic;
        private int born = 0;
        private int generation = 0;

        Story(Random dice, int number) {
            this.dice = dice;
            isUniform = number % 2 == 0;
            isStatic = dice.nextInt(3) == 0;
            boolean isLarge = number % 10 >= 8;
            for (int topic = 0; topic < (isLarge ? 6 : 1 + dice.nextInt(5)); topic++) {
                partitions.put("t" + topic, 1 + dice.nextInt(isLarge ? 14 : 7));
            }
            for (int member = 0; member < (isLarge ? 10 : 1 + dice.nextInt(6)); member++) {
                join();
            }
        }

        /** Everyone new, by the assignors that remember nothing. */
        Map<String, Object> plain() {
            Map<String, Object> line = asked();
            line.put("range", share("range"));
            line.put("roundrobin", share("roundrobin"));
            return line;
        }

        /** One round after the other, each told what the last one gave. */
        List<Object> rounds(String assignor) {
            List<Object> lines = new ArrayList<>();
            for (int round = 0; round < 4; round++) {
                Map<String, Object> line = asked();
                Map<String, List<TopicPartition>> shared = shared(assignor);
                line.put("assigned", told(shared));
                lines.add(line);
                take(shared);
                happen();
            }
            return lines;
        }

        private Map<String, Object> asked() {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("partitions", new TreeMap<>(partitions));
            line.put("members", members.values().stream().map(Member::told).toList());
            return line;
        }

        private Object share(String assignor) {
            return told(shared(assignor));
        }

        private Map<String, List<TopicPartition>> shared(String name) {
            Map<String, Subscription> subscriptions = new HashMap<>();
            members.values().forEach(member -> subscriptions.put(member.id, member.subscription(assignor(name))));
            Map<String, List<TopicPartition>> shared = new TreeMap<>();
            assignor(name)
                    .assign(cluster(), new GroupSubscription(subscriptions))
                    .groupAssignment()
                    .forEach((member, assignment) -> shared.put(member, assignment.partitions()));
            return shared;
        }

        private Cluster cluster() {
            Node node = new Node(0, "", 0);
            Node[] nodes = {node};
            List<PartitionInfo> all = new ArrayList<>();
            partitions.forEach((topic, count) -> {
                for (int partition = 0; partition < count; partition++) {
                    all.add(new PartitionInfo(topic, partition, node, nodes, nodes));
                }
            });
            return new Cluster("cluster", List.of(node), all, Set.of(), Set.of());
        }

        /** The members take what they are given; now and then one misses it. */
        private void take(Map<String, List<TopicPartition>> shared) {
            generation++;
            for (Member member : members.values()) {
                if (dice.nextInt(12) > 0) {
                    member.owned = shared.get(member.id);
                    member.generation = generation;
                }
            }
        }

        private void happen() {
            switch (dice.nextInt(7)) {
                case 0, 1 -> join();
                case 2, 3 -> leave();
                case 4 -> change();
                case 5 -> claim();
                default -> partitions.computeIfPresent(topic(), (topic, count) -> count + 1 + dice.nextInt(4));
            }
            if (dice.nextInt(4) == 0) {
                leave();
                join();
            }
        }

        private void join() {
            String id = String.format("%x-%d", dice.nextInt(16), born);
            String instance = isStatic && dice.nextInt(3) > 0 ? String.format("i%x-%d", dice.nextInt(16), born) : null;
            born++;
            members.put(id, new Member(id, instance, topics()));
        }

        private void leave() {
            if (members.size() > 1) {
                members.remove(List.copyOf(members.keySet()).get(dice.nextInt(members.size())));
            }
        }

        /** Somebody subscribes to other topics, or a topic goes, or comes. */
        private void change() {
            if (!isUniform) {
                members.values().iterator().next().topics = topics();
            } else if (partitions.size() > 1 && dice.nextBoolean()) {
                partitions.remove(topic());
            }
        }

        /** Somebody says that it has a partition, whoever has it. */
        private void claim() {
            Member member = members.values().iterator().next();
            String topic = topic();
            Set<TopicPartition> owned = new HashSet<>(member.owned);
            owned.add(new TopicPartition(topic, dice.nextInt(partitions.get(topic))));
            member.owned = owned;
        }

        private String topic() {
            return List.copyOf(partitions.keySet()).get(dice.nextInt(partitions.size()));
        }

        /** All topics, or some; one of them may not be there. */
        private Set<String> topics() {
            if (isUniform) {
                return members.isEmpty() ? new TreeSet<>(partitions.keySet()) : members.values().iterator().next().topics;
            }
            List<String> all = new ArrayList<>(partitions.keySet());
            all.add("none");
            Collections.shuffle(all, dice);
            return new TreeSet<>(all.subList(0, 1 + dice.nextInt(all.size())));
        }
    }

    /** What members send besides: nothing at first, then what they were given. */
    private static List<Object> userData() {
        List<Object> lines = new ArrayList<>();
        List<List<TopicPartition>> all = List.of(
                List.of(), List.of(new TopicPartition("a", 0)), List.of(new TopicPartition("b", 1), new TopicPartition("b", 3)),
                List.of(new TopicPartition("a", 0), new TopicPartition("a", 2), new TopicPartition("topic", 70_000)));
        for (String name : List.of("range", "roundrobin", "sticky", "cooperative-sticky")) {
            lines.add(userData(name, List.of(), -1));
            for (int each = 0; each < all.size(); each++) {
                lines.add(userData(name, all.get(each), each * 300));
            }
        }
        return lines;
    }

    private static Map<String, Object> userData(String name, List<TopicPartition> owned, int generation) {
        Member member = new Member("m", null, Set.of("a"));
        member.owned = owned;
        member.generation = generation;
        ByteBuffer data = member.subscription(assignor(name)).userData();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("assignor", name);
        if (generation >= 0) {
            line.put("generation", generation);
            line.put("owned", byTopic(owned));
        }
        line.put("userData", data == null ? null : HexFormat.of().formatHex(data.array()));
        return line;
    }

    private static ConsumerPartitionAssignor assignor(String name) {
        return switch (name) {
            case "range" -> new RangeAssignor();
            case "roundrobin" -> new RoundRobinAssignor();
            case "sticky" -> new StickyAssignor();
            default -> new CooperativeStickyAssignor();
        };
    }

    private static Object told(Map<String, List<TopicPartition>> shared) {
        Map<String, Object> told = new TreeMap<>();
        shared.forEach((member, owned) -> told.put(member, byTopic(owned)));
        return told;
    }

    private static Map<String, Set<Integer>> byTopic(Collection<TopicPartition> partitions) {
        Map<String, Set<Integer>> topics = new TreeMap<>();
        partitions.forEach(each -> topics.computeIfAbsent(each.topic(), topic -> new TreeSet<>()).add(each.partition()));
        return topics;
    }
}
