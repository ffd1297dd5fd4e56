import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.RuntimeSearchParam;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.fhirpath.IFhirPath;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.instance.model.api.IBase;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.instance.model.api.IPrimitiveType;
import org.hl7.fhir.r4.model.BaseDateTimeType;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.CodeableConcept;
import org.hl7.fhir.r4.model.Coding;
import org.hl7.fhir.r4.model.HumanName;
import org.hl7.fhir.r4.model.Identifier;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.MetadataResource;
import org.hl7.fhir.r4.model.Period;
import org.hl7.fhir.r4.model.Questionnaire;
import org.hl7.fhir.r4.model.Reference;
import org.hl7.fhir.r4.model.Resource;
import org.hl7.fhir.r4.model.ValueSet;

/** What the server keeps, searched by R4's own search parameters; it also feeds the validator. */
final class Kept implements IValidationSupport {
  final FhirContext ctx;
  private final IFhirPath paths;
  private final Map<String, Map<String, Resource>> all = new LinkedHashMap<>();
  private long next = 1000;

  Kept(FhirContext ctx) {
    this.ctx = ctx;
    this.paths = ctx.newFhirPath();
  }

  @Override
  public FhirContext getFhirContext() {
    return ctx;
  }

  @Override
  @SuppressWarnings("unchecked")
  public <T extends IBaseResource> T fetchResource(Class<T> kind, String uri) {
    if (kind == Questionnaire.class || kind == ValueSet.class || kind == CodeSystem.class) {
      return (T) canonical(kind.getSimpleName(), uri);
    }
    return null;
  }

  @Override
  public IBaseResource fetchValueSet(String uri) {
    return canonical("ValueSet", uri);
  }

  @Override
  public IBaseResource fetchCodeSystem(String uri) {
    return canonical("CodeSystem", uri);
  }

  private synchronized Resource canonical(String type, String uri) {
    String[] parts = uri.split("\\|", 2);
    Resource found = null;
    for (Resource one : of(type).values()) {
      MetadataResource said = (MetadataResource) one;
      boolean same = parts[0].equals(said.getUrl());
      if (same && (parts.length == 1 || parts[1].equals(said.getVersion()))) {
        found = one;
      }
    }
    return found;
  }

  private Map<String, Resource> of(String type) {
    return all.computeIfAbsent(type, unused -> new LinkedHashMap<>());
  }

  synchronized Resource read(String type, String id) {
    Resource found = of(type).get(id);
    if (found == null) {
      throw new ResourceNotFoundException(new IdType(type, id));
    }
    return found;
  }

  /** Keeps it; one that matches the condition, where there is one, is given back instead. */
  synchronized boolean create(Resource resource, String condition) {
    String type = resource.fhirType();
    if (condition != null) {
      List<Resource> there = search(type, parameters(condition));
      if (there.size() > 1) {
        throw new PreconditionFailedException("more than one matches");
      }
      if (there.size() == 1) {
        resource.setIdElement(there.get(0).getIdElement());
        resource.setMeta(there.get(0).getMeta());
        return false;
      }
    }
    put(resource, Long.toString(next++));
    return true;
  }

  /** Puts it under this id; whether it was not there before. */
  synchronized boolean put(Resource resource, String id) {
    String type = resource.fhirType();
    Resource before = of(type).get(id);
    long version = before == null ? 1 : before.getIdElement().getVersionIdPartAsLong() + 1;
    resource.setId(new IdType(type, id, Long.toString(version)));
    resource.getMeta().setVersionId(Long.toString(version)).setLastUpdated(new Date());
    of(type).put(id, resource);
    return before == null;
  }

  synchronized void delete(String type, String id) {
    of(type).remove(id);
  }

  synchronized List<Resource> search(String type, Map<String, String[]> parameters) {
    List<Resource> found = new ArrayList<>();
    for (Resource one : of(type).values()) {
      if (parameters.entrySet().stream().allMatch(p -> matches(one, p.getKey(), p.getValue()))) {
        found.add(one);
      }
    }
    return found;
  }

  static Map<String, String[]> parameters(String query) {
    Map<String, String[]> found = new LinkedHashMap<>();
    String rest = query.contains("?") ? query.substring(query.indexOf('?') + 1) : query;
    for (String part : rest.split("&")) {
      String[] two = part.split("=", 2);
      found.put(two[0], new String[] {URLDecoder.decode(two[1], StandardCharsets.UTF_8)});
    }
    return found;
  }

  private boolean matches(Resource one, String name, String[] values) {
    String code = name.split(":", 2)[0];
    if (List.of("_count", "_sort", "_format", "_pretty", "_total").contains(code)) {
      return true;
    }
    for (String value : values) {
      boolean any = false;
      for (String part : value.split(",")) {
        any = any || any(one, code, part);
      }
      if (!any) {
        return false;
      }
    }
    return true;
  }

  private boolean any(Resource one, String code, String value) {
    if (code.equals("_id")) {
      return one.getIdElement().getIdPart().equals(value);
    }
    RuntimeSearchParam known = ctx.getResourceDefinition(one).getSearchParam(code);
    if (known == null) {
      throw new InvalidRequestException("unknown search parameter " + code);
    }
    String path = known.getPath().replaceAll("\\.where\\(resolve\\(\\) is \\w+\\)", "");
    for (IBase found : paths.evaluate(one, path, IBase.class)) {
      if (equal(found, value)) {
        return true;
      }
    }
    return false;
  }

  private static boolean equal(IBase found, String value) {
    if (found instanceof Reference r) {
      String said = r.getReference() == null ? "" : r.getReference();
      return said.equals(value) || said.endsWith("/" + value);
    }
    if (found instanceof Identifier i) {
      return token(i.getSystem(), i.getValue(), value);
    }
    if (found instanceof Coding c) {
      return token(c.getSystem(), c.getCode(), value);
    }
    if (found instanceof CodeableConcept c) {
      return c.getCoding().stream().anyMatch(one -> token(one.getSystem(), one.getCode(), value));
    }
    if (found instanceof HumanName n) {
      return n.getNameAsSingleString().toLowerCase().contains(value.toLowerCase());
    }
    if (found instanceof Period p) {
      return dated(p.getStart(), p.getEnd(), value);
    }
    if (found instanceof BaseDateTimeType d) {
      return dated(d.getValue(), d.getValue(), value);
    }
    return found instanceof IPrimitiveType<?> p && value.equals(p.getValueAsString());
  }

  private static boolean token(String system, String code, String value) {
    int bar = value.indexOf('|');
    if (bar < 0) {
      return value.equals(code);
    }
    String wanted = value.substring(bar + 1);
    boolean same = wanted.isEmpty() || wanted.equals(code);
    return same && value.substring(0, bar).equals(system == null ? "" : system);
  }

  private static boolean dated(Date low, Date high, String value) {
    String prefix = value.matches("^[a-z]{2}.*") ? value.substring(0, 2) : "eq";
    String rest = value.matches("^[a-z]{2}.*") ? value.substring(2) : value;
    org.hl7.fhir.r4.model.DateTimeType asked = new org.hl7.fhir.r4.model.DateTimeType(rest);
    Date from = asked.getValue();
    Date to = new Date(from.getTime() + (rest.length() <= 10 ? 86_400_000L : 1000L));
    Date begins = low == null ? new Date(0) : low;
    Date ends = high == null ? new Date(Long.MAX_VALUE) : high;
    return switch (prefix) {
      case "ge", "gt" -> !ends.before(from);
      case "le", "lt" -> !begins.after(to);
      default -> !ends.before(from) && begins.before(to);
    };
  }
}
