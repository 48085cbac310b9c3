package dev.kvant.torch.pickle;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ModelFormatException;
import java.math.BigInteger;
import java.util.List;
import org.junit.jupiter.api.Test;

class PickleReaderTest {

  private static PickleValue read(String latin1) {
    return PickleReader.read(latin1.getBytes(ISO_8859_1), "test.pkl");
  }

  private static void assertDamaged(String latin1, String message) {
    assertThatThrownBy(() -> read(latin1))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("test.pkl")
        .hasMessageContaining(message);
  }

  @Test
  void numbers_have_their_values() {
    var tuple = (PickleTuple) read("\u0080\u0002(K\u00ffM\u00ff\u00ffJ\u00fe\u00ff\u00ff\u00fft.");

    assertThat(tuple.items())
        .containsExactly(new PickleInt(255), new PickleInt(65535), new PickleInt(-2));
  }

  @Test
  void long_numbers_are_signed_and_little_endian() {
    assertThat(read("\u008a\0.")).isEqualTo(new PickleInt(0));
    assertThat(read("\u008a\u0001\u00ff.")).isEqualTo(new PickleInt(-1));
    assertThat(read("\u008a\u0002\0\u0001.")).isEqualTo(new PickleInt(256));
    assertThat(read("\u008a\u0009\0\0\0\0\0\0\0\0\u0001."))
        .isEqualTo(new PickleBigInt(BigInteger.TWO.pow(64)));
    assertThat(read("\u008a\u0009\u0001\0\0\0\0\0\0\0\0.")).isEqualTo(new PickleInt(1));
  }

  @Test
  void floats_are_big_endian() {
    assertThat(read("G?\u00f8\0\0\0\0\0\0.")).isEqualTo(new PickleFloat(1.5));
  }

  @Test
  void text_is_utf8() {
    assertThat(read("X\u0003\0\0\0\u00c3\u00bcx.")).isEqualTo(new PickleText("üx"));
  }

  @Test
  void a_dict_keeps_the_order_of_its_keys_and_the_last_value_of_each() {
    var dict = (PickleDict) read("}(U\u0001bK\u0001U\u0001aK\u0002U\u0001bK\u0003u.");

    assertThat(dict.entries().keySet()).containsExactly(new PickleText("b"), new PickleText("a"));
    assertThat(dict.get("b")).contains(new PickleInt(3));
    assertThat(dict.get("c")).isEmpty();
  }

  @Test
  void a_node_that_is_mentioned_twice_is_one_object() {
    var tuple = (PickleTuple) read("]q\u0001h\u0001\u0086.");

    assertThat(tuple.get(0)).isSameAs(tuple.get(1));
  }

  @Test
  void a_call_is_a_node_and_is_not_executed() {
    var call = (PickleObject) read("cposix\nsystem\n(U\u0004exitt R.".replace(" ", ""));

    assertThat(call.isCallOf("posix", "system")).isTrue();
    assertThat(call.arguments().items()).containsExactly(new PickleText("exit"));
  }

  @Test
  void an_object_keeps_its_entries_items_and_state_apart() {
    var object = (PickleObject) read("cm\nC\n)\u0081(K\u0001e(U\u0001aK\u0002u}U\u0001bK\u0003sb.");

    assertThat(object.construction()).isEqualTo(PickleObject.Construction.NEW);
    assertThat(object.callable()).isEqualTo(new PickleGlobal("m", "C"));
    assertThat(object.items().items()).containsExactly(new PickleInt(1));
    assertThat(object.entries().get("a")).contains(new PickleInt(2));
    assertThat(object.attributes().orElseThrow().get("b")).contains(new PickleInt(3));
  }

  @Test
  void protocol_4_is_read_too() {
    // PROTO 4, FRAME, SHORT_BINUNICODE, MEMOIZE, STACK_GLOBAL, EMPTY_SET, ADDITEMS
    var tuple =
        (PickleTuple)
            read(
                "\u0080\u0004\u0095\0\0\0\0\0\0\0\0"
                    + "\u008c\u0001m\u0094\u008c\u0001C\u0093\u008f(K\u0001\u0090h\0\u0087.");

    assertThat(tuple.get(0)).isEqualTo(new PickleGlobal("m", "C"));
    var set = (PickleObject) tuple.get(1);
    assertThat(set.isCallOf("builtins", "set")).isTrue();
    assertThat(((PickleList) set.arguments().get(0)).items()).containsExactly(new PickleInt(1));
    assertThat(tuple.get(2)).isEqualTo(new PickleText("m"));
  }

  @Test
  void a_persistent_id_is_a_reference() {
    var reference = (PickleReference) read("U\u0001aQ.");

    assertThat(reference.id()).isEqualTo(new PickleText("a"));
  }

  @Test
  void a_pickle_that_is_cut_short_is_an_error() {
    assertDamaged("", "cut short");
    assertDamaged("K\u0001", "cut short");
    assertDamaged("cposix\nsys", "cut short");
    assertDamaged("U\u0009abc", "a value announces 9 bytes, but 3 are left");
  }

  @Test
  void broken_stacks_are_errors() {
    assertDamaged(".", "ends with 0 values");
    assertDamaged("K\u0001K\u0002.", "ends with 2 values");
    assertDamaged("t.", "a mark is missing");
    assertDamaged("\u0085.", "a value is missing");
    assertDamaged("(\u0085.", "a value is missing");
    assertDamaged("h\u0007.", "memo index 7 is read before it is set");
    assertDamaged("]r\u00ff\u00ff\u00ff\u00ff.", "memo index -1 is negative");
    assertDamaged("K\u0001K\u0002a.", "appended to a value that is not a list");
    assertDamaged("K\u0001K\u0002K\u0003s.", "set on a value that is not a dict");
    assertDamaged("}(K\u0001u.", "key has no value");
    assertDamaged("](K\u0001\u0090.", "added to a value that is not a set");
    assertDamaged("K\u0001K\u0002b.", "set on a value that is not an object");
    assertDamaged("cm\nC\nK\u0001R.", "arguments of a call are not a tuple");
    assertDamaged("K\u0001K\u0002\u0093.", "is not a string");
  }

  @Test
  void an_opcode_that_pytorch_never_writes_is_an_error() {
    assertDamaged("\u0080\u0002i.", "opcode 0x69");
    assertDamaged("\u0080\u0007.", "protocol 7");
  }

  @Test
  void text_that_is_not_utf8_is_an_error() {
    assertDamaged("U\u0001\u00ff.", "not UTF-8");
  }

  @Test
  void announced_lengths_allocate_nothing() {
    assertDamaged(
        "\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\177.",
        "announces 9223372036854775807 bytes, but 1 are left");
    assertDamaged("B\u00ff\u00ff\u00ff\u00ff.", "announces 4294967295 bytes, but 1 are left");
  }

  @Test
  void more_values_than_any_model_needs_are_an_error() {
    assertDamaged("]" + "h\0".repeat(10), "memo index 0");
    assertDamaged("]q\0" + "h\0".repeat(PickleReader.MAX_NODES), "more than 4000000");
  }

  @Test
  void a_million_nested_tuples_are_read_without_overflowing_the_stack() {
    PickleValue value = read("N" + "\u0085".repeat(1_000_000) + ".");

    int depth = 0;
    while (value instanceof PickleTuple tuple) {
      value = tuple.get(0);
      depth++;
    }
    assertThat(depth).isEqualTo(1_000_000);
    assertThat(List.of(value)).containsExactly(PickleNone.NONE);
  }
}
