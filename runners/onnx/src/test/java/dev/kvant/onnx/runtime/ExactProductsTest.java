package dev.kvant.onnx.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.kvant.api.Device;
import dev.kvant.spi.Processor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A session")
class ExactProductsTest {

  private static final Processor WITHOUT_VNNI =
      Processor.of("amd64", List.of("flags\t\t: avx2 avx512f"));
  private static final Processor WITH_VNNI =
      Processor.of("amd64", List.of("flags\t\t: avx2 avx512_vnni"));

  private final List<String> precisions = new ArrayList<>();

  private OrtSession load(OrtEnvironment environment, OrtSession.SessionOptions options)
      throws OrtException {
    precisions.add(options.getConfigEntries().getOrDefault("session.x64quantprecision", ""));
    return environment.createSession(OnnxRunnerProviderTest.model().toString(), options);
  }

  private static void open(Processor processor, RuntimeSession.Loader loader) throws OrtException {
    RuntimeSession.load(
            OrtEnvironment.getEnvironment(),
            Device.CPU,
            OrtSession.SessionOptions.OptLevel.ALL_OPT,
            processor,
            loader)
        .close();
  }

  @Test
  void computes_products_exactly_on_a_processor_that_would_add_them_in_16_bits()
      throws OrtException {
    open(WITHOUT_VNNI, this::load);

    assertThat(precisions).containsExactly("1");
  }

  @Test
  void computes_as_fast_as_it_can_on_others() throws OrtException {
    open(WITH_VNNI, this::load);

    assertThat(precisions).containsExactly("");
  }

  @Test
  void loads_what_cannot_be_loaded_that_way() throws OrtException {
    open(
        WITHOUT_VNNI,
        (environment, options) -> {
          OrtSession session = load(environment, options);
          if (precisions.size() == 1) {
            session.close();
            throw new OrtException("no initializer");
          }
          return session;
        });

    assertThat(precisions).containsExactly("1", "");
  }
}
