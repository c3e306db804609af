// What Node's decoders, and superagent where the folder has it, make of gzip answers.
// Arguments: base URL, names of answers. Out, a line each: decoder, answer, SHA-256 of what was decoded or "refused".
import { createHash } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";
import { pipeline } from "node:stream/promises";
import { createGunzip, gunzipSync, unzipSync } from "node:zlib";

const LATE_MS = 5000;
const [baseUrl, ...names] = process.argv.slice(2);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

async function member(name) {
  return Buffer.from(await (await fetch(`${baseUrl}/file/${name}`)).arrayBuffer());
}

function get(url) {
  return new Promise((resolve, reject) => {
    http.get(url, { headers: { "Accept-Encoding": "gzip" } }, resolve).on("error", reject);
  });
}

async function digestOfChunks(chunks) {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

const decoders = {
  "node-fetch": async (name) => sha256(Buffer.from(await (await fetch(`${baseUrl}/answer/${name}`)).arrayBuffer())),
  "node-http-gunzip-stream": async (name) => {
    const hash = createHash("sha256");
    await pipeline(await get(`${baseUrl}/answer/${name}`), createGunzip(), hash);
    return hash.digest("hex");
  },
  "node-gunzip": async (name) => sha256(gunzipSync(await member(name))),
  "node-unzip": async (name) => sha256(unzipSync(await member(name))),
  "node-decompression-stream": async (name) => {
    const stream = new Blob([await member(name)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return digestOfChunks(stream);
  },
};

try {
  const superagent = createRequire(`${process.cwd()}/`)("superagent");
  decoders.superagent = async (name) => sha256((await superagent.get(`${baseUrl}/answer/${name}`)).text);
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") throw error;
}

// Node 20.20's fetch leaves a body that cannot be decoded open for good, instead of failing.
async function orRefused(decoded) {
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, LATE_MS, "refused"); });
  const digest = await Promise.race([decoded, late]).catch(() => "refused");
  clearTimeout(timer);
  return digest;
}

for (const [decoder, decode] of Object.entries(decoders)) {
  for (const name of names) {
    console.log(decoder, name, await orRefused(decode(name)));
  }
}
