package dev.kvant.backend.gguf.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.gguf.GgufEntry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The tokenizer beside a checkpoint as metadata: tokens, merges, special tokens, chat template. */
final class Tokenizer {

  private static final int NORMAL = 1;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;

  /** Scores of tokens that SentencePiece itself does not have. */
  private static final float ADDED_SCORE = -1000;

  private static final float UNUSED_SCORE = -10_000;

  private static final Set<String> SPECIAL = Set.of("<pad>", "<mask>", "<2mass>", "[@BOS@]");

  /** What llama.cpp calls a special token, by its name in {@code tokenizer_config.json}. */
  private static final Map<String, String> ROLES =
      Map.of(
          "bos", "bos",
          "eos", "eos",
          "unk", "unknown",
          "sep", "seperator",
          "pad", "padding",
          "cls", "cls",
          "mask", "mask",
          "eot", "eot");

  private final Path folder;
  private final int size;
  private final Metadata metadata;
  private final JsonObject config;
  private final JsonObject json;
  private final String[] tokens;
  private final int[] types;
  private final float[] scores;

  private Tokenizer(Path folder, JsonObject config, int size, Metadata metadata) {
    this.folder = folder;
    this.size = size;
    this.metadata = metadata;
    this.config = config;
    this.json = Json.read(folder.resolve("tokenizer.json")).orElseGet(JsonObject::new);
    this.tokens = new String[size];
    this.types = new int[size];
    this.scores = new float[size];
    Arrays.setAll(tokens, "[PAD%d]"::formatted);
    Arrays.fill(types, UNUSED);
    Arrays.fill(scores, UNUSED_SCORE);
  }

  /**
   * Adds what is in a folder.
   *
   * @param config the content of {@code config.json}
   * @param size how many rows the table of embeddings has; the vocabulary is extended to it
   * @throws UnsupportedModelException if there is no tokenizer that can be converted
   */
  static void add(Path folder, JsonObject config, int size, Metadata metadata) {
    new Tokenizer(folder, config, size, metadata).add();
  }

  private void add() {
    JsonObject model = Json.object(json, "model").orElseGet(JsonObject::new);
    String type = Json.text(model, "type").orElse("");
    Path pieces = folder.resolve("tokenizer.model");
    Path words = folder.resolve("vocab.txt");
    if (type.equals("WordPiece") || (json.isEmpty() && Files.isRegularFile(words))) {
      addWordPiece(model, words);
    } else if (type.equals("BPE") && isOfBytes()) {
      addBytePairs(model);
    } else if (Files.isRegularFile(pieces)) {
      addPieces(pieces);
    } else {
      throw new UnsupportedModelException(
          "%s has no tokenizer that can be converted%s; it needs tokenizer.json with the model BPE of bytes or WordPiece, vocab.txt, or tokenizer.model of SentencePiece"
              .formatted(folder, type.isEmpty() ? "" : " (its tokenizer.json has " + type + ")"));
    }
    addSpecialTokens();
  }

  private boolean isOfBytes() {
    return json.get("pre_tokenizer") != null
        && json.get("pre_tokenizer").toString().contains("\"ByteLevel\"");
  }

  private void addBytePairs(JsonObject model) {
    Json.object(model, "vocab")
        .ifPresent(
            vocabulary ->
                vocabulary.asMap().forEach((token, id) -> put(id.getAsInt(), token, NORMAL, 0)));
    putAdded(0);
    addTokens("gpt2", preTokenizer());
    List<String> merges = new ArrayList<>();
    for (JsonElement merge :
        Json.member(model, "merges").orElseGet(JsonArray::new).getAsJsonArray()) {
      merges.add(
          merge.isJsonArray()
              ? escaped(merge.getAsJsonArray().get(0))
                  + " "
                  + escaped(merge.getAsJsonArray().get(1))
              : merge.getAsString());
    }
    metadata.add(GgufEntry.ofTexts("tokenizer.ggml.merges", merges));
  }

  /** A blank within a part of a merge is written as its byte is in tokens. */
  private static String escaped(JsonElement part) {
    return part.getAsString().replace(' ', '\u0120');
  }

