package dev.kvant.backend.modelopt;

import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.torch.script.ScriptModule;

/** A class of an archive's code that was changed so that its instances multiply integers. */
interface IntegerProducts {

  /** Sets the attributes of an instance that multiplies as before. */
  void initializeNative(ScriptModule module);

  /**
   * Sets the attributes of an instance that multiplies integers.
   *
   * @param weight its weight, int8
   * @param input how its input is quantized to int8, with a range that is not empty
   * @return the bytes that its weight has in the archive, with its scales
   */
  long initialize(ScriptModule module, RoundedWeight weight, FakeQuantizer input);
}
