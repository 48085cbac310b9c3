package dev.kvant.backend.gguf.checkpoint;

import dev.kvant.gguf.GgufEntry;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects entries; of two with one key, the first remains. */
final class Metadata {

  private final Map<String, GgufEntry> entries = new LinkedHashMap<>();

  Metadata add(GgufEntry entry) {
    entries.putIfAbsent(entry.key(), entry);
    return this;
  }

  boolean has(String key) {
    return entries.containsKey(key);
  }

  List<GgufEntry> entries() {
    return List.copyOf(entries.values());
  }
}
