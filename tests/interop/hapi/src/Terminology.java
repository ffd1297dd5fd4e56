import ca.uhn.fhir.context.support.ConceptValidationOptions;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import ca.uhn.fhir.rest.annotation.Operation;
import ca.uhn.fhir.rest.annotation.OperationParam;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import org.hl7.fhir.r4.model.CodeType;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.StringType;
import org.hl7.fhir.r4.model.UriType;
import org.hl7.fhir.r4.model.ValueSet;

/** ValueSet/$validate-code, decided by HAPI's own terminology over what the server keeps. */
public final class Terminology {
  private final IValidationSupport chain;

  Terminology(IValidationSupport chain) {
    this.chain = chain;
  }

  @Operation(name = "$validate-code", typeName = "ValueSet", idempotent = true)
  public Parameters validate(
      @OperationParam(name = "url", min = 1) UriType url,
      @OperationParam(name = "valueSetVersion") StringType version,
      @OperationParam(name = "system", min = 1) UriType system,
      @OperationParam(name = "code", min = 1) CodeType code) {
    if (url == null || system == null || code == null) {
      throw new InvalidRequestException("url, system and code are needed");
    }
    String asked = version == null ? url.getValue() : url.getValue() + "|" + version.getValue();
    if (!(chain.fetchValueSet(asked) instanceof ValueSet)) {
      throw new ResourceNotFoundException("Unknown ValueSet: " + asked);
    }
    IValidationSupport.CodeValidationResult found =
        chain.validateCode(
            new ValidationSupportContext(chain),
            new ConceptValidationOptions(),
            system.getValue(),
            code.getValue(),
            null,
            asked);
    if (found == null) {
      throw new ResourceNotFoundException("nobody here knows the ValueSet or its systems");
    }
    return (Parameters) found.toParameters(chain.getFhirContext());
  }
}
