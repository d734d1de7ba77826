import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * The Java client, driven from outside: a call per line of standard input, its answer as a line of standard output.
 *
 * <p>A call is {"call": NAME, ...}; the answer is {"value": ...}, or {"error": the exception's class, "message": ...}. What has
 * to hold is for the scenarios in Python to say; here is only what a program would call.
 */
final class Bridge {
    /** What a name calls. */
    interface Call {
        Object with(JsonNode arguments) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        // What the client logs is no answer.
        System.setOut(System.err);
        ObjectMapper json = new ObjectMapper();
        Map<String, Call> calls = new HashMap<>();
        Administration administration = new Administration(arguments[0], calls);
        new Production(arguments[0], calls);
        new Consumption(arguments[0], calls);
        new Membership(arguments[0], calls);
        new GroupAdministration(administration.admin, calls);

        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode call = json.readTree(line);
            answers.println(json.writeValueAsString(answer(calls.get(call.get("call").asText()), call)));
            answers.flush();
        }
        administration.close();
    }

    static Map<String, Object> answer(Call call, JsonNode arguments) {
        Map<String, Object> answer = new LinkedHashMap<>();
        try {
            answer.put("value", call.with(arguments));
        } catch (Throwable thrown) {
            answer.putAll(refusal(thrown));
        }
        return answer;
    }

    /** An exception as a program sees it: the cause, where a future has wrapped it. */
    static Map<String, Object> refusal(Throwable thrown) {
        Throwable cause = thrown;
        while ((cause instanceof ExecutionException || cause instanceof CompletionException) && cause.getCause() != null) {
            cause = cause.getCause();
        }
        Map<String, Object> refusal = new LinkedHashMap<>();
        refusal.put("error", cause.getClass().getSimpleName());
        refusal.put("message", String.valueOf(cause.getMessage()));
        return refusal;
    }

    /** A client's settings: those of the call, behind the broker's address. */
    static Map<String, Object> settings(String bootstrap, JsonNode arguments) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrap);
        JsonNode given = arguments.path("settings");
        given.fieldNames().forEachRemaining(name -> settings.put(name, given.get(name).asText()));
        return settings;
    }
}
