// MedplumClient as the CDS client of an EHR: node cds.cjs FOLDER BASE TOKENS CONTEXTS
// TOKENS: a JWT for each service by its id; CONTEXTS: the context of a call by its hook; as JSON.
// Prints what it was told as one JSON object.
const { createRequire } = require("node:module");

globalThis.WebSocket ??= class {}; // node has one from 22 on; nothing is subscribed to here
const [folder, base, tokens, contexts] = process.argv.slice(2);
const { MedplumClient, buildCdsRequest } = createRequire(`${folder}/`)("@medplum/core");

async function main() {
  const medplum = new MedplumClient({
    baseUrl: `${base}/`,
    fhirUrlPath: "fhir/",
    medplumServer: false,
    fetch,
  });
  const { services } = await medplum.getCdsServices();
  const signed = JSON.parse(tokens), given = JSON.parse(contexts);
  const user = { resourceType: "Practitioner", id: "example" };
  const calls = [];
  for (const service of services) {
    medplum.setAccessToken(signed[service.id]);
    const request = await buildCdsRequest(medplum, user, service, given[service.hook]);
    calls.push({ id: service.id, request, answer: await medplum.callCdsService(service.id, request) });
  }
  return { services, calls };
}

main().then(
  (said) => console.log(JSON.stringify(said)),
  (error) => {
    console.log(JSON.stringify({ failed: String((error && error.stack) || error).slice(-2000) }));
    process.exitCode = 1;
  }
);
