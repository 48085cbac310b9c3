package dev.kvant.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("HTML")
class HtmlTest {

  @Test
  void has_references_for_what_would_be_markup() {
    assertThat(new Html().element("p", "<b> & 'c'", "title", "\"d\" > e").toString())
        .isEqualTo("<p title=\"&quot;d&quot; &gt; e\">&lt;b&gt; &amp; &#39;c&#39;</p>");
  }

  @Test
  void leaves_out_attributes_without_a_value() {
    assertThat(new Html().element("p", "x", "class", null, "id", "y").toString())
        .isEqualTo("<p id=\"y\">x</p>");
  }

  @Test
  void replaces_characters_that_it_does_not_allow() {
    assertThat(Html.escaped("a\0b\u001b[1mc\ud800d\ufffee\u0085f")).isEqualTo("a�b�[1mc�d�e�f");
    assertThat(Html.escaped("Größe 🎲\n\t")).isEqualTo("Größe 🎲\n\t");
  }

  @Test
  void refuses_a_known_content_that_would_end_its_element() {
    Html html = new Html();

    assertThatThrownBy(() -> html.known("script", "'</SCRIPT>'"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
