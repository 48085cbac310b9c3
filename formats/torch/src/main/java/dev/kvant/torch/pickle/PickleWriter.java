package dev.kvant.torch.pickle;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes a tree as a pickle of protocol 2, in the subset that {@code torch.load(weights_only=True)}
 * and libtorch's own reader both accept.
 *
 * <p>A node that occurs twice is written once and then referred to. It is memoized when it is
 * complete, because libtorch makes an object only at its {@code BUILD}; therefore a tree must not
 * contain itself. Integers beyond 32 bits are written with 8 bytes, the only length that libtorch
 * supports. It works without recursion, so a tree may have any depth.
 *
 * @since 0.1.0
 */
public final class PickleWriter {

  private static final PickleGlobal ENCODE = new PickleGlobal("_codecs", "encode");

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Set<PickleValue> repeated;
  private final Map<PickleValue, Integer> memo = new HashMap<>();
  private final Set<PickleValue> unfinished = new HashSet<>();
  private final Deque<Runnable> steps = new ArrayDeque<>();

  private PickleWriter(Set<PickleValue> repeated) {
    this.repeated = repeated;
  }

  /**
   * The tree as a pickle.
   *
   * @throws IllegalArgumentException if a node contains itself, or a global's name has a line break
   */
  public static byte[] write(PickleValue root) {
    var writer = new PickleWriter(repeated(root));
    writer.opcode(Opcode.PROTO);
    writer.opcode(2);
    writer.value(root);
    while (!writer.steps.isEmpty()) {
      writer.steps.pop().run();
    }
    writer.opcode(Opcode.STOP);
    return writer.out.toByteArray();
  }

  private static Set<PickleValue> repeated(PickleValue root) {
    Set<PickleValue> repeated = new HashSet<>();
    Set<PickleValue> seen = new HashSet<>();
    Deque<PickleValue> pending = new ArrayDeque<>();
    pending.push(root);
    while (!pending.isEmpty()) {
      PickleValue value = pending.pop();
      if (isCheap(value)) {
        continue;
      }
      if (seen.add(value)) {
        children(value).forEach(pending::push);
      } else {
        repeated.add(value);
      }
    }
    return repeated;
  }

  /** Whether writing it again is as short as a reference. */
  private static boolean isCheap(PickleValue value) {
    return value instanceof PickleNone
        || value instanceof PickleBool
        || value instanceof PickleInt
        || value instanceof PickleBigInt
        || value instanceof PickleFloat
        || (value instanceof PickleTuple tuple && tuple.size() == 0);
  }

  private static List<PickleValue> children(PickleValue value) {
    if (value instanceof PickleTuple tuple) {
      return tuple.items();
    }
    if (value instanceof PickleList list) {
      return list.items();
    }
    if (value instanceof PickleDict dict) {
      return keysAndValues(dict);
    }
    if (value instanceof PickleReference reference) {
      return List.of(reference.id());
    }
    if (value instanceof PickleObject object) {
      List<PickleValue> children = new ArrayList<>(List.of(object.callable(), object.arguments()));
      children.addAll(object.items().items());
      children.addAll(keysAndValues(object.entries()));
      @Nullable PickleValue state = object.state();
      if (state != null) {
        children.add(state);
      }
      return children;
    }
    return List.of();
  }

  private static List<PickleValue> keysAndValues(PickleDict dict) {
    List<PickleValue> flat = new ArrayList<>(2 * dict.entries().size());
    dict.entries()
        .forEach(
            (key, value) -> {
              flat.add(key);
              flat.add(value);
            });
    return flat;
  }

  private void value(PickleValue value) {
    @Nullable Integer index = memo.get(value);
    if (index != null) {
      numbered(Opcode.BINGET, Opcode.LONG_BINGET, index);
      return;
    }
    if (value instanceof PickleNone) {
      opcode(Opcode.NONE);
    } else if (value instanceof PickleBool bool) {
      opcode(bool.value() ? Opcode.NEWTRUE : Opcode.NEWFALSE);
    } else if (value instanceof PickleInt integer) {
      integer(integer.value());
    } else if (value instanceof PickleBigInt integer) {
      integer(integer.value());
    } else if (value instanceof PickleFloat real) {
      opcode(Opcode.BINFLOAT);
      littleEndian(Long.reverseBytes(Double.doubleToRawLongBits(real.value())), Long.BYTES);
    } else if (value instanceof PickleText text) {
      byte[] utf8 = text.value().getBytes(StandardCharsets.UTF_8);
      opcode(Opcode.BINUNICODE);
      littleEndian(utf8.length, Integer.BYTES);
      out.writeBytes(utf8);
      memoize(value);
    } else if (value instanceof PickleGlobal global) {
      opcode(Opcode.GLOBAL);
      line(global.module());
      line(global.name());
      memoize(value);
    } else {
      compound(value);
    }
  }

