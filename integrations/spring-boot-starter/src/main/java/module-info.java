/** Kvant as a bean of Spring Boot. */
module dev.kvant.spring {
  requires static dev.kvant.micrometer;
  requires transitive dev.kvant.runtime;
  requires dev.kvant.validation;
  requires static micrometer.core;
  requires spring.beans;
  requires transitive spring.boot;
  requires static spring.boot.actuator;
  requires static spring.boot.actuator.autoconfigure;
  requires transitive spring.boot.autoconfigure;
  requires spring.context;
  requires transitive spring.core;
  requires static transitive org.jspecify;

  exports dev.kvant.spring;

  // Spring creates and binds its beans.
  opens dev.kvant.spring to
      spring.beans,
      spring.boot,
      spring.context,
      spring.core;
}
