package dev.kvant.runtime.discovery;

import dev.kvant.api.ProviderException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.RecognizedModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A model format behind a guard. It names its ids once. */
final class GuardedFormat implements ModelFormat {

  private final ModelFormat format;
  private final ProviderCall call;
  private final List<String> ids;

  GuardedFormat(Provided<ModelFormat> provided) throws Undescribed {
    format = provided.instance();
    call = new ProviderCall("format", provided);
    ids = List.copyOf(call.describe("ids()", format::ids));
  }

  @Override
  public List<String> ids() {
    return ids;
  }

  /**
   * @throws ProviderException also where the file cannot be read
   */
  @Override
  public boolean recognizes(Path path) {
    return call.ask("recognizes()", () -> format.recognizes(path));
  }

  /**
   * @throws ProviderException also where the file cannot be read
   */
  @Override
  public Optional<RecognizedModel> probe(Path path) {
    return call.ask("recognizes()", () -> format.probe(path)).map(GuardedModel::new);
  }

  @Override
  public QuantizableModel open(Path path) {
    return known(call.work("open()", () -> format.open(path)));
  }

  private QuantizableModel known(QuantizableModel model) {
    String id = call.ask("format() of the model that open() returned", model::format);
    if (!ids.contains(id)) {
      model.close();
      throw new ProviderException(
          "%s: open() returned a model of format '%s', which is not among its ids: %s"
              .formatted(call, id, String.join(", ", ids)));
    }
    return model;
  }

  private final class GuardedModel implements RecognizedModel {

    private final RecognizedModel recognized;

    GuardedModel(RecognizedModel recognized) {
      this.recognized = recognized;
    }

    @Override
    public QuantizableModel open() {
      return known(call.work("open()", recognized::open));
    }

    @Override
    public void close() {
      call.work("close()", recognized::close);
    }
  }
}
