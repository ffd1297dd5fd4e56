import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.rest.server.FifoMemoryPagingProvider;
import ca.uhn.fhir.rest.server.IResourceProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseConformance;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.Enumerations;

/**
 * A HAPI FHIR R4 server in memory: /fhir is the EHR, which refuses what HAPI's validator finds
 * wrong; POST /validate answers with HAPI's findings alone. Prints its port when it is ready.
 */
public final class Main {
  private static final String[] TYPES = {
    "AllergyIntolerance", "Appointment", "AuditEvent", "Binary", "Bundle", "CarePlan", "CodeSystem",
    "Communication", "Composition", "ConceptMap", "Condition", "Device", "DiagnosticReport",
    "DocumentReference", "Encounter", "FamilyMemberHistory", "Flag", "Goal", "Immunization",
    "Location", "Medication", "MedicationAdministration", "MedicationRequest",
    "MedicationStatement", "Observation", "Organization", "Patient", "Practitioner",
    "PractitionerRole", "Procedure", "Provenance", "Questionnaire", "QuestionnaireResponse",
    "RelatedPerson", "ServiceRequest", "Task", "ValueSet"
  };

  public static void main(String[] args) throws Exception {
    FhirContext ctx = FhirContext.forR4Cached();
    Kept kept = new Kept(ctx);
    UnknownCodeSystemWarningValidationSupport unknown =
        new UnknownCodeSystemWarningValidationSupport(ctx);
    unknown.setNonExistentCodeSystemSeverity(
        ca.uhn.fhir.context.support.IValidationSupport.IssueSeverity.WARNING);
    ValidationSupportChain chain =
        new ValidationSupportChain(
            kept,
            new DefaultProfileValidationSupport(ctx),
            new CommonCodeSystemsTerminologyService(ctx),
            new InMemoryTerminologyServerValidationSupport(ctx),
            new SnapshotGeneratingValidationSupport(ctx),
            unknown);
    // What a terminology server decides by: without the leniency of the last one, which says yes to
    // any code of a system that is not known.
    ValidationSupportChain terminology =
        new ValidationSupportChain(
            kept,
            new DefaultProfileValidationSupport(ctx),
            new CommonCodeSystemsTerminologyService(ctx),
            new InMemoryTerminologyServerValidationSupport(ctx));
    FhirInstanceValidator rules = new FhirInstanceValidator(chain);
    rules.setErrorForUnknownProfiles(false); // of other guides; their own rules are not judged here
    FhirValidator validator = ctx.newValidator().registerValidatorModule(rules);

    RestfulServer fhir = new RestfulServer(ctx);
    List<IResourceProvider> providers = new ArrayList<>();
    for (String type : TYPES) {
      providers.add(new Provider(kept, ctx.getResourceDefinition(type).getImplementingClass()));
    }
    fhir.setResourceProviders(providers);
    fhir.setProviders(new Transactions(kept), new Terminology(terminology));
    fhir.setPagingProvider(new FifoMemoryPagingProvider(100).setDefaultPageSize(20));
    RequestValidatingInterceptor strict = new RequestValidatingInterceptor();
    strict.setValidatorModules(List.of(rules));
    strict.setFailOnSeverity(ResultSeverityEnum.ERROR);
    strict.setAddResponseHeaderOnSeverity(null);
    fhir.registerInterceptor(strict);
    fhir.registerInterceptor(new Says(ctx));

    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(args.length > 0 ? Integer.parseInt(args[0]) : 0);
    server.addConnector(connector);
    ServletContextHandler places = new ServletContextHandler();
    places.setContextPath("/");
    places.addServlet(new ServletHolder(fhir), "/fhir/*");
    places.addServlet(new ServletHolder(new Judge(ctx, validator)), "/validate");
    server.setHandler(places);
    server.start();
    System.out.println("port " + connector.getLocalPort());
    System.out.flush();
    server.join();
  }

  /** Declares the search parameters that Kept answers: R4's own, which no method here names. */
  public static final class Says {
    private final FhirContext ctx;

    Says(FhirContext ctx) {
      this.ctx = ctx;
    }

    @Hook(Pointcut.SERVER_CAPABILITY_STATEMENT_GENERATED)
    public void complete(IBaseConformance made) {
      for (var resource : ((CapabilityStatement) made).getRestFirstRep().getResource()) {
        resource.getSearchParam().clear();
        for (var known : ctx.getResourceDefinition(resource.getType()).getSearchParams()) {
          var type = Enumerations.SearchParamType.fromCode(known.getParamType().getCode());
          resource.addSearchParam().setName(known.getName()).setType(type);
        }
      }
    }
  }

  /** HAPI's findings on one resource, which is not kept. */
  private static final class Judge extends HttpServlet {
    private final FhirContext ctx;
    private final FhirValidator validator;

    Judge(FhirContext ctx, FhirValidator validator) {
      this.ctx = ctx;
      this.validator = validator;
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      String body = new String(request.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      String told;
      try {
        IBaseResource outcome = validator.validateWithResult(body).toOperationOutcome();
        told = ctx.newJsonParser().encodeResourceToString(outcome);
        response.setStatus(200);
      } catch (RuntimeException unreadable) {
        told =
            "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"fatal\",\"code\":"
                + "\"structure\",\"diagnostics\":\"not readable\"}]}";
        response.setStatus(400);
      }
      response.setContentType("application/fhir+json");
      response.getOutputStream().write(told.getBytes(StandardCharsets.UTF_8));
    }
  }
}
