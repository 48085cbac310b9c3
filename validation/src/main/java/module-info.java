/** Checks of configurations. */
module dev.kvant.validation {
  requires transitive dev.kvant.spi;
  requires jakarta.validation;
  requires org.hibernate.validator;
  requires static transitive org.jspecify;

  exports dev.kvant.validation;
}
