package dev.kvant.torch.pickle;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Something that Python would build by calling: an opaque node here, nothing is called.
 *
 * <p>Two ways lead to one. {@link Construction#CALL} is the result of a function, such as a tensor
 * ({@code torch._utils._rebuild_tensor_v2}) or an {@code OrderedDict}. {@link Construction#NEW} is
 * an instance made without its initializer, such as a module of a TorchScript archive. Either may
 * get dict entries, list items and a state afterwards.
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

  /** What would be called or instantiated: a {@link PickleGlobal} in all that PyTorch writes. */
  public PickleValue callable() {
    return callable;
  }

  /** The arguments of the call. */
  public PickleTuple arguments() {
    return arguments;
  }

  /** Entries that are set on the result, as on an {@code OrderedDict}; to be changed as well. */
  public PickleDict entries() {
    return entries;
  }

  /** Items that are appended to the result; to be changed as well. */
  public PickleList items() {
    return items;
  }

  /** What the result's {@code __setstate__} is given, or null. */
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
