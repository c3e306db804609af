// Calls functions of tidepool-platform-client, one after the other, as a user who signs in first.
// In: {"baseUrl", "email", "password", "calls": [[name, ...arguments]]}. Out: the results, in an array.
// The client makes its addresses as in the Uploader: data sets and data are behind /dataservices.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const makeClient = createRequire(`${process.cwd()}/`)("tidepool-platform-client");

const { baseUrl, email, password, calls } = JSON.parse(readFileSync(0, "utf8"));
const client = makeClient({
  host: baseUrl,
  uploadApi: baseUrl,
  dataHost: `${baseUrl}/dataservices`,
  metricsSource: "uploader",
  metricsVersion: "2.64.0",
  localStore: makeStore(),
});

// What the browser's local storage is to the Uploader: there the client keeps the token that it is to remember.
function makeStore() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key),
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
}

function call(name, ...given) {
  return new Promise((resolve, reject) => {
    client[name](...given, (error, result) => (error ? reject(error) : resolve(result ?? null)));
  });
}

// The client keeps a timer for renewing its token, so the process has to be ended.
try {
  await call("login", { username: email, password });
  const results = [];
  for (const [name, ...given] of calls) {
    results.push(await call(name, ...given));
  }
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
} catch (error) {
  console.error(error.status, error.message, JSON.stringify(error.body ?? null));
  process.exit(1);
}
