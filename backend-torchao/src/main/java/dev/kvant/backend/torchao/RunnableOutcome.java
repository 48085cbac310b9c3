package dev.kvant.backend.torchao;

import java.util.Map;
import java.util.Set;

/**
 * What came out in an artifact that runs by itself.
 *
 * @param notes what is worth knowing about modules, by name
 * @param restored the modules whose weights stayed floating-point, with the error of quantization
 * @param packed the modules that quantize their input
 */
record RunnableOutcome(Map<String, String> notes, Set<String> restored, Set<String> packed) {}
