package dev.kvant.readers.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.Options;
import dev.kvant.spi.SampleBlock;
import dev.kvant.tck.NamedPipe;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Expected values are those of {@code interop/golden/make_text_golden.py}. */
@DisplayName("Texts as samples")
class TextReaderProviderTest {

  private static final List<InputDescription> BERT =
      List.of(
          InputDescription.of("input_ids", ElementType.INT64, List.of(-1L, -1L)),
          InputDescription.of("attention_mask", ElementType.INT64, List.of(-1L, -1L)),
          InputDescription.of("token_type_ids", ElementType.INT64, List.of(-1L, -1L)));

  @TempDir private Path folder;

  private final TextReaderProvider provider = new TextReaderProvider();
  private final List<String> remarks = new ArrayList<>();

  private static Path resource(String name) {
    try {
      return Path.of(
          Objects.requireNonNull(TextReaderProviderTest.class.getResource("/text/" + name))
              .toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static JsonObject golden(String name) throws IOException {
    return new Gson()
        .fromJson(Files.readString(resource("golden.json")), JsonObject.class)
        .getAsJsonObject(name);
  }

  private static long[] flat(JsonArray rows) {
    List<Long> values = new ArrayList<>();
    for (JsonElement row : rows) {
      row.getAsJsonArray().forEach(value -> values.add(value.getAsLong()));
    }
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  private Options options(Map<String, Object> settings) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("tokenizer", resource("tokenizer.json").toString());
    all.putAll(settings);
    return Options.of(provider.descriptor().options(), all);
  }

  private List<SampleBlock> read(
      Path file, Map<String, Object> settings, List<InputDescription> inputs, int most)
      throws IOException {
    List<SampleBlock> blocks = new ArrayList<>();
    var request = new DataRequest(file, options(settings), inputs, remarks::add);
    try (DataReader reader = provider.open(request)) {
      for (Optional<SampleBlock> next = reader.next(most);
          next.isPresent();
          next = reader.next(most)) {
        blocks.add(next.get());
      }
    }
    return blocks;
  }

  private SampleBlock texts(Map<String, Object> settings) throws IOException {
    return read(resource("texts.txt"), settings, BERT, 8).get(0);
  }

  private static Tensor tensor(SampleBlock block, String name) {
    return Objects.requireNonNull(block.tensors().get(name), name);
  }

  private static void assertTokens(SampleBlock block, JsonObject expected) {
    assertThat(tensor(block, "input_ids").toLongs())
        .containsExactly(flat(expected.getAsJsonArray("ids")));
    assertThat(tensor(block, "attention_mask").toLongs())
        .containsExactly(flat(expected.getAsJsonArray("mask")));
    assertThat(tensor(block, "token_type_ids").toLongs())
        .containsExactly(flat(expected.getAsJsonArray("types")));
  }

  private Path write(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  @Test
  void are_padded_to_the_longest_beside_them_whatever_the_tokenizer_says() throws IOException {
    SampleBlock block = texts(Map.of("max_length", 10));

    assertThat(tensor(block, "input_ids").shape()).containsExactly(4L, 10L);
    assertTokens(block, golden("longest"));
  }

  @Test
  void can_be_padded_to_the_maximum() throws IOException {
    SampleBlock block = texts(Map.of("max_length", 10, "padding", "max_length"));

    assertTokens(block, golden("max_length"));
  }

  @Test
  void are_as_long_as_the_model_takes_where_that_is_fixed() throws IOException {
    List<InputDescription> fixed =
        List.of(
            InputDescription.of("input_ids", ElementType.INT32, List.of(-1L, 12L)),
            InputDescription.of("attention_mask", ElementType.INT32, List.of(-1L, 12L)));

    SampleBlock block = read(resource("texts.txt"), Map.of("max_length", 10), fixed, 8).get(0);

    assertThat(block.tensors()).containsOnlyKeys("input_ids", "attention_mask");
    Tensor ids = tensor(block, "input_ids");
    assertThat(ids.elementType()).isEqualTo(ElementType.INT32);
    assertThat(ids.shape()).containsExactly(4L, 12L);
    long[] first = flat(golden("longest").getAsJsonArray("ids"));
    for (int i = 0; i < 10; i++) {
      assertThat(ids.data().getInt(4 * i)).isEqualTo((int) first[i]);
    }
    assertThat(ids.data().getInt(4 * 10)).isEqualTo(3);
    assertThat(tensor(block, "attention_mask").data().getInt(4 * 10)).isZero();
  }

  @Test
  void must_not_be_longer_than_the_model_takes() {
    List<InputDescription> fixed =
        List.of(InputDescription.of("input_ids", ElementType.INT64, List.of(-1L, 8L)));

    assertThatThrownBy(() -> read(resource("texts.txt"), Map.of("max_length", 10), fixed, 8))
        .isInstanceOf(DataException.class)
        .hasMessage("max_length is 10, and the model takes 8 tokens");
  }

  @Test
  void have_the_length_of_the_tokenizer_and_a_remark_when_they_are_cut() throws IOException {
    assertTokens(texts(Map.of()), golden("longest"));
    assertThat(remarks).containsExactly("2 of 4 texts have more than 10 tokens and are cut");
  }

  @Test
  void are_not_cut_by_a_tokenizer_without_a_length() throws IOException {
    Path file =
        write("one.txt", "The unknown ü word, and the end of the long sentence over the lazy dogs");

    SampleBlock block =
        read(file, Map.of("tokenizer", resource("bare.json").toString()), BERT, 8).get(0);

    assertTokens(block, golden("whole"));
    assertThat(remarks).isEmpty();
  }

  @Test
  void stand_at_the_end_where_the_tokenizer_pads_at_the_left() throws IOException {
    SampleBlock block =
        texts(Map.of("tokenizer", resource("left.json").toString(), "max_length", 10));

    assertTokens(block, golden("left"));
  }

  @Test
  void of_csv_can_be_pairs_with_labels() throws IOException {
    Path file =
        write(
            "pairs.csv",
            """
            id,question,answer,right
            1,The fox,"jumps over the dog.",1

            2,"A lazy dog jumps over the quick brown fox.",The end, 0
            """);

    SampleBlock block =
        read(
                file,
                Map.of(
                    "column", "question",
                    "pair_column", "answer",
                    "label_column", "right",
                    "max_length", 10),
                BERT,
                8)
            .get(0);

    assertTokens(block, golden("pairs"));
    assertThat(tensor(block, "label").toLongs()).containsExactly(1, 0);
  }

  @Test
  void of_json_lines_can_be_pairs_with_labels() throws IOException {
    Path file =
        write(
            "pairs.jsonl",
            """
            {"label": 1, "text": "The fox", "other": "jumps over the dog.", "tags": ["x"]}
            {"label": "0", "text": "A lazy dog jumps over the quick brown fox.", "other": "The end"}
            """);

    SampleBlock block =
        read(
                file,
                Map.of("pair_column", "other", "label_column", "label", "max_length", 10),
                BERT,
                8)
            .get(0);

    assertTokens(block, golden("pairs"));
    assertThat(tensor(block, "label").toLongs()).containsExactly(1, 0);
  }

  @Test
  void of_tsv_with_one_column_need_no_name() throws IOException {
    Path file = write("texts.tsv", "sentence\n\"A dog!\"\n");

    SampleBlock block = read(file, Map.of(), BERT, 8).get(0);

    assertThat(tensor(block, "input_ids").toLongs()).containsExactly(1, 14, 12, 23, 2);
  }

  @Test
  void come_in_blocks_of_the_size_that_is_asked_for() throws IOException {
    List<SampleBlock> blocks = read(resource("texts.txt"), Map.of(), BERT, 3);

    assertThat(blocks).extracting(SampleBlock::count).containsExactly(3, 1);
  }

  @Test
  void feed_the_only_input_whatever_its_name() throws IOException {
    SampleBlock block =
        read(
                resource("texts.txt"),
                Map.of(),
                List.of(InputDescription.of("tokens", ElementType.INT64, List.of(-1L, -1L))),
                8)
            .get(0);

    assertThat(block.tensors()).containsOnlyKeys("input");
  }

  @Test
  void cannot_feed_what_is_no_text() {
    List<InputDescription> inputs = new ArrayList<>(BERT);
    inputs.add(InputDescription.of("pixels", ElementType.FLOAT32, List.of(-1L, 3L)));

    assertThatThrownBy(() -> read(resource("texts.txt"), Map.of(), inputs, 8))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "the model's input 'pixels' float32[any, 3] cannot be made of text, which gives"
                + " input_ids, attention_mask, token_type_ids");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.csv | ''                 | %s is empty; its first line must name the columns",
        "b.csv | 'a,a;1,2'          | %s has several columns 'a'",
        "c.csv | 'a,b;1'            | line 2 of %s has 1 values, and the first line names 2"
            + " columns",
        "d.csv | 'text;\"open'      | line 2 of %s has a quote that is not closed",
        "e.csv | 'text;\"a\" b'     | line 2 of %s has text behind a value in quotes",
        "f.csv | 'a,b;1,2'          | line 2 of %s has no column 'text', only a, b; name one in"
            + " 'column'",
        "g.jsonl | '{\"text\": \"a\"};[1]' | line 2 of %s is not a JSON object",
        "h.jsonl | '{\"text\": 1;'  | line 1 of %s is not valid JSON"
      })
  void that_are_damaged_are_refused_with_their_line(String name, String lines, String message)
      throws IOException {
    Path file = write(name, lines.replace(";", "\n"));

    assertThatThrownBy(() -> read(file, Map.of(), BERT, 8))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(message.formatted(file));
  }

  @Test
  void have_labels_that_are_integers() throws IOException {
    Path file = write("a.csv", "text,label\nA dog,good\n");

    assertThatThrownBy(() -> read(file, Map.of("label_column", "label"), BERT, 8))
        .isInstanceOf(DataException.class)
        .hasMessage("the label of line 2 of %s is 'good', not an integer".formatted(file));
  }

  @Test
  void are_in_utf8() throws IOException {
    Path file =
        Files.write(folder.resolve("a.txt"), "A dog\n\u00fc".getBytes(StandardCharsets.ISO_8859_1));

    assertThatThrownBy(() -> read(file, Map.of(), BERT, 8))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(file + " is not in UTF-8");
  }

  @Test
  void of_lines_have_no_columns() {
    assertThatThrownBy(() -> read(resource("texts.txt"), Map.of("pair_column", "b"), BERT, 8))
        .isInstanceOf(DataException.class)
        .hasMessage(
            resource("texts.txt")
                + " has lines and no columns; leave 'pair_column' out, or use .csv, .tsv or"
                + " .jsonl");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{}", "{\"model\": 5}", "[", "{\"model\": {\"type\": \"Magic\"}}"})
  void need_a_tokenizer_that_is_one(String content) throws IOException {
    Path tokenizer = write("tokenizer.json", content);

    assertThatThrownBy(
            () -> read(resource("texts.txt"), Map.of("tokenizer", tokenizer.toString()), BERT, 8))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(tokenizer + " is not a tokenizer.json");
  }

  @Test
  void miss_a_tokenizer_by_name() {
    assertThatThrownBy(() -> read(resource("texts.txt"), Map.of("tokenizer", "no.json"), BERT, 8))
        .isInstanceOf(DataException.class)
        .hasMessage("the tokenizer no.json does not exist");
  }

  @Test
  void have_settings_that_are_checked() {
    assertThat(
            provider.validate(Options.of(provider.descriptor().options(), Map.of("max_length", 0))))
        .containsExactly(
            new ConfigurationProblem(
                "tokenizer", "is required to read text: the tokenizer.json of the model"),
            new ConfigurationProblem("max_length", "must be greater than 0"));
  }

  @Test
  void leave_the_system_properties_as_they_were() throws IOException {
    texts(Map.of());

    assertThat(System.getProperty("ai.djl.offline")).isNull();
    assertThat(System.getProperty("RUST_FLAVOR")).isNull();
  }

  @Test
  void are_recognized_by_the_names_of_files() throws IOException {
    assertThat(provider.recognizes(resource("texts.txt"))).isTrue();
    assertThat(provider.recognizes(write("a.CSV", ""))).isTrue();
    assertThat(provider.recognizes(write("a.npz", ""))).isFalse();
    assertThat(provider.recognizes(folder)).isFalse();
  }

  @Test
  void refuse_a_pipe_as_a_tokenizer() throws Exception {
    Path pipe = NamedPipe.create(folder.resolve("tokenizer.json"));

    assertThat(
            NamedPipe.assertRefused(
                pipe,
                () -> read(resource("texts.txt"), Map.of("tokenizer", pipe.toString()), BERT, 8)))
        .startsWith("the tokenizer " + pipe + " cannot be read: it is a pipe");
  }
}
