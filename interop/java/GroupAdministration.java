import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;

/** Calls of the admin client about one group. */
final class GroupAdministration {
    private final Admin admin;

    GroupAdministration(Admin admin, Map<String, Bridge.Call> calls) {
        this.admin = admin;
        calls.put("listGroups", this::list);
        calls.put("describeGroup", this::describe);
        calls.put("groupOffsets", this::offsets);
        calls.put("alterGroupOffset", this::alter);
        calls.put("deleteGroupOffset", arguments ->
                admin.deleteConsumerGroupOffsets(group(arguments), Set.of(place(arguments))).all().get());
        calls.put("deleteGroup", arguments -> admin.deleteConsumerGroups(List.of(group(arguments))).all().get());
        calls.put("removeMembers", this::remove);
    }

    private static String group(JsonNode arguments) {
        return arguments.get("group").asText();
    }

    private static TopicPartition place(JsonNode arguments) {
        return new TopicPartition(arguments.get("topic").asText(), arguments.get("partition").asInt());
    }

    /** States by group, of those in the states that were asked for, or of all. */
    private Object list(JsonNode arguments) throws Exception {
        Set<GroupState> states = new HashSet<>();
        arguments.path("states").forEach(state -> states.add(GroupState.parse(state.asText())));
        Map<String, String> found = new TreeMap<>();
        admin.listGroups(ListGroupsOptions.forConsumerGroups().inGroupStates(states)).all().get()
                .forEach(group -> found.put(group.groupId(), group.groupState().map(GroupState::toString).orElse(null)));
        return found;
    }

    private Object describe(JsonNode arguments) throws Exception {
        ConsumerGroupDescription group =
                admin.describeConsumerGroups(List.of(group(arguments))).all().get().get(group(arguments));
        List<Object> members = new ArrayList<>();
        for (MemberDescription member : group.members()) {
            Map<String, Object> described = new LinkedHashMap<>();
            described.put("client", member.clientId());
            described.put("instance", member.groupInstanceId().orElse(null));
            described.put("host", member.host());
            described.put("partitions", member.assignment().topicPartitions().stream().map(Object::toString).sorted().toList());
            members.add(described);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("state", group.groupState().toString());
        answer.put("type", group.type().toString());
        answer.put("assignor", group.partitionAssignor());
        answer.put("coordinator", group.coordinator().host() + ":" + group.coordinator().port());
        answer.put("members", members);
        return answer;
    }

    private Object offsets(JsonNode arguments) throws Exception {
        Map<String, Object> found = new TreeMap<>();
        admin.listConsumerGroupOffsets(group(arguments)).partitionsToOffsetAndMetadata().get()
                .forEach((place, offset) ->
                        found.put(place.toString(), offset == null ? null : List.of(offset.offset(), offset.metadata())));
        return found;
    }

    private Object alter(JsonNode arguments) throws Exception {
        OffsetAndMetadata offset =
                new OffsetAndMetadata(arguments.get("offset").asLong(), arguments.path("metadata").asText(""));
        return admin.alterConsumerGroupOffsets(group(arguments), Map.of(place(arguments), offset)).all().get();
    }

    /** The static member of a name, or all members. */
    private Object remove(JsonNode arguments) throws Exception {
        RemoveMembersFromConsumerGroupOptions options = arguments.has("instance")
                ? new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove(arguments.get("instance").asText())))
                : new RemoveMembersFromConsumerGroupOptions();
        return admin.removeMembersFromConsumerGroup(group(arguments), options).all().get();
    }
}
