package dev.kvant.tck;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives a defective provider the defect that the run is about. */
final class DefectResolver implements ParameterResolver {

  /** The configuration parameter that names the defect. */
  static final String DEFECT = "dev.kvant.tck.defect";

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return type(parameter) == Defect.class
        || type(parameter) == FormatDefect.class
        || type(parameter) == ReaderDefect.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    String name = context.getConfigurationParameter(DEFECT).orElseThrow();
    if (type(parameter) == ReaderDefect.class) {
      return ReaderDefect.valueOf(name);
    }
    return type(parameter) == Defect.class ? Defect.valueOf(name) : FormatDefect.valueOf(name);
  }

  private static Class<?> type(ParameterContext parameter) {
    return parameter.getParameter().getType();
  }
}
