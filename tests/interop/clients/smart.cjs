// SMART's own client for JavaScript as an app on a server: node smart.cjs FOLDER FHIR_BASE CLIENT_ID SCOPE
// Prints its address, serves /launch and /callback, and answers the latter with what it read.
const { createServer } = require("node:http");
const { createRequire } = require("node:module");

const [folder, iss, clientId, scope] = process.argv.slice(2);
const smart = createRequire(`${folder}/`)("fhirclient");

const kept = new Map();
const storage = {
  get: async (key) => kept.get(key),
  set: async (key, value) => (kept.set(key, value), value),
  unset: async (key) => kept.delete(key),
};

async function answer(request) {
  const client = await smart(request, request.reply, storage).ready();
  const refreshed = await client.refresh();
  const found = await client.request(`QuestionnaireResponse?subject=Patient/${client.patient.id}`);
  const patient = await client.patient.read();
  return {
    patient: client.patient.id,
    name: patient.name[0].family,
    user: client.getFhirUser(),
    found: (found.entry || []).length,
    refreshed: Boolean(refreshed.tokenResponse.access_token),
    idToken: client.getIdToken() && client.getIdToken().aud,
  };
}

const server = createServer(async (request, reply) => {
  request.reply = reply;
  request.headers.host = request.headers.host || "";
  try {
    if (request.url.startsWith("/launch")) {
      await smart(request, reply, storage).authorize({
        iss,
        clientId,
        scope,
        redirectUri: `http://127.0.0.1:${server.address().port}/callback`,
      });
      return;
    }
    const said = JSON.stringify(await answer(request));
    reply.writeHead(200, { "Content-Type": "application/json" });
    reply.end(said);
  } catch (error) {
    reply.writeHead(500, { "Content-Type": "application/json" });
    reply.end(JSON.stringify({ failed: String((error && error.stack) || error) }));
  }
});
server.listen(Number(process.env.PORT || 0), "127.0.0.1", () => console.log(server.address().port));
