// Runs CSIRO's engines: node engines.cjs <folder with node_modules> <job.json>
// A job: {"does": "populate" | "extract", "questionnaire", ...,
//         "warm_up": times, "times": times}; gives {"result", "cpu_milliseconds"} on standard output.
"use strict";
const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");
const [folder, file] = process.argv.slice(2);
const from = createRequire(path.join(path.resolve(folder), "package.json"));
const job = JSON.parse(fs.readFileSync(file, "utf8"));
const say = console.log;
for (const name of ["log", "warn", "error", "info", "debug"]) console[name] = () => {};

async function populated() {
  const { populateQuestionnaire } = from("@aehrc/sdc-populate");
  const asked = [];
  const answer = (query) => {
    asked.push(query);
    const start = Object.keys(job.answers).find((one) => query.startsWith(one));
    return start ? job.answers[start] : { resourceType: "Bundle", type: "searchset" };
  };
  const { populateResult } = await populateQuestionnaire({
    questionnaire: job.questionnaire,
    patient: job.patient,
    fetchResourceCallback: async (query) => ({ data: answer(query) }),
    fetchResourceRequestConfig: { sourceServerUrl: "http://127.0.0.1/fhir" },
  });
  return { response: populateResult.populatedResponse, issues: populateResult.issues, asked };
}

async function extracted() {
  const { inAppExtract } = from("@aehrc/sdc-template-extract");
  const made = await inAppExtract(structuredClone(job.response), job.questionnaire, null);
  return made.extractResult;
}

async function main() {
  const run = job.does === "populate" ? populated : extracted;
  const result = await run();
  for (let n = 0; n < (job.warm_up || 0); n += 1) await run();
  const before = process.cpuUsage();
  for (let n = 0; n < (job.times || 0); n += 1) await run();
  const spent = process.cpuUsage(before);
  const each = (spent.user + spent.system) / 1000 / Math.max(job.times || 0, 1);
  say(JSON.stringify({ result, cpu_milliseconds: each }));
  process.exit(0);
}
main().catch((error) => { say(JSON.stringify({ failed: String(error && error.stack) })); process.exit(1); });
