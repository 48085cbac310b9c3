package dev.kvant.torch.pickle;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class PickleWriterTest {

  private static String written(PickleValue root) {
    return new String(PickleWriter.write(root), ISO_8859_1);
  }

  private static PickleValue reread(PickleValue root) {
    return PickleReader.read(PickleWriter.write(root), "test.pkl");
  }

  @Property(seed = "1")
  void whole_numbers_come_back(@ForAll long number) {
    assertThat(reread(new PickleInt(number))).isEqualTo(new PickleInt(number));
  }

  @Property(seed = "1")
  void floats_come_back(@ForAll double number) {
    assertThat(reread(new PickleFloat(number))).isEqualTo(new PickleFloat(number));
  }

  @Property(seed = "1")
  void text_comes_back(@ForAll int codePoint) {
    int valid = Math.floorMod(codePoint, Character.MAX_CODE_POINT + 1);
    if (valid < Character.MIN_SURROGATE || valid > Character.MAX_SURROGATE) {
      var text = new PickleText("a" + Character.toString(valid));
      assertThat(reread(text)).isEqualTo(text);
    }
  }

  @Property(seed = "1")
  void big_numbers_come_back(@ForAll BigInteger number) {
    BigInteger big = number.shiftLeft(80).add(BigInteger.ONE);
    if (big.bitLength() >= Long.SIZE) {
      assertThat(reread(new PickleBigInt(big))).isEqualTo(new PickleBigInt(big));
    }
  }

  @Test
  void a_number_beyond_32_bits_takes_8_bytes() {
    assertThat(written(new PickleInt(1L << 32)))
        .isEqualTo("\u0080\u0002\u008a\u0008\0\0\0\0\u0001\0\0\0.");
  }

  @Test
  void an_object_is_memoized_after_its_state() {
    var object = PickleObject.instance(new PickleGlobal("m", "C"), new PickleDict());

    assertThat(written(PickleTuple.of(object, object)))
        .isEqualTo("\u0080\u0002cm\nC\n)\u0081}bq\0h\0\u0086.");
  }

  @Test
  void what_occurs_once_is_not_memoized() {
    assertThat(written(PickleTuple.of(new PickleText("a"), new PickleText("b"))))
        .isEqualTo("\u0080\u0002X\u0001\0\0\0aX\u0001\0\0\0b\u0086.");
  }

  @Test
  void equal_text_is_written_once() {
    assertThat(written(PickleTuple.of(new PickleText("a"), new PickleText("a"))))
        .isEqualTo("\u0080\u0002X\u0001\0\0\0aq\0h\0\u0086.");
  }

  @Test
  void more_than_256_shared_nodes_get_long_indices() {
    var list = new PickleList();
    for (int i = 0; i < 300; i++) {
      var text = new PickleText("text" + i);
      list.items().add(PickleTuple.of(text, text));
    }

    var reread = (PickleList) reread(list);

    assertThat(((PickleTuple) reread.items().get(299)).get(1)).isEqualTo(new PickleText("text299"));
  }

  @Test
  void sharing_comes_back() {
    var storage = new PickleReference(PickleTuple.of(new PickleText("storage")));
    var dict = new PickleDict().put("a", storage).put("b", PickleList.of(storage));

    var reread = (PickleDict) reread(dict);

    var list = (PickleList) reread.get("b").orElseThrow();
    assertThat(list.items()).containsExactly(reread.get("a").orElseThrow());
  }

  @Test
  void entries_items_and_state_of_a_call_come_back() {
    var object = PickleObject.call(new PickleGlobal("collections", "OrderedDict"));
    object.entries().put("weight", new PickleInt(1));
    object.items().items().add(new PickleBool(true));
    object.setState(new PickleDict().put("_metadata", PickleNone.NONE));

    var reread = (PickleObject) reread(object);

    assertThat(reread.isCallOf("collections", "OrderedDict")).isTrue();
    assertThat(reread.entries().get("weight")).contains(new PickleInt(1));
    assertThat(reread.items().items()).containsExactly(new PickleBool(true));
    assertThat(reread.attributes().orElseThrow().get("_metadata")).contains(PickleNone.NONE);
  }

  @Test
  void bytes_are_written_as_python_does_in_protocol_2() {
    var call = (PickleObject) reread(new PickleBytes(new byte[] {0, -1}));

    assertThat(call.isCallOf("_codecs", "encode")).isTrue();
    assertThat(call.arguments().items())
        .containsExactly(new PickleText("\u0000\u00ff"), new PickleText("latin1"));
  }

  @Test
  void a_deep_tree_is_written_without_overflowing_the_stack() {
    PickleValue value = PickleNone.NONE;
    for (int i = 0; i < 100_000; i++) {
      value = PickleList.of(value);
    }

    assertThat(written(value)).endsWith("e".repeat(100_000) + ".");
  }

  @Test
  void a_list_that_contains_itself_is_an_error() {
    var list = new PickleList();
    list.items().add(list);

    assertThatThrownBy(() -> PickleWriter.write(list))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("contains itself");
  }

  @Test
  void a_global_with_a_line_break_is_an_error() {
    assertThatThrownBy(() -> PickleWriter.write(new PickleGlobal("os\nsystem", "x")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("line break");
  }
}
