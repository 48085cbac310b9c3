/** Checks of configurations. */
module dev.kvant.validation {
  requires transitive dev.kvant.spi;
  // Hibernate Validator needs it and, being an automatic module, cannot say so.
  requires com.fasterxml.classmate;
  requires jakarta.validation;
  requires java.logging;
  requires org.hibernate.validator;
  requires static transitive org.jspecify;

  exports dev.kvant.validation;
}
