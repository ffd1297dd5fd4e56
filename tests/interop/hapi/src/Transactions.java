import ca.uhn.fhir.rest.annotation.Transaction;
import ca.uhn.fhir.rest.annotation.TransactionParam;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.util.ResourceReferenceInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Resource;

/** Transactions of POST (conditional too) and PUT; references to entries become their new ids. */
public final class Transactions {
  private final Kept kept;

  Transactions(Kept kept) {
    this.kept = kept;
  }

  @Transaction
  public Bundle transaction(@TransactionParam Bundle given) {
    if (given.getType() != Bundle.BundleType.TRANSACTION) {
      throw new InvalidRequestException("only a transaction is taken here");
    }
    Bundle told = new Bundle();
    told.setType(Bundle.BundleType.TRANSACTIONRESPONSE);
    Map<String, String> places = new LinkedHashMap<>();
    for (Bundle.BundleEntryComponent entry : given.getEntry()) {
      Resource one = entry.getResource();
      boolean created;
      switch (entry.getRequest().getMethod()) {
        case POST -> created = kept.create(one, condition(entry));
        case PUT -> created = kept.put(one, new IdType(entry.getRequest().getUrl()).getIdPart());
        default -> throw new InvalidRequestException("only POST and PUT are taken here");
      }
      String place = one.fhirType() + "/" + one.getIdElement().getIdPart();
      if (entry.hasFullUrl()) {
        places.put(entry.getFullUrl(), place);
      }
      told.addEntry()
          .getResponse()
          .setStatus(created ? "201 Created" : "200 OK")
          .setLocation(place + "/_history/" + one.getIdElement().getVersionIdPart())
          .setEtag("W/\"" + one.getIdElement().getVersionIdPart() + "\"");
    }
    for (Bundle.BundleEntryComponent entry : given.getEntry()) {
      List<ResourceReferenceInfo> all =
          kept.ctx.newTerser().getAllResourceReferences(entry.getResource());
      for (ResourceReferenceInfo reference : all) {
        String said = reference.getResourceReference().getReferenceElement().getValue();
        if (places.containsKey(said)) {
          reference.getResourceReference().setReference(places.get(said));
        }
      }
    }
    return told;
  }

  private static String condition(Bundle.BundleEntryComponent entry) {
    return entry.getRequest().hasIfNoneExist() ? entry.getRequest().getIfNoneExist() : null;
  }
}
