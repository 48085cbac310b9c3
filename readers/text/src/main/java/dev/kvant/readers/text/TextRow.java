package dev.kvant.readers.text;

import org.jspecify.annotations.Nullable;

/**
 * One sample of a text file.
 *
 * @param text the text
 * @param pair the second text of a pair, or null
 * @param label the right class; 0 where there is none
 */
record TextRow(String text, @Nullable String pair, long label) {}
