package dev.kvant.torch.pickle;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An object that Python would build by a call. Here it is an opaque node, and nothing is called.
 *
 * <p>There are two kinds. {@link Construction#CALL} is the result of a function, such as a tensor
 * ({@code torch._utils._rebuild_tensor_v2}) or an {@code OrderedDict}. {@link Construction#NEW} is
 * an instance made without its initializer, such as a module of a TorchScript archive. Both may
 * have dict entries, list items and a state.
 *
 * @since 0.1.0
 */
public final class PickleObject implements PickleValue {

  /** How Python would build it. */
  public enum Construction {
    /** By calling a function. */
    CALL,
    /** By {@code cls.__new__}. */
    NEW
  }

  private final Construction construction;
  private final PickleValue callable;
  private final PickleTuple arguments;
  private final PickleDict entries = new PickleDict();
  private final PickleList items = new PickleList();
  private @Nullable PickleValue state;

  PickleObject(Construction construction, PickleValue callable, PickleTuple arguments) {
    this.construction = Objects.requireNonNull(construction, "construction");
    this.callable = Objects.requireNonNull(callable, "callable");
    this.arguments = Objects.requireNonNull(arguments, "arguments");
  }

  /** The result of calling a function. */
  public static PickleObject call(PickleGlobal function, PickleValue... arguments) {
    return new PickleObject(Construction.CALL, function, PickleTuple.of(arguments));
  }

  /** An instance of a class with a state. */
  public static PickleObject instance(PickleGlobal type, PickleValue state) {
    var object = new PickleObject(Construction.NEW, type, PickleTuple.of());
    object.setState(state);
    return object;
  }

  /** How Python would build it. */
  public Construction construction() {
    return construction;
  }

  /** The function or class: a {@link PickleGlobal} in all files of PyTorch. */
  public PickleValue callable() {
    return callable;
  }

  /** The arguments of the call. */
  public PickleTuple arguments() {
    return arguments;
  }

  /** Entries that are set on the result, as on an {@code OrderedDict}; they may be changed. */
  public PickleDict entries() {
    return entries;
  }

  /** Items that are appended to the result; they may be changed. */
  public PickleList items() {
    return items;
  }

  /** The argument of the result's {@code __setstate__}, or null. */
  public @Nullable PickleValue state() {
    return state;
  }

  /** Changes the state; null for none. */
  public void setState(@Nullable PickleValue state) {
    this.state = state;
  }

  /** Whether it is the result of calling that function. */
  public boolean isCallOf(String module, String name) {
    return construction == Construction.CALL
        && callable instanceof PickleGlobal global
        && global.is(module, name);
  }

  /** The attributes of an instance: its state if that is a dict. */
  public Optional<PickleDict> attributes() {
    return state instanceof PickleDict dict ? Optional.of(dict) : Optional.empty();
  }
}
