package dev.kvant.torch.pickle;

import dev.kvant.api.ModelFormatException;
import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a pickle of protocol 2 to 5 as a tree. It never executes code: a class or function is a
 * name, a call is a node.
 *
 * <p>It is a stack machine without recursion, so only the size of the input limits nesting. The
 * number of nodes is limited. A hostile pickle can therefore neither overflow the stack nor fill
 * the heap. A tree may be deeper than a recursive visitor can follow, and may contain cycles.
 *
 * @since 0.1.0
 */
public final class PickleReader {

  /** The maximum size of a pickle in bytes. The largest pickles of PyTorch have a few MB. */
  public static final int MAX_BYTES = 128 << 20;

  /** The maximum number of nodes of one pickle. A tensor needs about twenty. */
  static final int MAX_NODES = 4_000_000;

  private final ByteBuffer input;
  private final String where;
  private final List<PickleValue> stack = new ArrayList<>();
  private final List<Integer> marks = new ArrayList<>();
  private final Map<Integer, PickleValue> memo = new HashMap<>();
  private int nodes;

  private PickleReader(ByteBuffer input, String where) {
    this.input = input;
    this.where = where;
  }

  /**
   * Reads one pickle.
   *
   * @param pickle the bytes
   * @param where the name of the pickle for error messages, as in {@code data.pkl of model.pt}
   * @throws ModelFormatException if it is damaged, or uses opcodes that PyTorch never writes
   */
  public static PickleValue read(byte[] pickle, String where) {
    if (pickle.length > MAX_BYTES) {
      throw new ModelFormatException(
          "%s: a pickle of %d bytes exceeds the limit of %d; store tensors in records of their own, as torch.save does"
              .formatted(where, pickle.length, MAX_BYTES));
    }
    return readNext(ByteBuffer.wrap(pickle), where);
  }

  /**
   * Reads the pickle at the start of some bytes, which others may follow.
   *
   * @param pickles the bytes from position to limit; afterwards at the end of the pickle
   * @param where the name of the pickle for error messages
   * @throws ModelFormatException if it is damaged, does not end within the bytes, or uses opcodes
   *     that PyTorch never writes
   */
  public static PickleValue readNext(ByteBuffer pickles, String where) {
    var reader = new PickleReader(pickles.order(ByteOrder.LITTLE_ENDIAN), where);
    try {
      return reader.run();
    } catch (BufferUnderflowException e) {
      throw new ModelFormatException(
          "%s: the pickle is cut short; copy or download the file again".formatted(where), e);
    }
  }

  private PickleValue run() {
    while (true) {
      int opcode = input.get() & 0xFF;
      if (opcode == Opcode.STOP) {
        if (stack.size() != 1 || !marks.isEmpty()) {
          throw damaged("it ends with %d values instead of one".formatted(stack.size()));
        }
        return stack.get(0);
      }
      step(opcode);
    }
  }