  /** What llama.cpp calls the expression that splits text into words. */
  private String preTokenizer() {
    String splits = "";
    JsonObject pre = Json.object(json, "pre_tokenizer").orElseGet(JsonObject::new);
    JsonArray steps = new JsonArray();
    Json.member(pre, "pretokenizers")
        .ifPresentOrElse(each -> steps.addAll(each.getAsJsonArray()), () -> steps.add(pre));
    for (JsonElement step : steps) {
      Optional<String> regex = Json.object(step, "pattern").flatMap(it -> Json.text(it, "Regex"));
      boolean isPlain =
          Json.text(step, "type").orElse("").equals("ByteLevel")
              && Json.truth(step, "use_regex").orElse(true);
      splits += regex.orElse(isPlain ? "ByteLevel" : "");
    }
    String found = splits;
    Map<String, String> known = Json.texts(Json.resource("pre_tokenizers.json"));
    return Optional.ofNullable(known.get(found))
        .orElseThrow(
            () ->
                new UnsupportedModelException(
                    "%s splits text by an unknown expression: %s; convert the checkpoint with llama.cpp's convert_hf_to_gguf.py, then quantize the GGUF file"
                        .formatted(folder.resolve("tokenizer.json"), found)));
  }

  private void addWordPiece(JsonObject model, Path words) {
    if (json.isEmpty()) {
      try {
        int id = 0;
        for (String token : Files.readAllLines(words, StandardCharsets.UTF_8)) {
          put(id++, token, token.matches("\\[.+]") ? CONTROL : NORMAL, 0);
        }
      } catch (IOException e) {
        throw new ModelFormatException("%s cannot be read: %s".formatted(words, e), e);
      }
    }
    Json.object(model, "vocab")
        .ifPresent(
            vocabulary ->
                vocabulary.asMap().forEach((token, id) -> put(id.getAsInt(), token, NORMAL, 0)));
    putAdded(0);
    for (int id = 0; id < size; id++) {
      String token = tokens[id];
      if (token.startsWith("##")) {
        tokens[id] = token.substring(2);
      } else if (!token.matches("(?s)\\[.*]")) {
        tokens[id] = "\u2581" + token;
      }
    }
    metadata.add(
        GgufEntry.of(
            "tokenizer.ggml.token_type_count",
            Json.number(config, "type_vocab_size").orElse(1).intValue()));
    addTokens("bert", "default");
  }

  private void addPieces(Path file) {
    int id = 0;
    SentencePieces vocabulary = SentencePieces.read(file);
    for (SentencePieces.Piece piece : vocabulary.pieces()) {
      put(id++, piece.text(), piece.type(), piece.score());
    }
    Json.read(folder.resolve("added_tokens.json"))
        .ifPresent(
            added ->
                added
                    .asMap()
                    .forEach(
                        (token, number) ->
                            put(number.getAsInt(), token, USER_DEFINED, ADDED_SCORE)));
    putAdded(ADDED_SCORE);
    addTokens("llama", "default");
    metadata
        .add(GgufEntry.of("tokenizer.ggml.scores", scores))
        .add(GgufEntry.of("tokenizer.ggml.add_space_prefix", vocabulary.addsPrefix()));
  }

  /** The tokens that were added to a vocabulary. */
  private void putAdded(float score) {
    for (JsonElement added :
        Json.member(json, "added_tokens").orElseGet(JsonArray::new).getAsJsonArray()) {
      String token = Json.text(added, "content").orElse("");
      int id = Json.number(added, "id").orElse(-1).intValue();
      boolean isSpecial = Json.truth(added, "special").orElse(false) || looksSpecial(token);
      boolean isPiece = score != 0 && id >= 0 && id < size && types[id] != UNUSED;
      if (isPiece && types[id] != NORMAL && types[id] != USER_DEFINED) {
        // SentencePiece's own, such as the unknown token.
        continue;
      }
      put(
          id,
          score != 0 && !isSpecial ? token.replace('\u2581', ' ') : token,
          isSpecial ? CONTROL : USER_DEFINED,
          score);
    }
  }

  private static boolean looksSpecial(String token) {
    return SPECIAL.contains(token)
        || (token.startsWith("<|") && token.endsWith("|>"))
        || (token.startsWith("<\uff5c") && token.endsWith("\uff5c>"))
        || (token.startsWith("<unused") && token.endsWith(">"));
  }

