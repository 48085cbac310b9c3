package dev.kvant.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.DataException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RowWriterTest {

  @TempDir private Path folder;

  @Test
  void texts_become_json_lines() throws Exception {
    var schema =
        new StructType().add("text", DataTypes.StringType).add("label", DataTypes.LongType);
    Path file;
    try (var writer = new TextRows(schema, folder)) {
      writer.add(RowFactory.create("one \"quoted\"\nline", 3L));
      writer.add(RowFactory.create("Größe", 4L));
      file = writer.data();
    }

    assertThat(Files.readString(file).lines())
        .containsExactly(
            "{\"text\":\"one \\\"quoted\\\"\\nline\",\"label\":3}",
            "{\"text\":\"Größe\",\"label\":4}");
  }

  @Test
  void images_need_one_column() {
    var schema = new StructType().add("a", DataTypes.BinaryType).add("b", DataTypes.BinaryType);

    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> new ImageRows(schema, new HadoopFiles(new Configuration()), folder))
        .withMessage(
            "images require one column of bytes, or else one of paths, and not column 'a' (BINARY),"
                + " column 'b' (BINARY); select it");
  }

  @Test
  void bytes_of_other_files_are_refused() throws Exception {
    var schema = new StructType().add("content", DataTypes.BinaryType);

    try (var writer = new ImageRows(schema, new HadoopFiles(new Configuration()), folder)) {
      assertThatExceptionOfType(DataException.class)
          .isThrownBy(() -> writer.add(RowFactory.create((Object) new byte[] {1, 2, 3})))
          .withMessageContaining("do not begin like a PNG, JPEG, GIF, BMP or WebP file");
    }
  }
}
