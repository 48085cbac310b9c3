package dev.kvant.distribution;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The pages of docs/reference, made from what an unpacked distribution says of itself. {@code
 * .ci/reference} writes them; this file is run as it is, so it uses Gson and nothing else.
 */
final class Reference {

  private static final Pattern COMMAND = Pattern.compile("(?m)^ {2}([a-z]+) ");
  private static final String REMARK = "<!-- Written by .ci/reference; do not change it here. -->";

  private final Path command;

  private Reference(Path home) {
    this.command = home.resolve("bin/kvant");
  }

  /**
   * Writes the pages.
   *
   * @param arguments the unpacked distribution, and the folder for the pages
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path folder = Path.of(arguments[1]);
    Files.createDirectories(folder);
    for (Map.Entry<String, String> page : pages(Path.of(arguments[0])).entrySet()) {
      Files.writeString(folder.resolve(page.getKey()), page.getValue());
    }
  }

  /** The text of each page, by the name of its file. */
  static Map<String, String> pages(Path home) throws IOException, InterruptedException {
    var reference = new Reference(home);
    Map<String, String> pages = new LinkedHashMap<>();
    pages.put("commands.md", reference.commands());
    pages.put("backends.md", reference.backends());
    return pages;
  }

  private String commands() throws IOException, InterruptedException {
    String all = run("--help");
    var page = new StringBuilder();
    page.append(
        """
        # Commands

        %s

        What each command prints as its help. [Command line](../cli.md) describes output, exit codes
        and environment.

        ## kvant

        """
            .formatted(REMARK));
    listing(page, all);
    String names = all.substring(all.indexOf("\nCommands:"), all.indexOf("\nExit codes:"));
    for (String name : COMMAND.matcher(names).results().map(it -> it.group(1)).toList()) {
      if (!name.equals("help")) {
        page.append("\n## ").append(name).append("\n\n");
        listing(page, run(name, "--help"));
      }
    }
    return page.toString();
  }

  private static void listing(StringBuilder page, String text) {
    page.append("```\n").append(text.strip()).append("\n```\n");
  }

  private String backends() throws IOException, InterruptedException {
    var page = new StringBuilder();
    page.append(
        """
        # Backends

        %s

        What each backend of the distribution offers, from its descriptor. `kvant backends` prints
        it for the backends that are installed. In one rule of a spec, `granularity` chooses which
        values share a scale, see [granularity](../configuration.md#granularity).
        """
            .formatted(REMARK));
    JsonObject installed =
        JsonParser.parseString(run("backends", "--format", "json")).getAsJsonObject();
    for (JsonElement element : installed.getAsJsonArray("backends")) {
      backend(page, element.getAsJsonObject());
    }
    return page.toString();
  }

  private static void backend(StringBuilder page, JsonObject backend) {
    page.append("\n## ").append(text(backend, "id")).append("\n\n");
    row(page, "", text(backend, "description"));
    row(page, "-", "-");
    fact(page, backend, "reads", "formats");
    fact(page, backend, "writes", "artifacts");
    fact(page, backend, "beside them", "side_files");
    fact(page, backend, "also called", "aliases");

    page.append('\n');
    row(page, "`mode`", "weights", "activations", "`algorithm`");
    row(page, "-", "-", "-", "-");
    for (Map.Entry<String, JsonElement> entry : backend.getAsJsonObject("modes").entrySet()) {
      JsonObject mode = entry.getValue().getAsJsonObject();
      row(
          page,
          "`" + entry.getKey() + "`",
          operand(mode, "weights", "weight_granularities"),
          operand(mode, "activations", "activation_granularities"),
          codes(mode, "algorithms"));
    }

    JsonArray options = backend.getAsJsonArray("options");
    if (!options.isEmpty()) {
      page.append('\n');
      row(page, "`backend_kwargs`", "value", "default", "meaning");
      row(page, "-", "-", "-", "-");
    }
    for (JsonElement element : options) {
      JsonObject option = element.getAsJsonObject();
      String standard = text(option, "default");
      row(
          page,
          "`" + text(option, "key") + "`",
          values(option),
          standard.isEmpty() ? "" : "`" + standard + "`",
          text(option, "description"));
    }
  }

  private static void fact(StringBuilder page, JsonObject backend, String name, String key) {
    String value = codes(backend, key);
    if (!value.isEmpty()) {
      row(page, name, value);
    }
  }

  private static String values(JsonObject option) {
    String allowed = codes(option, "allowed");
    String type = text(option, "type");
    if (allowed.isEmpty()) {
      return type.replace('_', ' ');
    }
    return type.equals("number_or_word") ? "number, " + allowed : allowed;
  }

  /** The dtypes of an operand, and which of its values share a scale. */
  private static String operand(JsonObject mode, String dtypes, String granularities) {
    String supported = codes(mode, dtypes);
    String shared = codes(mode, granularities);
    if (supported.isEmpty()) {
      return "native";
    }
    return shared.isEmpty() ? supported : supported + "; `granularity`: " + shared;
  }

  private static void row(StringBuilder page, String... cells) {
    page.append('|');
    for (String cell : cells) {
      switch (cell) {
        case "" -> page.append(" |");
        case "-" -> page.append("---|");
        default -> page.append(' ').append(cell.replace("|", "\\|")).append(" |");
      }
    }
    page.append('\n');
  }

  private static String text(JsonObject object, String key) {
    return object.get(key).getAsString();
  }

  private static String codes(JsonObject object, String key) {
    List<String> codes = new ArrayList<>();
    object.getAsJsonArray(key).forEach(it -> codes.add("`" + it.getAsString() + "`"));
    return String.join(", ", codes);
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(command.toString()));
    words.addAll(List.of(arguments));
    var builder = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().keySet().removeAll(List.of("COLUMNS", "KVANT_PLUGINS"));
    builder.environment().put("LC_ALL", "C.UTF-8");
    builder.environment().put("NO_COLOR", "1");
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(words + " ended with " + process.exitValue());
    }
    return out;
  }
}
