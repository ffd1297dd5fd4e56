// MedplumClient as a backend service: node medplum.cjs FOLDER BASE ASSERTION CLIENT_ID RESPONSE_FILE
// Prints what it did as one JSON object.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");

globalThis.WebSocket ??= class {}; // node has one from 22 on; nothing is subscribed to here
const [folder, base, assertion, clientId, file] = process.argv.slice(2);
const { MedplumClient } = createRequire(`${folder}/`)("@medplum/core");

async function main() {
  const medplum = new MedplumClient({
    baseUrl: `${base}/`,
    fhirUrlPath: "fhir/",
    tokenUrl: `${base}/auth/token`,
    clientId,
    medplumServer: false,
    fetch,
  });
  await medplum.startJwtAssertionLogin(assertion);
  const forms = await medplum.searchResources("Questionnaire", { _count: "2", status: "active" });
  const response = JSON.parse(readFileSync(file, "utf8"));
  const created = await medplum.createResource(response);
  const read = await medplum.readResource("QuestionnaireResponse", created.id);
  const found = await medplum.search("QuestionnaireResponse", { _id: created.id });
  const history = await medplum.readHistory("QuestionnaireResponse", created.id);
  const checked = await medplum.validateResource(response);
  let refused = null;
  try {
    await medplum.createResource({ ...response, status: "nonsense" });
  } catch (error) {
    refused = error.outcome;
  }
  return {
    forms: forms.map((one) => one.resourceType),
    created: created.id,
    read: read.id,
    found: found.entry.map((one) => one.resource.id),
    history: history.entry.length,
    checked: checked.resourceType,
    refused: refused && refused.resourceType,
  };
}

main().then(
  (said) => console.log(JSON.stringify(said)),
  (error) => {
    console.log(JSON.stringify({ failed: String((error && error.stack) || error) }));
    process.exitCode = 1;
  }
);