  private void compound(PickleValue value) {
    if (!unfinished.add(value)) {
      throw new IllegalArgumentException("root: a node of the tree contains itself");
    }
    List<Runnable> parts = new ArrayList<>();
    if (value instanceof PickleBytes bytes) {
      // Protocol 2 has no byte strings. This is how Python writes them there.
      var latin = new PickleText(new String(bytes.value(), StandardCharsets.ISO_8859_1));
      part(parts, PickleObject.call(ENCODE, latin, new PickleText("latin1")));
    } else if (value instanceof PickleTuple tuple) {
      tuple(parts, tuple);
    } else if (value instanceof PickleList list) {
      part(parts, Opcode.EMPTY_LIST);
      group(parts, list.items(), Opcode.APPENDS);
    } else if (value instanceof PickleDict dict) {
      part(parts, Opcode.EMPTY_DICT);
      group(parts, keysAndValues(dict), Opcode.SETITEMS);
    } else if (value instanceof PickleReference reference) {
      part(parts, reference.id());
      part(parts, Opcode.BINPERSID);
    } else if (value instanceof PickleObject object) {
      object(parts, object);
    }
    parts.add(
        () -> {
          unfinished.remove(value);
          memoize(value);
        });
    Collections.reverse(parts);
    parts.forEach(steps::push);
  }

  private void tuple(List<Runnable> parts, PickleTuple tuple) {
    switch (tuple.size()) {
      case 0 -> part(parts, Opcode.EMPTY_TUPLE);
      case 1, 2, 3 -> {
        tuple.items().forEach(item -> part(parts, item));
        part(parts, Opcode.TUPLE1 + tuple.size() - 1);
      }
      default -> group(parts, tuple.items(), Opcode.TUPLE);
    }
  }

  private void object(List<Runnable> parts, PickleObject object) {
    part(parts, object.callable());
    part(parts, object.arguments());
    part(
        parts,
        object.construction() == PickleObject.Construction.CALL ? Opcode.REDUCE : Opcode.NEWOBJ);
    group(parts, object.items().items(), Opcode.APPENDS);
    group(parts, keysAndValues(object.entries()), Opcode.SETITEMS);
    @Nullable PickleValue state = object.state();
    if (state != null) {
      part(parts, state);
      part(parts, Opcode.BUILD);
    }
  }

  private void group(List<Runnable> parts, List<PickleValue> values, int closing) {
    if (!values.isEmpty()) {
      part(parts, Opcode.MARK);
      values.forEach(item -> part(parts, item));
      part(parts, closing);
    }
  }

  private void part(List<Runnable> parts, PickleValue value) {
    parts.add(() -> value(value));
  }

  private void part(List<Runnable> parts, int opcode) {
    parts.add(() -> opcode(opcode));
  }

  private void memoize(PickleValue value) {
    if (repeated.contains(value)) {
      int index = memo.size();
      memo.put(value, index);
      numbered(Opcode.BINPUT, Opcode.LONG_BINPUT, index);
    }
  }

  private void numbered(int shortOpcode, int longOpcode, int index) {
    opcode(index <= 0xFF ? shortOpcode : longOpcode);
    littleEndian(index, index <= 0xFF ? 1 : Integer.BYTES);
  }

  private void integer(long value) {
    if (value >= 0 && value <= 0xFF) {
      opcode(Opcode.BININT1);
      littleEndian(value, 1);
    } else if (value >= 0 && value <= 0xFFFF) {
      opcode(Opcode.BININT2);
      littleEndian(value, Short.BYTES);
    } else if (value == (int) value) {
      opcode(Opcode.BININT);
      littleEndian(value, Integer.BYTES);
    } else {
      opcode(Opcode.LONG1);
      opcode(Long.BYTES);
      littleEndian(value, Long.BYTES);
    }
  }

  private void integer(BigInteger value) {
    byte[] bigEndian = value.toByteArray();
    if (bigEndian.length <= 0xFF) {
      opcode(Opcode.LONG1);
      opcode(bigEndian.length);
    } else {
      opcode(Opcode.LONG4);
      littleEndian(bigEndian.length, Integer.BYTES);
    }
    for (int i = bigEndian.length - 1; i >= 0; i--) {
      out.write(bigEndian[i]);
    }
  }

  private void opcode(int opcode) {
    out.write(opcode);
  }

  private void littleEndian(long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >>> (8 * i)));
    }
  }

  private void line(String text) {
    if (text.indexOf('\n') >= 0) {
      throw new IllegalArgumentException("root: the global '%s' has a line break".formatted(text));
    }
    out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    out.write('\n');
  }
}
