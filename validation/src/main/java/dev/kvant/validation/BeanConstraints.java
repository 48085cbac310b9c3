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
import org.hibernate.validator.HibernateValidator;
import org.hibernate.validator.messageinterpolation.ParameterMessageInterpolator;

/**
 * The constraints of the configuration records, checked by Hibernate Validator.
 *
 * <p>Kept small, because every command uses it at start: no XML, no expression language, no
 * persistence provider, and no context class loader.
 */
final class BeanConstraints implements AutoCloseable {

  private final ValidatorFactory factory;
  private final Validator validator;

  BeanConstraints() {
    factory =
        Validation.byProvider(HibernateValidator.class)
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
    validator = factory.getValidator();
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
