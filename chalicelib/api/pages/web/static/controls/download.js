// Saves what the platform answers as a file.

import { h } from "../dom.js";

const KEPT_FOR_MS = 60_000;

/**
 * Offer a response as a file to the person.
 * @param {Response} response
 * @param {string} name of the file
 */
export async function saveFile(response, name) {
  const address = URL.createObjectURL(await response.blob());
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_FOR_MS);
}
