package dev.kvant.validation;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.ModelQuantizationConfig;
import jakarta.validation.ConstraintViolation;
import jakarta.validation.Path;
import jakarta.validation.TraversableResolver;
import jakarta.validation.Validation;
import jakarta.validation.Validator;
import jakarta.validation.ValidatorFactory;
import java.lang.annotation.ElementType;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.hibernate.validator.HibernateValidator;
import org.hibernate.validator.messageinterpolation.ParameterMessageInterpolator;

/**
 * The constraints of the configuration records, checked by Hibernate Validator.
 *
 * <p>Kept small, because every command uses it at start: no XML, no expression language, no
 * persistence provider, and no context class loader.
 */
final class BeanConstraints implements AutoCloseable {

  /** Names where Hibernate Validator logs. */
  private static final String LOGGING_PROVIDER = "org.jboss.logging.provider";

  private final ValidatorFactory factory;
  private final Validator validator;

  BeanConstraints() {
    factory = withoutGreeting(BeanConstraints::newFactory);
    validator = factory.getValidator();
  }

  /**
   * Hibernate Validator logs its version at its first use, by default through Java's logging, which
   * prints it on standard error. An application that configures either has the last word.
   */
  private static ValidatorFactory withoutGreeting(Supplier<ValidatorFactory> action) {
    if (System.getProperty(LOGGING_PROVIDER) != null) {
      return action.get();
    }
    Logger logger = Logger.getLogger("org.hibernate.validator.internal.util.Version");
    if (logger.getLevel() != null) {
      return action.get();
    }
    logger.setLevel(Level.WARNING);
    try {
      return action.get();
    } finally {
      logger.setLevel(null);
    }
  }

  private static ValidatorFactory newFactory() {
    return Validation.byProvider(HibernateValidator.class)
        .providerResolver(() -> List.of(new HibernateValidator()))
        .configure()
        .ignoreXmlConfiguration()
        .externalClassLoader(BeanConstraints.class.getClassLoader())
        // Messages are in English like all others, independent of the locale.
        .messageInterpolator(
            new ParameterMessageInterpolator(Set.of(Locale.ENGLISH), Locale.ENGLISH, false))
        .traversableResolver(new EverythingIsThere())
        .propertyNodeNameProvider(property -> inSnakeCase(property.getName()))
        .buildValidatorFactory();
  }

  /** What violates a constraint, with the path in the spelling of documents. */
  List<ConfigurationProblem> violations(ModelQuantizationConfig config) {
    return validator.validate(config).stream().map(BeanConstraints::problem).toList();
  }

  private static ConfigurationProblem problem(ConstraintViolation<?> violation) {
    // An element of a list has its index already; its node says "<list element>" once more.
    String path = violation.getPropertyPath().toString().replace(".<list element>", "");
    return new ConfigurationProblem("quantize." + path, violation.getMessage());
  }

  private static String inSnakeCase(String name) {
    return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }

  @Override
  public void close() {
    factory.close();
  }

  /** Records are always loaded whole; the default resolver would look for JPA to ask. */
  private static final class EverythingIsThere implements TraversableResolver {

    @Override
    public boolean isReachable(
        Object traversableObject,
        Path.Node traversableProperty,
        Class<?> rootBeanType,
        Path pathToTraversableObject,
        ElementType elementType) {
      return true;
    }

    @Override
    public boolean isCascadable(
        Object traversableObject,
        Path.Node traversableProperty,
        Class<?> rootBeanType,
        Path pathToTraversableObject,
        ElementType elementType) {
      return true;
    }
  }
}
