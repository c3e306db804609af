// Sends a file directly to the store of the platform: from there the platform takes it, whatever its size.

import { json, RefusedError } from "./api.js";
import { md5 } from "./md5.js";
import { OfflineError } from "./session.js";

export const MAX_BYTES = 100 * 1024 * 1024;

/**
 * Store a file as a blob of a person.
 * @param {string} userId
 * @param {File} file at most `MAX_BYTES`
 * @param {(share: number) => void} progress called with the share that was sent, from 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the id of the blob, which the platform marks as available a moment later
 */
export async function uploadFile(userId, file, progress, signal) {
  const mediaType = file.type || "application/octet-stream";
  const digest = btoa(String.fromCharCode(...(await md5(file, signal))));
  const headers = { Digest: `MD5=${digest}`, "Content-Type": mediaType, "X-Upload-Size": String(file.size) };
  const { id, upload } = await json(`/v1/users/${userId}/blobs?upload=direct`, { method: "POST", headers, signal });
  await put(upload, file, progress, signal);
  return id;
}

/** Only XMLHttpRequest tells how much of a request was sent. */
function put({ method, url, headers }, file, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => progress(file.size ? loaded / file.size : 1);
    request.onload = () => (request.status < 400 ? resolve() : reject(new RefusedError(request.status, request.responseText)));
    request.onerror = () => reject(new OfflineError());
    request.onabort = () => reject(new DOMException("the view was left", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
