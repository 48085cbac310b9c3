package dev.kvant.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A family of modules")
class ModuleFamilyTest {

  @Test
  void is_told_by_the_last_part_of_a_name() {
    assertThat(ModuleFamily.of("encoder.layer.0.attention.self.key"))
        .contains(ModuleFamily.QUERY_KEY_VALUE);
    assertThat(ModuleFamily.of("v")).contains(ModuleFamily.QKV);
    assertThat(ModuleFamily.of("layers.0.mlp.up_proj")).contains(ModuleFamily.GATE_UP_PROJ);
    assertThat(ModuleFamily.of("layers.0.mlp.down_proj")).isEmpty();
    assertThat(ModuleFamily.of("query.dense")).isEmpty();
  }

  @Test
  void has_one_name_in_each_parent() {
    assertThat(ModuleFamily.QKV_PROJ.in("layers.0.q_proj"))
        .isEqualTo(ModuleFamily.QKV_PROJ.in("layers.0.v_proj"))
        .isNotEqualTo(ModuleFamily.QKV_PROJ.in("layers.1.q_proj"));
    assertThat(ModuleFamily.QKV.in("q")).isEqualTo(ModuleFamily.QKV.in("k"));
  }

  @Test
  void shares_no_name_with_another() {
    List<String> names = new ArrayList<>();
    for (ModuleFamily family : ModuleFamily.values()) {
      names.addAll(family.names());
    }
    assertThat(names).doesNotHaveDuplicates();
  }
}
