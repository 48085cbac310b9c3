package dev.kvant.backend.modelopt;

import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import dev.kvant.spi.Processor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What {@code backend_kwargs} say.
 *
 * @param target what the runnable artifact is for
 * @param fitsPairs whether weights that are multiplied by codes get fewer codes where processors
 *     without VNNI would overflow
 * @param perChannel whether weights have a range for each output channel unless a rule says
 *     otherwise
 * @param version the ModelOpt that the checkpoint is for
 * @param dropBuffers patterns of the names of buffers that the checkpoint leaves out
 */
record ModelOptOptions(
    Target target,
    boolean fitsPairs,
    boolean perChannel,
    Version version,
    List<String> dropBuffers) {

  static final String TARGET = "target";
  static final String REDUCE_RANGE = "reduce_range";
  static final String WEIGHTS = "weights";
  static final String VERSION = "modelopt_version";
  static final String DROP_BUFFERS = "drop_buffers";

  private static final String AUTO = "auto";
  private static final String FALSE = "false";
  private static final String PER_TENSOR = "per_tensor";
  static final String PER_CHANNEL = "per_channel";

  /** What the runnable artifact is for. */
  enum Target {
    /** An x86-64 processor: Linear modules and convolutions multiply integers. */
    CPU,
    /** Any device: values are rounded as ModelOpt does and stay floating-point. */
    PORTABLE;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** What holds unless it is said: the processor of this process, if it has what it takes. */
    static Target ofThisProcess() {
      return Processor.isX86(Processor.architectureOfThisProcess()) ? CPU : PORTABLE;
    }
  }

  /** A version of ModelOpt; one restores no checkpoint that is for another. */
  enum Version {
    /** 0.33. */
    V0_33("0.33", "0.33.1"),
    /** 0.47. */
    V0_47("0.47", "0.47.0");

    private final String label;
    private final String release;

    Version(String label, String release) {
      this.label = label;
      this.release = release;
    }

    /** As in {@code 0.47}. */
    String label() {
      return label;
    }

    /** The release that a checkpoint claims to be of, as in {@code 0.47.0}. */
    String release() {
      return release;
    }

    private static Version of(String label) {
      return Arrays.stream(values())
          .filter(version -> version.label.equals(label))
          .findFirst()
          .orElseThrow();
    }
  }

  ModelOptOptions {
    dropBuffers = List.copyOf(dropBuffers);
  }

  static ModelOptOptions of(Options options) {
    return new ModelOptOptions(
        Target.valueOf(options.text(TARGET).toUpperCase(Locale.ROOT)),
        options.text(REDUCE_RANGE).equals(AUTO),
        options.text(WEIGHTS).equals(PER_CHANNEL),
        Version.of(options.text(VERSION)),
        options.texts(DROP_BUFFERS));
  }

  static List<OptionDescriptor> descriptors() {
    Target here = Target.ofThisProcess();
    Target other = here == Target.CPU ? Target.PORTABLE : Target.CPU;
    return List.of(
        OptionDescriptor.choice(
            TARGET,
            List.of(here.label(), other.label()),
            "What the runnable artifact is for: in cpu Linear modules and convolutions multiply"
                + " integers, which needs an x86-64 processor and is faster than float32; portable"
                + " runs anywhere"
                + " and rounds exactly as ModelOpt does."),
        OptionDescriptor.choice(
            REDUCE_RANGE,
            List.of(AUTO, FALSE),
            "How many codes weights of integer products in the runnable artifact get, because"
                + " x86-64 CPUs without VNNI add pairs of products in 16 bits: auto fewer for"
                + " outputs where a pair could overflow, false 8 bits for all."),
        OptionDescriptor.choice(
            WEIGHTS,
            List.of(PER_TENSOR, PER_CHANNEL),
            "Whether a weight has one range or one for each output channel; a rule's"
                + " granularity goes before."),
        OptionDescriptor.choice(
            VERSION,
            List.of(Version.V0_47.label(), Version.V0_33.label()),
            "The version of ModelOpt that restores the checkpoint."),
        new OptionDescriptor(
            DROP_BUFFERS,
            OptionDescriptor.Type.LIST_OF_STRINGS,
            List.of(),
            "",
            "Patterns of the names of buffers that Python does not persist, so that the checkpoint"
                + " must not have them."),
        OptionDescriptor.calibrationCache());
  }
}
