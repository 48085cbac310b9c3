package dev.kvant.torch.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.io.IOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Calibration data from a data set of DJL. Its labels are ignored; batches are copied one by one.
 *
 * @since 0.1.0
 */
public final class DjlDataset implements CalibrationDataset {

  private final Dataset dataset;
  private final List<String> inputs;

  private DjlDataset(Dataset dataset, List<String> inputs) {
    this.dataset = Objects.requireNonNull(dataset, "dataset");
    this.inputs = List.copyOf(inputs);
  }

  /** The data of a model with one input. */
  public static DjlDataset of(Dataset dataset) {
    return new DjlDataset(dataset, List.of(TensorBatch.SOLE_INPUT));
  }

  /**
   * The data of a model with several inputs.
   *
   * @param inputs the names of the inputs for the arrays of a batch, in the batch's order
   */
  public static DjlDataset of(Dataset dataset, List<String> inputs) {
    return new DjlDataset(dataset, inputs);
  }

  /**
   * Iterates over the data from its beginning.
   *
   * @throws DataException if the data set fails
   * @throws dev.kvant.api.UnavailableException if libtorch is missing
   */
  @Override
  public Iterator<TensorBatch> iterator() {
    PtNDManager manager = Libtorch.load().manager(Device.CPU);
    try {
      dataset.prepare();
      return new Batches(dataset.getData(manager).iterator(), manager);
    } catch (IOException | TranslateException e) {
      manager.close();
      throw new DataException("the data set of DJL cannot be read: " + e.getMessage(), e);
    }
  }

  private final class Batches implements Iterator<TensorBatch> {

    private final Iterator<Batch> batches;
    private final PtNDManager manager;

    Batches(Iterator<Batch> batches, PtNDManager manager) {
      this.batches = batches;
      this.manager = manager;
    }

    @Override
    public boolean hasNext() {
      boolean hasNext = batches.hasNext();
      if (!hasNext) {
        manager.close();
      }
      return hasNext;
    }

    @Override
    public TensorBatch next() {
      try (Batch batch = batches.next()) {
        NDList arrays = batch.getData();
        if (arrays.size() < inputs.size()) {
          throw new DataException(
              "a batch of the data set has %d arrays for the inputs %s"
                  .formatted(arrays.size(), inputs));
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
          tensors.put(inputs.get(i), tensor(inputs.get(i), arrays.get(i)));
        }
        return new TensorBatch(tensors);
      }
    }
  }

  private static Tensor tensor(String input, NDArray array) {
    return TensorExchange.copy(array)
        .orElseThrow(
            () ->
                new DataException(
                    "the array for the input '%s' is of type %s; convert it to one that tensors have"
                        .formatted(input, array.getDataType())));
  }
}
