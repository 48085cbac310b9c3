/** Reads texts as samples, tokenized by a {@code tokenizer.json}. */
module dev.kvant.readers.text {
  requires ai.djl.api;
  requires ai.djl.tokenizers;
  requires com.google.gson;
  requires transitive dev.kvant.spi;
  requires static transitive org.jspecify;

  exports dev.kvant.readers.text;

  provides dev.kvant.spi.DataReaderProvider with
      dev.kvant.readers.text.TextReaderProvider;
}
