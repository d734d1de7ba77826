import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/** Calls of the admin client: one resource each, so that an answer or an exception is about it. */
final class Administration implements AutoCloseable {
    final Admin admin;

    Administration(String bootstrap, Map<String, Bridge.Call> calls) {
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        calls.put("createTopic", this::createTopic);
        calls.put("deleteTopic", this::deleteTopic);
        calls.put("deleteTopicById", this::deleteTopicById);
        calls.put("listTopics", arguments -> new ArrayList<>(admin.listTopics().names().get()));
        calls.put("describeTopic", this::describeTopic);
        calls.put("describeTopicById", this::describeTopicById);
        calls.put("describeCluster", this::describeCluster);
        calls.put("describeConfigs", this::describeConfigs);
        calls.put("alterConfig", this::alterConfig);
        calls.put("createPartitions", this::createPartitions);
        calls.put("deleteRecords", this::deleteRecords);
        calls.put("listOffsets", this::listOffsets);
    }

    @Override
    public void close() {
        admin.close();
    }

    private Object createTopic(JsonNode arguments) throws Exception {
        String name = arguments.get("topic").asText();
        short replicas = (short) arguments.path("replicas").asInt(-1);
        NewTopic wanted = new NewTopic(name, arguments.path("partitions").asInt(-1), replicas);
        Map<String, String> configs = new HashMap<>();
        JsonNode given = arguments.path("configs");
        given.fieldNames().forEachRemaining(setting -> configs.put(setting, given.get(setting).asText()));
        wanted.configs(configs);
        CreateTopicsOptions options = new CreateTopicsOptions().validateOnly(arguments.path("validateOnly").asBoolean());
        CreateTopicsResult created = admin.createTopics(List.of(wanted), options);
        created.all().get();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("id", created.topicId(name).get().toString());
        answer.put("partitions", created.numPartitions(name).get());
        answer.put("replicas", created.replicationFactor(name).get());
        answer.put("configs", configs(created.config(name).get()));
        return answer;
    }

    private Object deleteTopic(JsonNode arguments) throws Exception {
        return admin.deleteTopics(List.of(arguments.get("topic").asText())).all().get();
    }

    private Object deleteTopicById(JsonNode arguments) throws Exception {
        List<Uuid> ids = List.of(Uuid.fromString(arguments.get("id").asText()));
        return admin.deleteTopics(TopicCollection.ofTopicIds(ids)).all().get();
    }

    private Object describeTopic(JsonNode arguments) throws Exception {
        String name = arguments.get("topic").asText();
        return description(admin.describeTopics(List.of(name)).allTopicNames().get().get(name));
    }