  private void put(int id, String token, int type, float score) {
    if (id < 0 || id >= size) {
      throw new UnsupportedModelException(
          "the tokenizer in %s has the token '%s' with number %d, and the table of embeddings has %d rows"
              .formatted(folder, token, id, size));
    }
    tokens[id] = token;
    types[id] = type;
    scores[id] = score;
  }

  private void addTokens(String model, String preTokenizer) {
    metadata
        .add(GgufEntry.of("tokenizer.ggml.model", model))
        .add(GgufEntry.of("tokenizer.ggml.pre", preTokenizer))
        .add(GgufEntry.ofTexts("tokenizer.ggml.tokens", Arrays.asList(tokens)))
        .add(GgufEntry.of("tokenizer.ggml.token_type", types));
  }

  private void addSpecialTokens() {
    JsonObject own = Json.read(folder.resolve("tokenizer_config.json")).orElseGet(JsonObject::new);
    Map<String, Integer> ids = new HashMap<>();
    for (JsonElement added :
        Json.member(json, "added_tokens").orElseGet(JsonArray::new).getAsJsonArray()) {
      Json.text(added, "content")
          .ifPresent(token -> ids.put(token, added.getAsJsonObject().get("id").getAsInt()));
    }
    Map<String, String> named = new HashMap<>();
    for (String role : ROLES.keySet()) {
      Json.text(own, role + "_token")
          .or(() -> Json.object(own, role + "_token").flatMap(it -> Json.text(it, "content")))
          .ifPresent(token -> named.put(role, token));
    }
    // llama.cpp takes these for each other.
    Optional.ofNullable(named.get("cls")).ifPresent(token -> named.putIfAbsent("bos", token));
    Optional.ofNullable(named.get("sep")).ifPresent(token -> named.putIfAbsent("eos", token));
    addFramed(named);
    ROLES.forEach(
        (role, key) -> {
          Optional.ofNullable(named.get(role))
              .map(ids::get)
              .or(() -> Json.number(config, role + "_token_id").map(Number::intValue))
              .filter(id -> id >= 0 && id < size)
              .ifPresent(
                  id -> metadata.add(GgufEntry.of("tokenizer.ggml." + key + "_token_id", id)));
          Json.truth(own, "add_" + role + "_token")
              .ifPresent(
                  adds ->
                      metadata.add(GgufEntry.of("tokenizer.ggml.add_" + role + "_token", adds)));
        });
    chatTemplate(own)
        .ifPresent(template -> metadata.add(GgufEntry.of("tokenizer.chat_template", template)));
  }

  /** Whether the tokenizer puts a token before and behind a text. */
  private void addFramed(Map<String, String> named) {
    JsonObject processor = Json.object(json, "post_processor").orElseGet(JsonObject::new);
    JsonArray processors = new JsonArray();
    Json.member(processor, "processors")
        .ifPresentOrElse(
            each -> processors.addAll(each.getAsJsonArray()), () -> processors.add(processor));
    for (JsonElement each : processors) {
      JsonArray frame = Json.member(each, "single").orElseGet(JsonArray::new).getAsJsonArray();
      if (!Json.text(each, "type").orElse("").equals("TemplateProcessing") || frame.size() < 2) {
        continue;
      }
      special(frame.get(0)).ifPresent(token -> addFrame("bos", token, named.get("bos")));
      special(frame.get(frame.size() - 1))
          .ifPresent(
              token -> {
                if (!token.equals(named.get("eos"))) {
                  Optional.ofNullable(named.put("eos", token))
                      .ifPresent(before -> named.put("eot", before));
                }
                addFrame("eos", token, token);
              });
    }
  }

  private void addFrame(String role, String token, @Nullable String named) {
    metadata.add(GgufEntry.of("tokenizer.ggml.add_" + role + "_token", token.equals(named)));
  }

  private static Optional<String> special(JsonElement part) {
    return Json.object(part, "SpecialToken").flatMap(it -> Json.text(it, "id"));
  }

  private Optional<String> chatTemplate(JsonObject own) {
    Optional<String> template = Json.text(own, "chat_template");
    Path file = folder.resolve("chat_template.jinja");
    if (template.isPresent() || !Files.isRegularFile(file)) {
      return template;
    }
    try {
      return Optional.of(Files.readString(file, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(file, e), e);
    }
  }
}
