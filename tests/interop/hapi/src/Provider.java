import ca.uhn.fhir.rest.annotation.ConditionalUrlParam;
import ca.uhn.fhir.rest.annotation.Create;
import ca.uhn.fhir.rest.annotation.Delete;
import ca.uhn.fhir.rest.annotation.IdParam;
import ca.uhn.fhir.rest.annotation.Read;
import ca.uhn.fhir.rest.annotation.ResourceParam;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.annotation.Update;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.server.IBundleProvider;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.server.IResourceProvider;
import ca.uhn.fhir.rest.server.SimpleBundleProvider;
import ca.uhn.fhir.rest.server.exceptions.ResourceVersionConflictException;
import java.util.List;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Resource;

/** One resource type: read, search, create (conditional too), update, delete. */
public final class Provider implements IResourceProvider {
  private final Kept kept;
  private final Class<? extends IBaseResource> kind;

  Provider(Kept kept, Class<? extends IBaseResource> kind) {
    this.kept = kept;
    this.kind = kind;
  }

  @Override
  public Class<? extends IBaseResource> getResourceType() {
    return kind;
  }

  @Read(version = false)
  public IBaseResource read(@IdParam IdType id) {
    return kept.read(kind.getSimpleName(), id.getIdPart());
  }

  @Search(allowUnknownParams = true)
  public IBundleProvider search(RequestDetails request) {
    List<Resource> found = kept.search(kind.getSimpleName(), request.getParameters());
    return new SimpleBundleProvider(found);
  }

  @Create
  public MethodOutcome create(
      @ResourceParam IBaseResource resource, @ConditionalUrlParam String condition) {
    Resource made = (Resource) resource;
    boolean created = kept.create(made, condition);
    return new MethodOutcome(made.getIdElement(), created).setResource(made);
  }

  @Update
  public MethodOutcome update(@IdParam IdType id, @ResourceParam IBaseResource resource) {
    Resource made = (Resource) resource;
    if (id.hasVersionIdPart()) {
      Resource before = kept.read(kind.getSimpleName(), id.getIdPart());
      if (!before.getIdElement().getVersionIdPart().equals(id.getVersionIdPart())) {
        throw new ResourceVersionConflictException("not the current version");
      }
    }
    boolean created = kept.put(made, id.getIdPart());
    return new MethodOutcome(made.getIdElement(), created).setResource(made);
  }

  @Delete
  public MethodOutcome delete(@IdParam IdType id) {
    kept.delete(kind.getSimpleName(), id.getIdPart());
    return new MethodOutcome(id);
  }
}