    private Object describeTopicById(JsonNode arguments) throws Exception {
        Uuid id = Uuid.fromString(arguments.get("id").asText());
        return description(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id));
    }

    private static Object description(TopicDescription topic) {
        List<Object> partitions = new ArrayList<>();
        for (TopicPartitionInfo partition : topic.partitions()) {
            Map<String, Object> described = new LinkedHashMap<>();
            described.put("partition", partition.partition());
            described.put("leader", partition.leader().id());
            described.put("replicas", partition.replicas().stream().map(node -> node.id()).toList());
            described.put("isr", partition.isr().stream().map(node -> node.id()).toList());
            // Null without eligible leader replicas (Metadata), empty with none (DescribeTopicPartitions).
            described.put("elr", partition.elr() == null ? null : partition.elr().size());
            partitions.add(described);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("name", topic.name());
        answer.put("id", topic.topicId().toString());
        answer.put("internal", topic.isInternal());
        answer.put("partitions", partitions);
        return answer;
    }

    private Object describeCluster(JsonNode arguments) throws Exception {
        DescribeClusterResult cluster = admin.describeCluster();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("id", cluster.clusterId().get());
        answer.put("controller", cluster.controller().get().id());
        List<Object> nodes = new ArrayList<>();
        cluster.nodes().get().forEach(node -> nodes.add(Map.of("id", node.id(), "address", node.host() + ":" + node.port())));
        answer.put("nodes", nodes);
        return answer;
    }

    private static ConfigResource resource(JsonNode arguments) {
        if (arguments.has("broker")) {
            return new ConfigResource(ConfigResource.Type.BROKER, arguments.get("broker").asText());
        }
        return new ConfigResource(ConfigResource.Type.TOPIC, arguments.get("topic").asText());
    }

    private Object describeConfigs(JsonNode arguments) throws Exception {
        DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        ConfigResource resource = resource(arguments);
        return configs(admin.describeConfigs(List.of(resource), options).all().get().get(resource));
    }

    private static Map<String, Object> configs(Config config) {
        Map<String, Object> found = new TreeMap<>();
        for (ConfigEntry entry : config.entries()) {
            List<Object> synonyms = new ArrayList<>();
            entry.synonyms().forEach(synonym ->
                    synonyms.add(List.of(synonym.name(), String.valueOf(synonym.value()), synonym.source().name())));
            Map<String, Object> described = new LinkedHashMap<>();
            described.put("value", entry.value());
            described.put("source", entry.source().name());
            // The answer of CreateTopics tells no types.
            described.put("type", entry.type() == null ? null : entry.type().name());
            described.put("readOnly", entry.isReadOnly());
            described.put("sensitive", entry.isSensitive());
            described.put("synonyms", synonyms);
            described.put("documented", entry.documentation() != null && !entry.documentation().isEmpty());
            found.put(entry.name(), described);
        }
        return found;
    }

    private Object alterConfig(JsonNode arguments) throws Exception {
        List<AlterConfigOp> changes = new ArrayList<>();
        for (JsonNode change : arguments.get("changes")) {
            String value = change.get(2).isNull() ? null : change.get(2).asText();
            AlterConfigOp.OpType operation = AlterConfigOp.OpType.valueOf(change.get(1).asText());
            changes.add(new AlterConfigOp(new ConfigEntry(change.get(0).asText(), value), operation));
        }
        AlterConfigsOptions options = new AlterConfigsOptions().validateOnly(arguments.path("validateOnly").asBoolean());
        return admin.incrementalAlterConfigs(Map.of(resource(arguments), changes), options).all().get();
    }

    private Object createPartitions(JsonNode arguments) throws Exception {
        CreatePartitionsOptions options =
                new CreatePartitionsOptions().validateOnly(arguments.path("validateOnly").asBoolean());
        NewPartitions wanted = NewPartitions.increaseTo(arguments.get("count").asInt());
        if (arguments.has("assignments")) {
            List<List<Integer>> assignments = new ArrayList<>();
            for (JsonNode replicas : arguments.get("assignments")) {
                List<Integer> nodes = new ArrayList<>();
                replicas.forEach(node -> nodes.add(node.asInt()));
                assignments.add(nodes);
            }
            wanted = NewPartitions.increaseTo(arguments.get("count").asInt(), assignments);
        }
        return admin.createPartitions(Map.of(arguments.get("topic").asText(), wanted), options).all().get();
    }

    private static TopicPartition place(JsonNode arguments) {
        return new TopicPartition(arguments.get("topic").asText(), arguments.get("partition").asInt());
    }

    private Object deleteRecords(JsonNode arguments) throws Exception {
        RecordsToDelete before = RecordsToDelete.beforeOffset(arguments.get("offset").asLong());
        return admin.deleteRecords(Map.of(place(arguments), before)).lowWatermarks().get(place(arguments)).get().lowWatermark();
    }

    private Object listOffsets(JsonNode arguments) throws Exception {
        ListOffsetsResultInfo found =
                admin.listOffsets(Map.of(place(arguments), spec(arguments.get("spec")))).partitionResult(place(arguments)).get();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("offset", found.offset());
        answer.put("timestamp", found.timestamp());
        answer.put("epoch", found.leaderEpoch().orElse(null));
        return answer;
    }

    private static OffsetSpec spec(JsonNode spec) {
        switch (spec.asText()) {
            case "earliest":
                return OffsetSpec.earliest();
            case "latest":
                return OffsetSpec.latest();
            case "maxTimestamp":
                return OffsetSpec.maxTimestamp();
            case "earliestLocal":
                return OffsetSpec.earliestLocal();
            case "latestTiered":
                return OffsetSpec.latestTiered();
            case "earliestPendingUpload":
                return OffsetSpec.earliestPendingUpload();
            default:
                return OffsetSpec.forTimestamp(spec.asLong());
        }
    }
}
