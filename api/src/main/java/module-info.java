/**
 * The types that users of Kvant hold: configurations, plans, models, quantizers, listeners,
 * exceptions.
 */
module dev.kvant.api {
  requires transitive jakarta.validation;
  requires static transitive org.jspecify;

  exports dev.kvant.api;

  // Its constraints are read from the components of records.
  opens dev.kvant.api to
      org.hibernate.validator;
}
