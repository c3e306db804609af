// Reads an address with Node's own fetch, as a web app does, and says what came.
// In: {"url", "token"}. Out: {"status", "isRedirected", "bytes", "sha256"}.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const { url, token } = JSON.parse(readFileSync(0, "utf8"));
const response = await fetch(url, { headers: { "X-Tidepool-Session-Token": token } });
const body = Buffer.from(await response.arrayBuffer());
console.log(
  JSON.stringify({
    status: response.status,
    isRedirected: response.redirected,
    bytes: body.length,
    sha256: createHash("sha256").update(body).digest("hex"),
  }),
);
