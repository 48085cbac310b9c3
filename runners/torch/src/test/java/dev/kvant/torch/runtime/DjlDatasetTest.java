package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.ArrayDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Data sets of DJL are sources of batches. */
class DjlDatasetTest {

  @Test
  void every_batch_is_a_tensor_and_labels_take_no_part() {
    try (NDManager manager = Libtorch.load().manager(Device.CPU)) {
      var dataset =
          new ArrayDataset.Builder()
              .setData(manager.arange(12f).reshape(new Shape(6, 2)))
              .optLabels(manager.ones(new Shape(6)))
              .setSampling(4, false)
              .build();

      DjlDataset data = DjlDataset.of(dataset);

      for (int walk = 0; walk < 2; walk++) {
        List<TensorBatch> batches = new ArrayList<>();
        data.forEach(batches::add);
        assertThat(batches).hasSize(2);
        assertThat(batches.get(1).inputs()).containsOnlyKeys(TensorBatch.SOLE_INPUT);
        Tensor last = Models.output(batches.get(1).inputs(), TensorBatch.SOLE_INPUT);
        assertThat(last.shape()).containsExactly(2L, 2L);
        assertThat(last.toFloats()).containsExactly(8, 9, 10, 11);
      }
    }
  }

  @Test
  void several_arrays_are_the_inputs_in_their_order() {
    try (NDManager manager = Libtorch.load().manager(Device.CPU)) {
      var dataset =
          new ArrayDataset.Builder()
              .setData(
                  manager.arange(4f).reshape(new Shape(2, 2)),
                  manager.ones(new Shape(2, 3), DataType.INT64))
              .setSampling(2, false)
              .build();

      TensorBatch batch = DjlDataset.of(dataset, List.of("x", "mask")).iterator().next();

      assertThat(batch.inputs().keySet()).containsExactly("x", "mask");
      assertThat(Models.output(batch.inputs(), "mask").toLongs()).containsOnly(1);
    }
  }

  @Test
  void a_batch_with_fewer_arrays_than_inputs_is_refused() {
    try (NDManager manager = Libtorch.load().manager(Device.CPU)) {
      var dataset =
          new ArrayDataset.Builder()
              .setData(manager.ones(new Shape(2, 2)))
              .setSampling(2, false)
              .build();

      assertThatExceptionOfType(DataException.class)
          .isThrownBy(() -> DjlDataset.of(dataset, List.of("x", "mask")).iterator().next())
          .withMessageContaining("has 1 arrays for the inputs [x, mask]");
    }
  }
}