  private void step(int opcode) {
    switch (opcode) {
      case Opcode.PROTO -> protocol();
      case Opcode.FRAME -> input.getLong();

      case Opcode.NONE -> stack.add(PickleNone.NONE);
      case Opcode.NEWTRUE -> stack.add(new PickleBool(true));
      case Opcode.NEWFALSE -> stack.add(new PickleBool(false));
      case Opcode.BININT -> push(PickleInt.of(input.getInt()));
      case Opcode.BININT1 -> push(PickleInt.of(input.get() & 0xFF));
      case Opcode.BININT2 -> push(PickleInt.of(input.getShort() & 0xFFFF));
      case Opcode.LONG1 -> push(integer(input.get() & 0xFF));
      case Opcode.LONG4 -> push(integer(length(input.getInt())));
      case Opcode.BINFLOAT -> push(new PickleFloat(Double.longBitsToDouble(bigEndianLong())));
      case Opcode.BINUNICODE -> push(text(length(Integer.toUnsignedLong(input.getInt()))));
      case Opcode.SHORT_BINUNICODE -> push(text(input.get() & 0xFF));
      case Opcode.BINUNICODE8 -> push(text(length(input.getLong())));
      case Opcode.BINSTRING -> push(text(length(input.getInt())));
      case Opcode.SHORT_BINSTRING -> push(text(input.get() & 0xFF));
      case Opcode.BINBYTES ->
          push(new PickleBytes(bytes(length(Integer.toUnsignedLong(input.getInt())))));
      case Opcode.SHORT_BINBYTES -> push(new PickleBytes(bytes(input.get() & 0xFF)));
      case Opcode.BINBYTES8, Opcode.BYTEARRAY8 ->
          push(new PickleBytes(bytes(length(input.getLong()))));

      case Opcode.EMPTY_TUPLE -> push(PickleTuple.of());
      case Opcode.TUPLE1 -> tuple(1);
      case Opcode.TUPLE2 -> tuple(2);
      case Opcode.TUPLE3 -> tuple(3);
      case Opcode.TUPLE -> push(new PickleTuple(popToMark()));
      case Opcode.EMPTY_LIST -> push(new PickleList());
      case Opcode.EMPTY_DICT -> push(new PickleDict());
      case Opcode.EMPTY_SET -> push(set("set", List.of()));
      case Opcode.FROZENSET -> push(set("frozenset", popToMark()));
      case Opcode.APPEND -> append(List.of(pop()));
      case Opcode.APPENDS -> append(popToMark());
      case Opcode.SETITEM -> {
        PickleValue value = pop();
        setItems(List.of(pop(), value));
      }
      case Opcode.SETITEMS -> setItems(popToMark());
      case Opcode.ADDITEMS -> addItems(popToMark());

      case Opcode.MARK -> {
        countNode();
        marks.add(stack.size());
      }
      case Opcode.POP -> {
        if (!marks.isEmpty() && marks.get(marks.size() - 1) == stack.size()) {
          marks.remove(marks.size() - 1);
        } else {
          pop();
        }
      }
      case Opcode.POP_MARK -> popToMark();
      case Opcode.BINPUT -> remember(input.get() & 0xFF);
      case Opcode.LONG_BINPUT -> remember(input.getInt());
      case Opcode.MEMOIZE -> remember(memo.size());
      case Opcode.BINGET -> recall(input.get() & 0xFF);
      case Opcode.LONG_BINGET -> recall(input.getInt());

      case Opcode.GLOBAL -> push(new PickleGlobal(line(), line()));
      case Opcode.STACK_GLOBAL -> {
        String name = popText("a global's name");
        push(new PickleGlobal(popText("a global's module"), name));
      }
      case Opcode.REDUCE -> {
        PickleTuple arguments = popTuple("a call");
        push(new PickleObject(PickleObject.Construction.CALL, pop(), arguments));
      }
      case Opcode.NEWOBJ -> {
        PickleTuple arguments = popTuple("a new object");
        push(new PickleObject(PickleObject.Construction.NEW, pop(), arguments));
      }
      case Opcode.BUILD -> build(pop());
      case Opcode.BINPERSID -> push(new PickleReference(pop()));

      default ->
          throw damaged(
              "unsupported opcode 0x%02x at byte %d, which PyTorch never writes"
                  .formatted(opcode, input.position() - 1));
    }
  }

  private void protocol() {
    int protocol = input.get() & 0xFF;
    if (protocol < 2 || protocol > 5) {
      throw new ModelFormatException(
          "%s: unsupported pickle protocol %d (supported: 2 to 5); save the file again with torch.save"
              .formatted(where, protocol));
    }
  }

  private void push(PickleValue value) {
    countNode();
    stack.add(value);
  }

  private void countNode() {
    if (++nodes > MAX_NODES) {
      throw new ModelFormatException(
          "%s: the pickle has more than %d values, more than any model needs"
              .formatted(where, MAX_NODES));
    }
  }

  private PickleValue pop() {
    int floor = marks.isEmpty() ? 0 : marks.get(marks.size() - 1);
    if (stack.size() <= floor) {
      throw damaged("a value is missing at byte %d".formatted(input.position() - 1));
    }
    return stack.remove(stack.size() - 1);
  }

  private List<PickleValue> popToMark() {
    if (marks.isEmpty()) {
      throw damaged("a mark is missing at byte %d".formatted(input.position() - 1));
    }
    List<PickleValue> tail = stack.subList(marks.remove(marks.size() - 1), stack.size());
    List<PickleValue> values = List.copyOf(tail);
    tail.clear();
    return values;
  }

  private PickleValue top() {
    PickleValue top = pop();
    stack.add(top);
    return top;
  }

  private String popText(String what) {
    if (pop() instanceof PickleText text) {
      return text.value();
    }
    throw damaged(what + " is not a string");
  }

  private PickleTuple popTuple(String what) {
    if (pop() instanceof PickleTuple tuple) {
      return tuple;
    }
    throw damaged("the arguments of %s are not a tuple".formatted(what));
  }

  private void tuple(int size) {
    var items = new PickleValue[size];
    for (int i = size - 1; i >= 0; i--) {
      items[i] = pop();
    }
    push(PickleTuple.of(items));
  }

  /** Protocol 2, which the writer uses, has no sets: they are calls. */
  private static PickleObject set(String kind, List<PickleValue> members) {
    return PickleObject.call(
        new PickleGlobal("builtins", kind), PickleList.of(members.toArray(PickleValue[]::new)));
  }

  private void append(List<PickleValue> values) {
    PickleValue target = top();
    if (target instanceof PickleList list) {
      list.items().addAll(values);
    } else if (target instanceof PickleObject object) {
      object.items().items().addAll(values);
    } else {
      throw damaged("items are appended to a value that is not a list");
    }
  }

  private void addItems(List<PickleValue> values) {
    if (top() instanceof PickleObject object
        && object.isCallOf("builtins", "set")
        && object.arguments().size() == 1
        && object.arguments().get(0) instanceof PickleList members) {
      members.items().addAll(values);
    } else {
      throw damaged("members are added to a value that is not a set");
    }
  }

  private void setItems(List<PickleValue> keysAndValues) {
    PickleValue target = top();
    PickleDict dict;
    if (target instanceof PickleDict plain) {
      dict = plain;
    } else if (target instanceof PickleObject object) {
      dict = object.entries();
    } else {
      throw damaged("entries are set on a value that is not a dict");
    }
    if (keysAndValues.size() % 2 != 0) {
      throw damaged("a dict's key has no value");
    }
    for (int i = 0; i < keysAndValues.size(); i += 2) {
      dict.entries().put(keysAndValues.get(i), keysAndValues.get(i + 1));
    }
  }

  private void build(PickleValue state) {
    if (!(top() instanceof PickleObject object)) {
      throw damaged("a state is set on a value that is not an object");
    }
    object.setState(state);
  }

  private void remember(int index) {
    if (index < 0) {
      throw damaged("memo index %d is negative".formatted(index));
    }
    memo.put(index, top());
  }

  private void recall(int index) {
    @Nullable PickleValue value = memo.get(index);
    if (value == null) {
      throw damaged("memo index %d is read before it is set".formatted(index));
    }
    countNode();
    stack.add(value);
  }

  private int length(long length) {
    if (length < 0 || length > input.remaining()) {
      throw damaged(
          "a value announces %d bytes, but %d are left".formatted(length, input.remaining()));
    }
    return (int) length;
  }

  private byte[] bytes(int length) {
    var bytes = new byte[length(length)];
    input.get(bytes);
    return bytes;
  }

  private PickleText text(int length) {
    length(length);
    ByteBuffer slice = input.slice(input.position(), length);
    input.position(input.position() + length);
    try {
      return new PickleText(StandardCharsets.UTF_8.newDecoder().decode(slice).toString());
    } catch (CharacterCodingException e) {
      throw new ModelFormatException(
          "%s: the pickle is damaged: a text is not UTF-8".formatted(where), e);
    }
  }

  private PickleValue integer(int length) {
    byte[] littleEndian = bytes(length);
    if (length <= Long.BYTES) {
      long value = length == 0 || littleEndian[length - 1] >= 0 ? 0 : -1;
      for (int i = length - 1; i >= 0; i--) {
        value = value << 8 | (littleEndian[i] & 0xFF);
      }
      return PickleInt.of(value);
    }
    var bigEndian = new byte[length];
    for (int i = 0; i < length; i++) {
      bigEndian[i] = littleEndian[length - 1 - i];
    }
    var value = new BigInteger(bigEndian);
    return value.bitLength() < Long.SIZE
        ? PickleInt.of(value.longValue())
        : new PickleBigInt(value);
  }

  private long bigEndianLong() {
    return Long.reverseBytes(input.getLong());
  }

  private String line() {
    int end = input.position();
    while (end < input.limit() && input.get(end) != '\n') {
      end++;
    }
    String line = text(end - input.position()).value();
    input.get();
    return line;
  }

  private ModelFormatException damaged(String what) {
    return new ModelFormatException("%s: the pickle is damaged: %s".formatted(where, what));
  }
}
